"""Owners of one partition after another, at times two at once: crashes, freezes, lost answers, late application.

A small model of everything around `core`: a log, an API that may apply a request after its caller has given
up on it, a broker that refuses the commits of who owns nothing any more. Chance comes from one seed.
"""

import random
from collections.abc import Callable
from typing import Final

import msgspec

from audience_sync.core.changes import Endpoint, Request, SetAttribute, UserId
from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.hold import Start, start_from
from audience_sync.core.ownership import Bounds, Ownership
from audience_sync.core.tenure import Tenure
from tests.support.tenures import KEY

BOUNDS: Final = Bounds(lease_seconds=3.0, request_timeout_seconds=3.5, max_unsettled_records=12)
SERVER_SECONDS: Final = 3.0
TIMES: Final = DebounceTimes(quiet_seconds=0.5, longest_wait_seconds=2.0, fill_seconds=0.0)
USERS: Final = [UserId(name) for name in ("alice", "bob", "carol", "dave", "erin")]

Begin = Callable[[Start, float], Ownership]


class WentBackError(AssertionError):
    """The API was given an older value than it had."""


class LostError(AssertionError):
    """A change never reached the API."""


def begin(start: Start, now: float) -> Ownership:
    """An ownership as the service makes it."""
    return Ownership(epoch=1, starts={KEY: start}, topics=[KEY.topic], bounds=BOUNDS, now=now)


class UnderWay(msgspec.Struct):
    """A request that has no answer yet."""

    request: Request
    until: float
    """When its caller gives up on it."""


class Owner:
    """One replica's tenure, and what it has sent."""

    def __init__(self, ownership: Ownership) -> None:
        self.tenure = Tenure(ownership, TIMES)
        self.under_way: list[UnderWay] = []
        self.frozen_until = 0.0


class World:
    """The log, the API and the group; the current owner last."""

    def __init__(self, seed: int, begin: Begin) -> None:
        self.chance = random.Random(seed)
        self.begin = begin
        self.now = 1000.0
        self.log: list[tuple[UserId, int]] = []
        self.api = dict.fromkeys(USERS, 0)
        self.late: list[tuple[float, Request]] = []
        self.committed: tuple[int, str] | None = None
        self.owner = self._next_owner()
        self.former: list[Owner] = []

    def turn(self, *, faults: bool, events: bool) -> None:
        """Something happens, and a little time passes."""
        self.now += self.chance.choice([0.05, 0.3, 1.0])
        self._time_out()
        self._apply_what_is_late()
        actions: list[Callable[[], None]] = [self._read, self._read, self._commit, self._send, self._answer]
        if events:
            actions += [self._produce, self._produce]
        if faults:
            actions += [self._let_an_answer_get_lost]
            if self.chance.random() < 0.06:
                actions = [self._crash, self._freeze_and_replace, self._rebalance]
        self.chance.choice(actions)()
        for owner in self.former:
            self._send_for(owner)  # who does not know yet that he owns nothing goes on for as long as he may

    def _next_owner(self) -> Owner:
        start = start_from(
            committed=self.committed, beginning=0, end=len(self.log), bound=BOUNDS.max_unsettled_records
        )
        return Owner(self.begin(start, self.now))

    def _produce(self) -> None:
        self.log.append((self.chance.choice(USERS), len(self.log) + 1))

    def _read(self) -> None:
        ownership, debouncer = self.owner.tenure.ownership, self.owner.tenure.debouncer
        ledger = ownership.partitions[KEY].ledger
        below = min(ownership.readable_below(KEY, full=self.chance.random() < 0.3), len(self.log))
        for position in range(ledger.read_position, below):
            user, version = self.log[position]
            change = SetAttribute("version", str(version))
            debouncer.add(user, [change], ledger=ledger, position=position, at=self.now, now=self.now)
            ledger.read_up_to(position + 1)

    def _commit(self) -> None:
        ownership = self.owner.tenure.ownership
        commit = ownership.commit(self.now)
        if self.chance.random() < 0.85:
            self.committed = self._entry(commit.entries[KEY])
            if (
                self.chance.random() < 0.9
            ):  # else the answer is lost: the broker has it, and the owner does not know
                ownership.accepted(commit, sent_at=self.now)
                self.owner.tenure.debouncer.release(self.now)

    def _entry(self, entry: tuple[int, msgspec.Struct]) -> tuple[int, str]:
        position, note = entry
        return position, msgspec.json.encode(note).decode()

    def _send(self) -> None:
        self._send_for(self.owner)

    def _send_for(self, owner: Owner) -> None:
        if self.now < owner.frozen_until or not owner.tenure.ownership.lease_valid(self.now):
            return
        owner.tenure.debouncer.advance(self.now)
        request = owner.tenure.debouncer.cut(Endpoint.SET_ATTRIBUTES)
        if request.parts:
            owner.under_way.append(UnderWay(request, self.now + BOUNDS.request_timeout_seconds))

    def _answer(self) -> None:
        owner = self.owner
        if owner.under_way:
            ended = owner.under_way.pop(self.chance.randrange(len(owner.under_way)))
            self._apply(ended.request)
            for user in ended.request.parts:
                owner.tenure.debouncer.settle(user, self.now)

    def _let_an_answer_get_lost(self) -> None:
        owner = self.owner
        if owner.under_way:
            ended = owner.under_way.pop(self.chance.randrange(len(owner.under_way)))
            self._applied_sometime(ended.request, self.now)
            self._end_without_an_answer(owner, ended.request)

    def _end_without_an_answer(self, owner: Owner, request: Request) -> None:
        owner.tenure.ownership.ambiguous(self.now)
        for user in request.parts:
            owner.tenure.debouncer.came_back(request, user, not_before=self.now + SERVER_SECONDS)

    def _applied_sometime(self, request: Request, given_up_at: float) -> None:
        """At once, never, or later: while its caller waits, and as long as the server takes after that."""
        match self.chance.randrange(3):
            case 0:
                self._apply(request)
            case 1:
                self.late.append(
                    (self.chance.uniform(self.now, given_up_at + SERVER_SECONDS - 0.01), request)
                )

    def _time_out(self) -> None:
        for owner in (*self.former, self.owner):
            for ended in [request for request in owner.under_way if request.until <= self.now]:
                owner.under_way.remove(ended)
                self._applied_sometime(ended.request, ended.until)
                self._end_without_an_answer(owner, ended.request)

    def _apply_what_is_late(self) -> None:
        due = sorted(late for late in self.late if late[0] <= self.now)
        self.late = [late for late in self.late if late[0] > self.now]
        for _, request in due:
            self._apply(request)

    def _apply(self, request: Request) -> None:
        for user, part in request.parts.items():
            assert isinstance(part, dict)
            version = int(part["version"])
            if version < self.api[user]:
                raise WentBackError(f"{user}: {self.api[user]} became {version}")
            self.api[user] = version

    def _crash(self) -> None:
        """Killed: what was under way may still be applied."""
        self._abandon(self.owner)
        self.owner = self._next_owner()

    def _freeze_and_replace(self) -> None:
        """Cut off from Kafka and not from the API: he goes on for as long as his lease holds."""
        self.owner.frozen_until = self.now + self.chance.choice([0.0, 2.0, 6.0, 12.0])
        self.former.append(self.owner)
        self.owner = self._next_owner()

    def _rebalance(self) -> None:
        """In order: what is under way ends, what is settled is committed, the next owner reads on."""
        owner, ownership = self.owner, self.owner.tenure.ownership
        ownership.closing = True
        for ended in owner.under_way:
            if self.chance.random() < 0.7:
                self._apply(ended.request)
                for user in ended.request.parts:
                    owner.tenure.debouncer.settle(user, self.now)
            else:
                self._applied_sometime(ended.request, self.now)
                self._end_without_an_answer(owner, ended.request)
        commit = ownership.commit(self.now, last=True)
        if self.chance.random() < 0.8:
            self.committed = self._entry(commit.entries[KEY])
        self.owner = self._next_owner()

    def _abandon(self, owner: Owner) -> None:
        for ended in owner.under_way:
            self._applied_sometime(ended.request, ended.until)
        owner.under_way.clear()

    def end_well(self) -> None:
        """No more faults: everything reaches the API. Bounded; raises LostError if something never does."""
        for _ in range(3000):
            self.turn(faults=False, events=False)
            if not self.late and self.settled == len(self.log):
                break
        last = dict(self.log)
        if any(self.api[user] != version for user, version in last.items()) or self.settled != len(self.log):
            raise LostError(f"{self.api} of {last}, settled {self.settled} of {len(self.log)}")

    @property
    def settled(self) -> int:
        """What the present owner would commit."""
        return self.owner.tenure.ownership.partitions[KEY].ledger.settled_position


def live(seed: int, begin: Begin = begin, *, turns: int = 120) -> None:
    """A history of so many turns. Raises WentBackError or LostError where a promise is broken."""
    world = World(seed, begin)
    for turn in range(turns):
        world.turn(faults=True, events=turn < turns / 2)
    world.end_well()
