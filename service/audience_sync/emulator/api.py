"""One request from its arrival to its answer: pure, with the moment as an argument.

The order of questions: is the path one of ours, is the caller the admin, is the pace kept, is the body sound,
does a fault strike, do the stored users allow it. The first "no" is the answer.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from audience_sync.emulator.answers import Answers
from audience_sync.emulator.counters import BrokenLimit, Counters
from audience_sync.emulator.faults import Effect, Faults, effect_of
from audience_sync.emulator.overlaps import OpenRequest, Overlaps
from audience_sync.emulator.pace import Pace
from audience_sync.emulator.reading import read
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    ENDPOINTS,
    ImportAccounts,
    Read,
    Request,
    Write,
    WriteToUsers,
    users_of,
)
from audience_sync.emulator.settings import Accounts, Settings
from audience_sync.emulator.signature import Doorkeeper
from audience_sync.emulator.store import Store

PREFIX: Final = "/v4/all_member_push/"
REMEMBERED: Final = 1000
"""So many requests can be looked at afterwards."""

PAGE: Final = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center></body></html>"


class Seen(msgspec.Struct):
    """A request that ended. Moments are unix seconds; *answered* is None if the caller got no answer."""

    endpoint: str
    users: list[str]
    code: int | None
    """None for an HTML page, and when nothing was decided."""

    arrived: float
    answered: float | None = None


@dataclass
class Arrival:
    """A request whose headers are there."""

    open: OpenRequest
    known: bool
    """Whether the path is one of ours."""

    in_time: bool
    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What goes back, and when."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    wait_seconds: float = 0.0
    resets: bool = False


class Api:
    """One app behind its address. *record* is told each write that was applied, before its answer exists."""

    def __init__(self, settings: Settings, *, record: Callable[[Write], None] = lambda _: None) -> None:
        self.counters = Counters()
        self.overlaps = Overlaps()
        self.faults = Faults(latency_seconds=settings.latency_seconds, seed=settings.seed)
        self.store = Store(
            creates_users=settings.accounts is Accounts.AUTO,
            version_separator=settings.version_separator,
            report_back=self.counters.add_went_back,
        )
        self.last: deque[Seen] = deque(maxlen=REMEMBERED)
        self._record = record
        self._doorkeeper = Doorkeeper(app_id=settings.app_id, admin=settings.admin, key=settings.key)
        self._answers = Answers(plain=settings.plain, random=Random(settings.seed))
        self._paces = {endpoint: Pace(settings.calls_per_second) for endpoint in ENDPOINTS}

    def arrive(self, path: str, now: float, hung_up: Callable[[], bool] = lambda: False) -> Arrival:
        """The headers of a request are there. Each arrival needs its `leave`, however it ends."""
        endpoint = path.removeprefix(PREFIX)
        known = path.startswith(PREFIX) and endpoint in self._paces
        if known:
            self.counters.calls[endpoint] += 1
        return Arrival(
            open=self.overlaps.arrive(endpoint if known else "", hung_up),
            known=known,
            in_time=not known or self._paces[endpoint].arrive(now),
            seen=Seen(endpoint if known else path, [], None, now),
        )

    def decide(self, arrival: Arrival, *, method: str, query: str, body: bytes, now: float) -> Outcome:
        """Apply the request or refuse it. *now* is in unix seconds; no message repeats the query."""
        try:
            request = self._admit(arrival, method=method, query=query, body=body, now=now)
            return self._carry_out(arrival, request)
        except RefusedError as refused:
            if refused.cause in (Cause.SHAPE, Cause.LIMIT):
                self.counters.add_broken_limit(BrokenLimit(arrival.open.endpoint, refused.code, refused.text))
            return self._refusal(arrival, refused.code, refused.text)

    def leave(self, arrival: Arrival, now: float, *, answered: bool) -> None:
        """The answer was sent, or the connection is gone without one."""
        self.overlaps.leave(arrival.open, answered=answered)
        arrival.seen.answered = now if answered else None
        self.last.append(arrival.seen)

    def import_accounts(self, users: Iterable[str]) -> None:
        """Make users exist. Safe to repeat."""
        self.apply(ImportAccounts(list(users)))

    def apply(self, request: Write) -> None:
        """Apply and record. Raises RefusedError; then nothing was done."""
        self.store.apply(request)
        self._record(request)

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

    def _admit(self, arrival: Arrival, *, method: str, query: str, body: bytes, now: float) -> Request:
        if not arrival.known:
            raise RefusedError(Code.PATH_UNKNOWN, Cause.ACCESS, "there is nothing at this path")
        found = self._look_at(arrival, body)  # first of all: an overlap is one whatever the answer
        if method != "POST":
            raise RefusedError(Code.BAD_ADDRESS, Cause.ACCESS, "only POST is answered")
        self._doorkeeper.check(query, now)
        if not arrival.in_time:
            raise RefusedError(Code.TOO_FAST, Cause.PACE, "the endpoint is called too often")
        if isinstance(found, RefusedError):
            raise found
        return found

    def _look_at(self, arrival: Arrival, body: bytes) -> Request | RefusedError:
        endpoint = arrival.open.endpoint
        try:
            request = read(endpoint, body)
        except RefusedError as refused:
            return refused
        users = users_of(request)
        arrival.seen.users = users
        self.counters.count_users(endpoint, len(users))
        if isinstance(request, WriteToUsers):
            self.overlaps.name(arrival.open, users)
        return request

    def _carry_out(self, arrival: Arrival, request: Request) -> Outcome:
        kind = self.faults.strike(arrival.open.endpoint)
        effect = Effect()
        if kind is not None:
            effect = effect_of(kind)
            self.counters.faults[kind] += 1
        fields: dict[str, object] = {}
        if effect.applies:
            if isinstance(request, Read):
                fields = self.store.read(request)
            else:
                self.apply(request)
        return self._outcome(arrival, effect, fields)

    def _outcome(self, arrival: Arrival, effect: Effect, fields: dict[str, object]) -> Outcome:
        wait = self.faults.latency_seconds + effect.wait_seconds
        if effect.status is not None:
            page = PAGE % (effect.status, effect.status)
            return Outcome(body=page, status=effect.status, content_type="text/html", wait_seconds=wait)
        if effect.code is not None:
            return self._refusal(arrival, effect.code, "a fault that was asked for")
        arrival.seen.code = 0
        return Outcome(body=self._answers.success(fields), wait_seconds=wait, resets=effect.resets)

    def _refusal(self, arrival: Arrival, code: int, text: str) -> Outcome:
        arrival.seen.code = code
        self.counters.refused[code] += 1
        return Outcome(body=self._answers.failure(code, text), wait_seconds=self.faults.latency_seconds)
