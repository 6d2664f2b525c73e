"""The group's coordinator: members, generations, time-outs, and the commits that it accepts.

Written from Kafka's own code (`ClassicGroup`, `GroupMetadataManager`), as far as it can matter to a consumer.
"""

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata

from tests.simulation.loop import WorldLoop

INITIAL_DELAY_SECONDS: Final = 0.5
"""`group.initial.rebalance.delay.ms`: an empty group waits so long for more members than the first."""


class Step(Enum):
    """Where the group stands."""

    EMPTY = auto()
    PREPARING = auto()
    """waits for its members to join again."""
    COMPLETING = auto()
    """waits for the leader to share out the partitions."""
    STABLE = auto()


class Joined(NamedTuple):
    """The answer to a join. members: {member: instance} if this one is the leader, else None."""

    member: str
    generation: int
    members: Mapping[str, str | None] | None


Assignments = Mapping[str, frozenset[TopicPartition]]


class _Member:
    """One member, as the coordinator knows it."""

    __slots__ = ("assignment", "expiry", "instance", "joining", "name", "syncing")

    def __init__(self, name: str, instance: str | None) -> None:
        self.name = name
        self.instance = instance
        self.assignment: frozenset[TopicPartition] = frozenset()
        self.joining: asyncio.Future[Joined] | None = None
        self.syncing: asyncio.Future[frozenset[TopicPartition]] | None = None
        self.expiry: asyncio.TimerHandle | None = None


class Group:
    """One group. Times in seconds.

    tell: writes a line into the timetable. committed: is told of each accepted commit, before its answer leaves.
    rebalanced: is told whenever members come, go or get other partitions.
    """

    def __init__(
        self, loop: WorldLoop, *, session_seconds: float, rebalance_seconds: float, tell: Callable[..., None]
    ) -> None:
        self._loop = loop
        self._session_seconds = session_seconds
        self._rebalance_seconds = rebalance_seconds
        self._tell = tell
        self._members: dict[str, _Member] = {}
        self._leader = ""
        self._deadline: asyncio.TimerHandle | None = None
        self.step = Step.EMPTY
        self.generation = 0
        self.offsets: dict[TopicPartition, OffsetAndMetadata] = {}
        self.is_up = True
        self.committed: Callable[[str, Mapping[TopicPartition, OffsetAndMetadata]], None] = lambda *_: None
        self.rebalanced: Callable[[], None] = lambda: None

    @property
    def members(self) -> list[str]:
        """Who belongs to the group, as far as the coordinator knows."""
        return list(self._members)

    def come_back(self) -> None:
        """The coordinator was away, or moved to another broker: sessions begin anew."""
        for member in self._members.values():
            self._lives(member)

    # what members ask

    def join(self, name: str, instance: str | None, *, first: bool) -> Any:
        """Join, or join again. Returns a future of `Joined`, or that itself."""
        if instance is not None and (old := self._with_instance(instance, other_than=name)) is not None:
            if self.step is Step.STABLE:
                return self._replace(old, name)
            self._forget(old)
        member = self._members.get(name)
        if member is None:
            if not first:
                raise UnknownMemberIdError
            member = self._members[name] = _Member(name, instance)
            self._tell("group", name, "joins")
        elif self.step is Step.COMPLETING or (self.step is Step.STABLE and name != self._leader):
            everyone = {known.name: known.instance for known in self._members.values()}
            return Joined(name, self.generation, everyone if name == self._leader else None)
        _fail(member.joining, RebalanceInProgressError())
        joining = member.joining = self._loop.create_future()
        if self.step is Step.PREPARING:
            self._lives(member)
            self._complete_if_all_have_joined()
        else:
            self._prepare()
            self._complete_if_all_have_joined()
        return joining

    def sync(self, name: str, generation: int, assignments: Assignments | None) -> Any:
        """Get one's partitions; the leader brings those of all. Returns a future of them, or themselves."""
        member = self._known(name, generation)
        if self.step is Step.PREPARING:
            raise RebalanceInProgressError
        if self.step is Step.STABLE:
            return member.assignment
        _fail(member.syncing, RebalanceInProgressError())
        member.syncing = syncing = self._loop.create_future()
        if assignments is not None and name == self._leader:
            self._share_out(assignments)
        return syncing

    def heartbeat(self, name: str, generation: int) -> None:
        """Say that one lives. Raises what is to be known."""
        member = self._known(name, generation)
        self._lives(member)
        if self.step is Step.PREPARING:
            raise RebalanceInProgressError

    def leave(self, name: str) -> None:
        """Belong to the group no more."""
        member = self._members.get(name)
        if member is not None:
            self._tell("group", name, "leaves")
            self._remove(member)

    def commit(self, name: str, generation: int, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Keep positions. Raises what is wrong with who commits.

        Without a generation it is taken for an administrator's, which passes as long as nobody is in the group.
        """
        if not (generation < 0 and self.step is Step.EMPTY):
            self._known(name, generation)
            if self.step is Step.COMPLETING:
                raise RebalanceInProgressError
        if name in self._members:
            self._lives(self._members[name])
        self.offsets.update(offsets)
        self.committed(name, offsets)

    def fetch(self, partitions: list[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """The positions that were kept."""
        return {at: self.offsets[at] for at in partitions if at in self.offsets}

    # what becomes of it

    def _known(self, name: str, generation: int) -> _Member:
        member = self._members.get(name)
        if member is None:
            raise UnknownMemberIdError
        if generation != self.generation:
            raise IllegalGenerationError
        return member

    def _with_instance(self, instance: str, *, other_than: str) -> _Member | None:
        for member in self._members.values():
            if member.instance == instance and member.name != other_than:
                return member
        return None

    def _replace(self, old: _Member, name: str) -> Joined:
        """A static member is there again: it takes its partitions over, and nobody else notices."""
        self._tell("group", name, "takes over from", old.name)
        new = _Member(name, old.instance)
        new.assignment = old.assignment
        self._forget(old)
        self._members[name] = new
        if self._leader == old.name:
            self._leader = name
        self._lives(new)
        self.rebalanced()
        return Joined(name, self.generation, None)

    def _lives(self, member: _Member) -> None:
        if member.expiry is not None:
            member.expiry.cancel()
        member.expiry = self._loop.later(self._session_seconds, self._expire, member)

    def _expire(self, member: _Member) -> None:
        if (
            member.joining is not None or not self.is_up
        ):  # who waits for an answer is not asked for heartbeats
            self._lives(member)
            return
        self._tell("group", member.name, "is evicted: no heartbeat")
        self._remove(member)

    def _forget(self, member: _Member) -> None:
        self._members.pop(member.name, None)
        if member.expiry is not None:
            member.expiry.cancel()
        _fail(member.joining, UnknownMemberIdError())
        _fail(member.syncing, UnknownMemberIdError())

    def _remove(self, member: _Member) -> None:
        self._forget(member)
        if self.step in (Step.STABLE, Step.COMPLETING):
            self._prepare()
        self._complete_if_all_have_joined()

    def _prepare(self) -> None:
        first = self.step is Step.EMPTY
        self.step = Step.PREPARING
        self.rebalanced()
        for member in self._members.values():
            _fail(member.syncing, RebalanceInProgressError())
            member.syncing = None
        if self._deadline is not None:
            self._deadline.cancel()
        seconds = INITIAL_DELAY_SECONDS if first else self._rebalance_seconds
        self._deadline = self._loop.later(seconds, self._complete)
        self._is_initial = first

    def _complete_if_all_have_joined(self) -> None:
        if self.step is not Step.PREPARING or self._is_initial:
            return
        if all(member.joining is not None for member in self._members.values()):
            self._complete()

    def _complete(self) -> None:
        """Everyone has joined, or had the time: a new generation begins."""
        if self._deadline is not None:
            self._deadline.cancel()
        for member in list(self._members.values()):
            if member.joining is None and member.instance is None:
                self._tell("group", member.name, "is evicted: it has not joined again in time")
                self._forget(member)
        self.generation += 1
        self.rebalanced()
        joined = [member for member in self._members.values() if member.joining is not None]
        if not joined:
            self.step = Step.EMPTY if not self._members else Step.PREPARING
            if self._members:  # static ones that are away
                self._deadline = self._loop.later(self._rebalance_seconds, self._complete)
            return
        self.step = Step.COMPLETING
        self._leader = joined[0].name
        self._tell("group", "generation", self.generation, "of", ", ".join(self._members))
        everyone = {member.name: member.instance for member in self._members.values()}
        for member in joined:
            joining, member.joining = member.joining, None
            assert joining is not None
            self._lives(member)
            if not joining.done():
                leads = member.name == self._leader
                joining.set_result(Joined(member.name, self.generation, everyone if leads else None))

    def _share_out(self, assignments: Assignments) -> None:
        self.step = Step.STABLE
        self.rebalanced()
        for member in self._members.values():
            member.assignment = assignments.get(member.name, frozenset())
            syncing, member.syncing = member.syncing, None
            if syncing is not None and not syncing.done():
                syncing.set_result(member.assignment)


def by_range(counts: Mapping[str, int], members: Mapping[str, str | None]) -> Assignments:
    """Partitions shared out as by aiokafka's range assignor: equal numbers of topics of equal size to one member."""
    names = sorted(members)
    shared: dict[str, frozenset[TopicPartition]] = dict.fromkeys(names, frozenset())
    for topic, partitions in counts.items():
        per_member, extra = divmod(partitions, len(names))
        for index, name in enumerate(names):
            start = per_member * index + min(index, extra)
            count = per_member + (1 if index < extra else 0)
            shared[name] |= {TopicPartition(topic, number) for number in range(start, start + count)}
    return shared


def _fail(future: asyncio.Future[Any] | None, error: Exception) -> None:
    if future is not None and not future.done():
        future.set_exception(error)
        future.exception()  # nobody has to look at it
