"""What the service would send for events that are given: its own waiting, folding, cutting and pace, on their time.

Nothing is sent and nothing is waited for: moments are those of the events, and an answer comes as long after its
request as is assumed. One replica is planned, which owns all partitions, and the API confirms everything.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from audience_sync.core.changes import Change, Endpoint, Request
from audience_sync.core.confirmations import Confirmations
from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.event import Translated, TranslatedMany, Translation, Unusable
from audience_sync.core.folding import Folded
from audience_sync.core.guard import Guard
from audience_sync.core.ledger import Ledger
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import Call, Pace
from audience_sync.core.user_state import Round

ANSWER_SECONDS: Final = 0.1
"""How long an answer of the API is assumed to take. Ours: a call over the internet; nobody documents it."""

READING_SECONDS: Final = 0.015
"""Records are taken in together that come within this time. Ours: measured on a busy broker at 100 to 2,000 events a
second; without it users would be ready one by one, and some requests more would leave than do."""


class Assumed(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan assumes of the service, as its settings say, and of the API's answers.

    confirmed_seconds, confirmed_names: how long and how much is remembered, so that repeats are not sent.
    """

    times: DebounceTimes
    calls_per_second: float
    calls_per_second_of_app: float | None = None
    most_in_flight: int
    dead_letters_per_minute: int
    answer_seconds: float = ANSWER_SECONDS
    reading_seconds: float = READING_SECONDS
    confirmed_seconds: float = 0.0
    confirmed_names: int = 0


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A record as it came: when (epoch seconds), from where, its own time stamp, and what its event does.

    foreign_key: it is keyed by something else than its user.
    """

    at: float
    partition: PartitionKey
    position: int
    stamped: float
    came: Translation
    foreign_key: bool = False


class Watch(Protocol):
    """Who counts what is planned."""

    def arrived(self, arrival: Arrival) -> None:
        """A record was read."""

    def cut(self, request: Request, *, at: float, ready: int) -> None:
        """A request would leave; *ready* users were ready for it."""

    def repeats_skipped(self, changes: int) -> None:
        """So many changes would not be sent, as they repeat what was confirmed."""

    def settled(self, ended: Round, *, at: float) -> None:
        """All that was cut from a user's changes together would be confirmed."""

    def too_many_dead_letters(self, reason: str, *, at: float) -> None:
        """The service would stop reading; the plan reads on."""


class Planner:
    """The waiting users and the pace of a service, driven by moments that are given instead of a clock's."""

    def __init__(self, assumed: Assumed, *, watch: Watch, now: float = 0.0) -> None:
        self._assumed = assumed
        self._watch = watch
        confirmations = Confirmations(seconds=assumed.confirmed_seconds, most_names=assumed.confirmed_names)
        self._debouncer = Debouncer(assumed.times, may_send=lambda _: True, confirmations=confirmations)
        self._paces = {
            endpoint: Pace(calls_per_second=assumed.calls_per_second, most_in_flight=assumed.most_in_flight)
            for endpoint in Endpoint
        }
        self._pace_of_all = (
            None
            if assumed.calls_per_second_of_app is None
            else Pace(
                calls_per_second=assumed.calls_per_second_of_app,
                most_in_flight=assumed.most_in_flight * len(Endpoint),
            )
        )
        self._guard = Guard(most_per_minute=assumed.dead_letters_per_minute)
        self._ledgers: dict[PartitionKey, Ledger] = {}
        self._answers: deque[tuple[float, Request, Sequence[tuple[Pace, Call]]]] = deque()
        self._now = now
        self.most_waiting_users = 0
        """The most users who waited at once."""
        self.most_unsettled_records = 0
        """The most positions of one partition between the settled and the read one."""

    @property
    def waiting_users(self) -> int:
        """How many users have unsettled changes now."""
        return len(self._debouncer)

    @property
    def now(self) -> float:
        """The moment up to which all is planned (epoch seconds)."""
        return self._now

    def take(self, arrival: Arrival) -> None:
        """Let everything happen before the record came, then take it in. Records come in the order of `in_order`."""
        step = self._assumed.reading_seconds
        at = math.ceil(arrival.at / step) * step if step else arrival.at
        if at > self._now:  # else it was done for the record before, which came at the same time
            self.run_until(at)
        now, came = self._now, arrival.came
        self._watch.arrived(arrival)
        ledger = self._ledgers.get(arrival.partition)
        if ledger is None:
            ledger = self._ledgers[arrival.partition] = Ledger(*arrival.partition, arrival.position)
        if isinstance(came, Translated | TranslatedMany):
            self._guard.sound()
            for part in came.parts:
                self._debouncer.add(
                    part.user,
                    part.changes,
                    ledger=ledger,
                    position=arrival.position,
                    at=arrival.stamped,
                    now=now,
                    urgent=part.urgent,
                )
        elif isinstance(came, Unusable):
            self._bury(now)
        ledger.read_up_to(arrival.position + 1)
        unsettled = ledger.read_position - ledger.settled_position
        self.most_unsettled_records = max(self.most_unsettled_records, unsettled)
        self.most_waiting_users = max(self.most_waiting_users, len(self._debouncer))

    def run_until(self, moment: float) -> None:
        """Let everything happen that happens up to *moment* (epoch seconds)."""
        while (at := self._next_moment()) <= moment:
            self._now = max(self._now, at)
            self._turn(self._now)
        self._now = max(self._now, moment)

    def finish(self) -> None:
        """No more records come: let everything happen that is left."""
        while (at := self._next_moment()) < math.inf:
            self.run_until(at)

    def _bury(self, now: float) -> None:
        was_closed = self._guard.closed
        self._guard.may_bury(now)
        if self._guard.closed and not was_closed:
            self._watch.too_many_dead_letters(self._guard.reason or "", at=now)

    def _next_moment(self) -> float:
        moments = [math.inf]
        if self._answers:
            moments.append(self._answers[0][0])
        if (ready_at := self._debouncer.next_ready_at) is not None:
            moments.append(ready_at)
        for endpoint, pace in self._paces.items():
            if (at := self._may_start_at(endpoint, pace)) is not None:
                moments.append(at)
        return min(moments)

    def _turn(self, now: float) -> None:
        while self._answers and self._answers[0][0] <= now:
            self._confirm(*self._answers.popleft())
        self._debouncer.advance(now)
        for endpoint in self._in_turn():
            pace = self._paces[endpoint]
            while (at := self._may_start_at(endpoint, pace)) is not None and at <= now:
                if (skipped := self._debouncer.skip_repeats(endpoint, now)) is not None:
                    self._watch.repeats_skipped(skipped.changes)
                    self._settled(skipped.rounds, now)
                    break  # as in delivery: others may have come forward, and the next turn comes at once
                ready = self._debouncer.ready.waiting(endpoint)
                calls = [(each, each.start(now)) for each in (pace, self._pace_of_all) if each is not None]
                request = self._debouncer.cut(endpoint)
                self._watch.cut(request, at=now, ready=ready)
                self._answers.append((now + self._assumed.answer_seconds, request, calls))

    def _in_turn(self) -> Iterable[Endpoint]:
        """As in delivery: where all share one limit, whoever waits longest is next."""
        if self._pace_of_all is None:
            return self._paces
        since = {endpoint: self._debouncer.ready.worth_cutting_at(endpoint) for endpoint in self._paces}
        return sorted(self._paces, key=lambda endpoint: since[endpoint] or math.inf)

    def _may_start_at(self, endpoint: Endpoint, pace: Pace) -> float | None:
        """As in delivery: somebody is worth a request, and there is a permit."""
        worth = self._debouncer.ready.worth_cutting_at(endpoint)
        permit = pace.permit_at()
        if worth is None or permit is None:
            return None
        if self._pace_of_all is not None:
            of_all = self._pace_of_all.permit_at()
            return None if of_all is None else max(worth, permit, of_all)
        return max(worth, permit)

    def _confirm(self, at: float, request: Request, calls: Sequence[tuple[Pace, Call]]) -> None:
        for pace, call in calls:
            pace.ended(call, at)
            pace.confirmed(call)
        self._settled((self._debouncer.settle(user_id, at) for user_id in request.parts), at)
        self._debouncer.confirmed(request, request.parts, at)

    def _settled(self, rounds: Iterable[Round | None], at: float) -> None:
        for ended in rounds:
            if ended is not None and ended.marks:
                self._watch.settled(ended, at=at)


def in_order(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """The records as they came: by time, and never against the order of a partition, in which *arrivals* are.

    A record whose time stamp is earlier than one before it in its partition came with that one.
    """
    latest: dict[PartitionKey, float] = {}
    ordered: list[Arrival] = []
    for arrival in arrivals:
        at = latest[arrival.partition] = max(arrival.at, latest.get(arrival.partition, -math.inf))
        ordered.append(arrival if at == arrival.at else msgspec.structs.replace(arrival, at=at))
    ordered.sort(key=lambda arrival: arrival.at)  # stable: of one moment the order in which they were given
    return ordered


def calls_alone(changes: Sequence[Change]) -> int:
    """How many calls one event's changes take if nothing else travels with them."""
    if len(changes) == 1:
        return 1
    folded = Folded()
    for change in changes:
        folded.fold(change)
    calls = 0
    while (endpoint := folded.next_endpoint()) is not None:
        folded.take(endpoint)
        calls += 1
    return calls
