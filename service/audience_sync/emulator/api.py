"""One request from its arrival to its answer: pure, with the moment as an argument.

The order of questions: is the path one of ours, is the caller an admin, is the pace kept, is the body sound,
is the feature on, does a fault strike, does the stored state allow it. The first "no" is the answer.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from audience_sync.emulator.answering import answer
from audience_sync.emulator.answers import Answers
from audience_sync.emulator.app import App
from audience_sync.emulator.counters import BrokenLimit
from audience_sync.emulator.effects import NO_EFFECT, Effect, effect_of
from audience_sync.emulator.endpoints import BY_PATH, Endpoint, Family
from audience_sync.emulator.faults import Faults
from audience_sync.emulator.outcome import Later, Outcome
from audience_sync.emulator.overlaps import OpenRequest, Overlaps
from audience_sync.emulator.pace import Pace
from audience_sync.emulator.reading import read
from audience_sync.emulator.records import Entry
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import Request, WriteToUsers, users_of
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.signature import Doorkeeper
from audience_sync.emulator.switches import FeatureOff

REMEMBERED: Final = 1000
"""So many requests can be looked at afterwards."""


class Seen(msgspec.Struct):
    """A request that ended. Moments are unix seconds; *answered* is None if the caller got no answer."""

    endpoint: str
    users: list[str]
    code: int | None
    """None for an HTML page, and when nothing was decided."""

    arrived: float
    answered: float | None = None
    fault: str | None = None
    """The kind of fault that struck it."""


@dataclass
class Arrival:
    """A request whose headers are there."""

    open: OpenRequest
    endpoint: Endpoint | None
    """None if the path is none of ours."""

    too_fast: Code | None
    seen: Seen


@dataclass(frozen=True)
class Asked:
    """A request that may be carried out."""

    endpoint: Endpoint
    request: Request
    admin: str


class Api(App):
    """One app behind its address. *record* is told each record that was applied, before its answer exists."""

    def __init__(self, settings: AppSettings, *, record: Callable[[Entry], None] = lambda _: None) -> None:
        super().__init__(settings, record=record)
        self.overlaps = Overlaps()
        self.faults = Faults(latency_seconds=settings.latency_seconds, seed=settings.seed)
        self.last: deque[Seen] = deque(maxlen=REMEMBERED)
        self._doorkeeper = Doorkeeper(app_id=settings.app_id, admins=settings.admins, key=settings.key)
        self._answers = Answers(plain=settings.plain, random=Random(settings.seed))
        self._paces = {endpoint.name: Pace(settings.calls_per_second) for endpoint in BY_PATH.values()}
        in_all = settings.calls_per_second_of_app
        self._pace_of_all = None if in_all is None else Pace(in_all)

    def begin(self) -> None:
        """After a journal: count from 0, and see that there is what the settings ask for. Raises ValueError."""
        self.reset_counters()
        self.define_attribute_names()
        self.import_accounts(self.settings.imported)

    def arrive(self, path: str, now: float, hung_up: Callable[[], bool] = lambda: False) -> Arrival:
        """The headers of a request are there. Each arrival needs its `leave`, however it ends."""
        endpoint = BY_PATH.get(path)
        name = endpoint.name if endpoint else ""
        if endpoint:
            self.counters.calls[name] += 1
        return Arrival(
            open=self.overlaps.arrive(name, hung_up),
            endpoint=endpoint,
            too_fast=self._count(name, now) if endpoint else None,
            seen=Seen(name or path, [], None, now),
        )

    def decide(
        self, arrival: Arrival, *, method: str, query: str, body: bytes, now: float
    ) -> Outcome | Later:
        """Apply the request or refuse it, or say when. *now* is in unix seconds; no message repeats the query."""
        try:
            asked = self._admit(arrival, method=method, query=query, body=body, now=now)
        except RefusedError as refused:
            return self._refused(arrival, refused)
        effect = self._strike(arrival, now)
        if effect.delay_seconds:
            return Later(
                wait_seconds=effect.delay_seconds,
                then=lambda later: self._carry_out(arrival, asked, effect, later),
            )
        return self._carry_out(arrival, asked, effect, now)

    def leave(self, arrival: Arrival, now: float, *, answered: bool) -> None:
        """The answer was sent, or the connection is gone without one."""
        self.overlaps.leave(arrival.open, answered=answered)
        arrival.seen.answered = now if answered else None
        self.last.append(arrival.seen)
        self.revision += 1

    def most_calls_in_a_second(self) -> dict[str, int]:
        """{endpoint: calls in its busiest second}, for the endpoints that were called."""
        return {name: pace.most_in_a_second for name, pace in self._paces.items() if pace.most_in_a_second}

    def reset_counters(self) -> None:
        """Forget what was counted and found; users, faults and permits stay."""
        self.counters.reset()
        self.overlaps.forget()
        self.last.clear()
        for pace in self._paces.values():
            pace.forget_the_busiest_second()
        self.revision += 1

    def _count(self, name: str, now: float) -> Code | None:
        in_time = self._paces[name].arrive(now)
        app_in_time = self._pace_of_all is None or self._pace_of_all.arrive(now)
        if not in_time:
            return Code.TOO_FAST
        return None if app_in_time else Code.APP_TOO_FAST

    def _admit(self, arrival: Arrival, *, method: str, query: str, body: bytes, now: float) -> Asked:
        endpoint = arrival.endpoint
        if endpoint is None:
            raise RefusedError(Code.PATH_UNKNOWN, Cause.ACCESS, "there is nothing at this path")
        found = self._look_at(arrival, endpoint, body)  # first of all: an overlap is one whatever the answer
        if method != "POST":
            raise RefusedError(Code.BAD_ADDRESS, Cause.ACCESS, "only POST is answered")
        admin = self._doorkeeper.check(query, now, not_admin_code=self.switches.not_admin_code)
        if arrival.too_fast is not None:
            raise RefusedError(arrival.too_fast, Cause.PACE, "the endpoint or the app is called too often")
        if isinstance(found, RefusedError):
            raise found
        self._demand_feature(endpoint)
        return Asked(endpoint, found, admin)

    def _look_at(self, arrival: Arrival, endpoint: Endpoint, body: bytes) -> Request | RefusedError:
        try:
            request = read(endpoint, body, self.switches)
        except RefusedError as refused:
            return refused
        users = users_of(request)
        arrival.seen.users = users
        self.counters.count_users(endpoint.name, len(users))
        if isinstance(request, WriteToUsers):
            self.overlaps.name(arrival.open, users)
        return request

    def _demand_feature(self, endpoint: Endpoint) -> None:
        if self.feature_on or endpoint.family is Family.ACCOUNTS:
            return
        if self.switches.feature_off is FeatureOff.ALL or endpoint.command == "push":
            raise RefusedError(Code.FEATURE_OFF, Cause.STATE, "push to all users is not enabled for the app")

    def _strike(self, arrival: Arrival, now: float) -> Effect:
        kind = self.faults.strike(arrival.open.endpoint, users=arrival.seen.users, now=now)
        if kind is None:
            return NO_EFFECT
        arrival.seen.fault = kind
        self.counters.faults[kind] += 1
        return effect_of(kind)

    def _carry_out(self, arrival: Arrival, asked: Asked, effect: Effect, now: float) -> Outcome:
        fields: dict[str, object] = {}
        try:
            if effect.applies:
                fields = answer(self, asked.request, endpoint=asked.endpoint, admin=asked.admin, now=now)
        except RefusedError as refused:
            return self._refused(arrival, refused)
        if effect.code is not None:
            return effect.spoil(self._failure(arrival, effect.code, "a fault that was asked for"))
        arrival.seen.code = None if effect.hides_the_verdict else 0
        body = self._answers.success(fields)
        return effect.spoil(Outcome(body=body, wait_seconds=self.faults.latency_seconds))

    def _refused(self, arrival: Arrival, refused: RefusedError) -> Outcome:
        if refused.cause in (Cause.SHAPE, Cause.LIMIT):
            self.counters.add_broken_limit(BrokenLimit(arrival.open.endpoint, refused.code, refused.text))
        return self._failure(arrival, refused.code, refused.text)

    def _failure(self, arrival: Arrival, code: int, text: str) -> Outcome:
        arrival.seen.code = code
        self.counters.refused[code] += 1
        return Outcome(body=self._answers.failure(code, text), wait_seconds=self.faults.latency_seconds)
