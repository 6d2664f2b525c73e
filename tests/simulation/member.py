"""A consumer that belongs to the group: as much of aiokafka's as the service uses, and how it behaves.

Written from aiokafka 0.14 (`GroupCoordinator`, `Fetcher`, `SubscriptionState`): what is awaited where, when the
listener is called, and what becomes of a generation that is not known any more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    GroupCoordinatorNotAvailableError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata

from tests.simulation.group import Group, Joined, by_range
from tests.simulation.link import Link
from tests.simulation.log import Log, Record

RETRY_SECONDS: Final = 0.1
"""aiokafka's `retry_backoff_ms`."""

NO_GENERATION: Final = -1


class PartitionState:
    """Where a partition is read from, and whether it is read at all."""

    __slots__ = ("paused", "read_to")

    def __init__(self) -> None:
        self.read_to: int | None = None
        self.paused = False

    @property
    def has_valid_position(self) -> bool:
        """Whether it is known where to read."""
        return self.read_to is not None

    @property
    def position(self) -> int:
        """What is read next."""
        assert self.read_to is not None
        return self.read_to


class Assignment:
    """The partitions of one generation."""

    def __init__(self, partitions: frozenset[TopicPartition]) -> None:
        self.tps = partitions
        self.states = {at: PartitionState() for at in sorted(partitions)}

    def state_value(self, at: TopicPartition) -> PartitionState | None:
        """What is known of a partition."""
        return self.states.get(at)


class Subscription:
    """aiokafka's two layers of state in one: what the service looks at below the consumer's face."""

    def __init__(self) -> None:
        self.assignment: Assignment | None = None
        self.fetcher_idle_time = 0.0

    @property
    def subscription(self) -> "Subscription":
        """The layer below."""
        return self


class Coordinator:
    """aiokafka's `GroupCoordinator`: joins, heartbeats, and commits in the name of the current generation."""

    def __init__(
        self,
        *,
        name: str,
        instance: str | None,
        link: Link,
        group: Group,
        log: Log,
        listener: ConsumerRebalanceListener,
        heartbeat_seconds: float,
        session_seconds: float,
        chance: Random,
    ) -> None:
        self._name = name
        self._instance = instance
        self._link = link
        self._group = group
        self._log = log
        self._listener = listener
        self._heartbeat_seconds = heartbeat_seconds
        self._session_seconds = session_seconds
        self._chance = chance
        self._joins = 0
        self._knows_its_broker = False
        self._rejoin = asyncio.Event()
        self._attention = asyncio.Event()
        self._closing = False
        self._prepared = False
        self._leads = False
        self._heartbeats: asyncio.Task[None] | None = None
        self.subscription = Subscription()
        self.is_reassigning = True
        self.first_assignment = asyncio.Event()
        self.assigned: Callable[[], None] = lambda: None
        self.listener_failed: Callable[[Exception], None] = lambda _: None
        self.member_id = ""
        self.generation = NO_GENERATION
        self._rejoin.set()

    async def run(self) -> None:
        """Be a member, until closed."""
        while True:
            await self._find_the_broker()
            if self._closing:
                return
            if self._rejoin.is_set():
                await self._join_again()
                continue
            self._attention.clear()
            await self._attention.wait()

    async def close(self, running: asyncio.Task[None]) -> None:
        """Leave the group. Static members do not: that is what makes them static."""
        self._closing = True
        self._attention.set()
        await asyncio.wait([running])
        await self._stop_heartbeats()
        if self.generation > 0 and self._instance is None:
            with suppress(KafkaError):
                await self._ask(lambda: self._group.leave(self.member_id))
        self._reset_generation()

    def topics_have_grown(self) -> None:
        """Metadata tells of more partitions. Only the group's leader watches them: he asks for a new generation."""
        if self._leads and not self._closing:
            self._ask_to_rejoin()

    async def fetch_committed_offsets(
        self, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        """The group's positions; asked for until the coordinator answers."""
        while partitions:
            await self._find_the_broker()
            try:
                found: dict[TopicPartition, OffsetAndMetadata] = await self._ask(
                    lambda: self._group.fetch(partitions)
                )
            except KafkaError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return found
        return {}

    async def _do_commit_offsets(
        self, assignment: None, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> None:
        """Commit once, as the member and of the generation that this is at the moment."""
        assert assignment is None
        if not offsets:
            return
        member, generation = self.member_id, self.generation
        try:
            await self._ask(lambda: self._group.commit(member, generation, offsets))
        except RebalanceInProgressError:
            self._ask_to_rejoin()
            raise
        except (UnknownMemberIdError, IllegalGenerationError):
            self._reset_generation()
            raise

    async def _ask(self, ask: Callable[[], Any]) -> Any:
        if not self._knows_its_broker:
            raise GroupCoordinatorNotAvailableError
        try:
            return await self._link.call(ask)
        except (RebalanceInProgressError, UnknownMemberIdError, IllegalGenerationError):
            raise
        except KafkaError:
            self._knows_its_broker = False
            self._attention.set()
            raise

    async def _find_the_broker(self) -> None:
        while not self._knows_its_broker and not self._closing:
            if self._link.is_up or self._link.closed:
                await asyncio.sleep(self._chance.uniform(0.001, 0.01))
                self._knows_its_broker = True
            else:
                await asyncio.sleep(RETRY_SECONDS * 3)

    def _ask_to_rejoin(self) -> None:
        self._rejoin.set()
        self._attention.set()

    def _reset_generation(self) -> None:
        self.generation, self.member_id = NO_GENERATION, ""
        self._ask_to_rejoin()

    async def _join_again(self) -> None:
        if not self._prepared:
            self.is_reassigning = True
            previous = self.subscription.assignment
            await self._undisturbed(
                self._listener.on_partitions_revoked(set(previous.tps) if previous else set())
            )
            self._prepared = True
        await self._stop_heartbeats()
        partitions = await self._joined()
        if partitions is None:
            await asyncio.sleep(RETRY_SECONDS)
            return
        self.subscription.assignment = Assignment(partitions)
        self.is_reassigning = False
        self.first_assignment.set()
        self.assigned()
        await self._undisturbed(self._listener.on_partitions_assigned(set(partitions)))
        self._prepared = False
        self._heartbeats = asyncio.create_task(self._beat())

    async def _joined(self) -> frozenset[TopicPartition] | None:
        """The partitions of a new generation; None if that came to nothing."""
        first = not self.member_id
        if first:
            self._joins += 1
            self.member_id = f"{self._name}.{self._joins}"
        name = self.member_id
        try:
            answer: Joined = await self._ask(lambda: self._group.join(name, self._instance, first=first))
        except (UnknownMemberIdError, RebalanceInProgressError):
            self._reset_generation()
            return None
        except KafkaError:
            return None
        self.generation = answer.generation
        self._leads = answer.members is not None
        self._rejoin.clear()
        shared = None
        if answer.members is not None:
            shared = by_range(self._log.counts, answer.members)
        try:
            found: frozenset[TopicPartition] = await self._ask(
                lambda: self._group.sync(name, answer.generation, shared)
            )
        except (UnknownMemberIdError, IllegalGenerationError):
            self._reset_generation()
            return None
        except KafkaError:
            self._ask_to_rejoin()
            return None
        return found

    async def _undisturbed(self, call: Awaitable[None]) -> None:
        """Await the listener as aiokafka does, which logs what it raises and goes on."""
        try:
            await call
        except Exception as error:  # whatever it is, the world is told
            self.listener_failed(error)

    async def _stop_heartbeats(self) -> None:
        beats, self._heartbeats = self._heartbeats, None
        if beats is not None:
            beats.cancel()
            await asyncio.wait([beats])

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        last_ok = loop.time()
        pause = self._heartbeat_seconds
        while self.member_id:
            await asyncio.sleep(pause)
            await self._find_the_broker()
            asked = loop.time()
            member, generation = self.member_id, self.generation
            try:
                await self._ask(lambda m=member, g=generation: self._group.heartbeat(m, g))  # type: ignore[misc]  # the defaults bind what changes
            except RebalanceInProgressError:
                self._ask_to_rejoin()
            except (UnknownMemberIdError, IllegalGenerationError):
                self._reset_generation()
                return
            except KafkaError:
                pause = RETRY_SECONDS
                if loop.time() - last_ok > self._session_seconds:
                    self._knows_its_broker = False
                    self._attention.set()
                continue
            last_ok = loop.time()
            pause = max(0.0, self._heartbeat_seconds - (last_ok - asked))


class Consumer:
    """As much of `AIOKafkaConsumer` as the service uses.

    corrupt_polls: so many of the next polls fail on a batch that can't be read, and lose what they had collected.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        *,
        link: Link,
        log: Log,
        uncommitted: bool,
        records_a_fetch: int,
        chance: Random,
    ) -> None:
        self._records_a_fetch = records_a_fetch
        self._left_of_the_fetch = records_a_fetch
        self._uncommitted = uncommitted
        self._coordinator = coordinator
        self._subscription = coordinator.subscription
        self._link = link
        self._log = log
        self._chance = chance
        self._news = asyncio.Event()
        self._closed = False
        self.corrupt_polls = 0
        coordinator.assigned = self._news.set

    def wake(self) -> None:
        """There may be something to read."""
        self._news.set()

    def close(self) -> None:
        """Hand nothing out any more."""
        self._closed = True
        self._news.set()

    async def getmany(self, *, max_records: int) -> dict[TopicPartition, list[Record]]:
        """Records to take in, as soon as there are any. aiokafka returns nothing after a while; here it is waited."""
        while not self._closed:
            self._news.clear()
            if not self._coordinator.is_reassigning and self._link.is_up:
                if self.corrupt_polls:
                    self._lose_a_poll(max_records)
                if self._left_of_the_fetch <= 0:
                    self._left_of_the_fetch = self._records_a_fetch
                    await asyncio.sleep(self._chance.uniform(0.005, 0.05))
                    continue
                if found := self._collected(min(max_records, self._left_of_the_fetch)):
                    self._left_of_the_fetch -= sum(map(len, found.values()))
                    return found
            await self._news.wait()
            await asyncio.sleep(
                self._chance.uniform(0.0, 0.05)
            )  # the fetch, or what is left of a poll's wait
        return {}

    def _lose_a_poll(self, most: int) -> None:
        if self._collected(most):
            self.corrupt_polls -= 1
            raise CorruptRecordException("Invalid CRC")

    def _collected(self, most: int) -> dict[TopicPartition, list[Record]]:
        assignment = self._subscription.assignment
        assert assignment is not None
        found: dict[TopicPartition, list[Record]] = {}
        partitions = list(assignment.states)
        self._chance.shuffle(partitions)
        for at in partitions:
            state = assignment.states[at]
            if state.paused or state.read_to is None or most <= 0:
                continue
            begin, end = self._log.partitions[at].begin, self._log.partitions[at].end
            if not begin <= state.read_to <= end:
                state.read_to = begin  # out of range: auto_offset_reset is "earliest"
            records, state.read_to = self._log.read(
                at, state.read_to, most=most, uncommitted=self._uncommitted
            )
            if records:
                found[at] = records
                most -= len(records)
        return found

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the partitions begin."""
        return await self._asked(lambda: {at: self._log.partitions[at].begin for at in partitions})

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Where they end, as the isolation level sees it."""
        return await self._asked(
            lambda: {at: self._log.visible_end(at, uncommitted=self._uncommitted) for at in partitions}
        )

    async def _asked(self, ask: Callable[[], dict[TopicPartition, int]]) -> dict[TopicPartition, int]:
        answer: dict[TopicPartition, int] = await self._link.call(ask)
        return answer

    def pause(self, *partitions: TopicPartition) -> None:
        """Hand out nothing of them."""
        for at in partitions:
            self._state(at).paused = True

    def resume(self, *partitions: TopicPartition) -> None:
        """Hand them out again."""
        for at in partitions:
            self._state(at).paused = False
        self._news.set()

    def seek(self, at: TopicPartition, position: int) -> None:
        """Read on from there."""
        self._state(at).read_to = position
        self._news.set()

    def highwater(self, at: TopicPartition) -> int | None:
        """The partition's end."""
        return self._log.partitions[at].end

    def _state(self, at: TopicPartition) -> PartitionState:
        assert self._subscription.assignment is not None
        state = self._subscription.assignment.state_value(at)
        if state is None:
            raise IllegalStateError(f"No current assignment for partition {at}")
        return state
