"""Events that are not keyed by the user, copied to a topic that is: one copy for each user concerned.

Each source partition has a transactional producer of its own. What a batch causes, and how far it was read, become
visible together; so a crash leaves neither a second copy nor a gap. The producer begins before the position is
looked up: its beginning ends what a former owner has left open, and fences him if he still lives.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from audience_sync.core.event import Unusable
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.copies import Copies, CopyMaker
from audience_sync.events.gaps import Gaps
from audience_sync.events.stream import LARGEST_DEAD_LETTER_BYTES, StreamOptions

GROUP_SUFFIX: Final = "-rekeying"
"""What the name of the consumer group that re-keys has after the service's own."""

POLL_MILLISECONDS: Final = 200

TRANSACTION_SECONDS: Final = 30.0
"""Longest time for one batch. Ours: above the time of a broker's failover, below the broker's limit of 15 minutes."""

RETRY_SECONDS: Final = 1.0
"""After a failure, and before a record is looked at again that could not be taken."""

_FAILURES: Final = (KafkaError, OSError, AssertionError)  # aiokafka asserts on the states of a transaction
"""What may come of talking to the broker; a time-out is an OSError."""


class Watch(Protocol):
    """What an operator gets to see of it."""

    def rekeyed(self, topic: str, *, events: int, copies: int) -> None:
        """So many events of *topic* were copied for so many users."""

    def rekeying_failed(self, error: str) -> None:
        """Something has to be done again, and is."""

    def ignored(self, topic: str, events: int) -> None:
        """So many events cause nothing, as the rules say."""

    def unusable(self, topic: str, event: Unusable) -> None:
        """A record goes to the dead letters."""

    def buried(self, letter_id: str, cause: str, info: str) -> None:
        """The broker has a dead letter."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention has deleted records before they were read."""


class Targets(msgspec.Struct, frozen=True):
    """The topics that are written to."""

    rekeyed: str
    dead_letters: str


class _Partition:
    """A source partition that is ours: its producer has begun. Moments are epoch seconds."""

    def __init__(self, producer: Any, position: int) -> None:
        self.producer = producer
        self.position = position
        self.not_before = 0.0


class Rekeying(ConsumerRebalanceListener):  # type: ignore[misc]  # the base class has no types
    """Copies the events of *topics* to the topic that is keyed by the user, for the partitions of this replica.

    parameters: what aiokafka's clients are told of the connection's security.
    stopped: whether to begin nothing more. paused: whether a person forbids to read on in a topic.
    """

    def __init__(
        self,
        options: StreamOptions,
        *,
        topics: Sequence[str],
        targets: Targets,
        parameters: dict[str, Any],
        copies: CopyMaker,
        stopped: Callable[[], bool],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        watch: Watch,
        paused: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._options = options
        self._group = options.group_id + GROUP_SUFFIX
        self._topics = topics
        self._targets = targets
        self._client: dict[str, Any] = parameters | {
            "bootstrap_servers": [each.strip() for each in options.bootstrap_servers.split(",")],
            "client_id": options.client_id,
        }
        self._copies = copies
        self._stopped = stopped
        self._paused = paused
        self._clock = clock
        self._sleep = sleep
        self._watch = watch
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._gaps = Gaps()
        self._idle = asyncio.Event()
        self._idle.set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def working(self) -> bool:
        """Whether there is a consumer, so that something may be under way."""
        return self._consumer is not None

    def unread(self) -> int:
        """How many records of our partitions were not copied yet."""
        if self._consumer is None:
            return 0
        ends = {each: self._consumer.highwater(each) or 0 for each in self._partitions}
        return sum(max(0, ends[each] - state.position) for each, state in self._partitions.items())

    async def run(self) -> None:
        """Copy until *stopped*, then leave the group and wait to be cancelled. A failure begins all again."""
        while not self._stopped():
            try:
                async with self._consuming() as consumer:
                    while not self._stopped():
                        await self._turn(consumer)
            except _FAILURES as error:
                self._watch.rekeying_failed(_worded(error))
                await self._sleep(RETRY_SECONDS)
        await asyncio.Event().wait()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing is read of them before their producers have begun."""
        self._assigned = frozenset(assigned)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - eager: it is all
        """End what is under way; whoever comes next goes on behind it."""
        self._assigned = frozenset()
        self._gaps.forget()
        await self._idle.wait()
        for partition in list(self._partitions):
            await self._leave(partition)

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        """Take up partitions that are new, and copy what one poll brings."""
        await asyncio.gather(
            *(self._begin(consumer, each) for each in self._assigned - self._partitions.keys())
        )
        for each in self._partitions:  # polls go on meanwhile: who does not poll is put out of the group
            (consumer.pause if self._paused(each.topic) else consumer.resume)(each)
        now = self._clock()
        ours = [each for each, state in self._partitions.items() if state.not_before <= now]
        if not ours:
            await self._sleep(POLL_MILLISECONDS / 1000)
            return
        polled = await consumer.getmany(
            *ours, timeout_ms=POLL_MILLISECONDS, max_records=self._options.max_batch_records
        )
        begun = (
            self._assigned & self._partitions.keys()
        )  # a rebalance meanwhile ends all, and some are ours again
        work = {each: records for each, records in polled.items() if each in begun and records}
        self._idle.clear()  # in the turn of the event loop in which the poll returned: no revocation lies between
        try:
            await asyncio.gather(*(self._copy(consumer, each, records) for each, records in work.items()))
        finally:
            self._idle.set()
        await self._look_for_losses(consumer)

    async def _begin(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
        """Fence a former owner, and read on behind what he has made visible. A failure is tried again next turn."""
        producer = AIOKafkaProducer(
            **self._client,
            transactional_id=f"{self._group}-{partition.topic}-{partition.partition}",
            transaction_timeout_ms=int(TRANSACTION_SECONDS * 1000),
            compression_type="zstd",
            max_request_size=LARGEST_DEAD_LETTER_BYTES,
        )
        try:
            async with asyncio.timeout(TRANSACTION_SECONDS):
                await producer.start()
                committed = await consumer.committed(partition)
                beginning = (await consumer.beginning_offsets([partition]))[partition]
            if partition in self._assigned:
                position = beginning if committed is None else committed
                self._gaps.passed(_key(partition), position, max(position, beginning))
                consumer.seek(partition, max(position, beginning))
                self._partitions[partition] = _Partition(producer, max(position, beginning))
        except _FAILURES as error:
            self._watch.rekeying_failed(f"{partition.topic}/{partition.partition}: {_worded(error)}")
            await self._sleep(RETRY_SECONDS)
        finally:
            if partition not in self._partitions:
                await self._stop(producer)

    async def _copy(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: Sequence[Any]
    ) -> None:
        """Copy what *records* cause, in one transaction with the position."""
        state, key = self._partitions[partition], _key(partition)
        self._gaps.passed(key, state.position, records[0].offset)
        made = self._copies.of(key, records)
        if made.position > records[0].offset:
            try:
                async with asyncio.timeout(TRANSACTION_SECONDS):
                    await self._write(state.producer, partition, made)
            except _FAILURES as error:
                self._watch.rekeying_failed(f"{partition.topic}/{partition.partition}: {_worded(error)}")
                await self._leave(partition)  # and begin again, from the position that is visible then
                return
            self._tell(partition.topic, made)
        state.position = made.position
        if made.position <= records[-1].offset:
            consumer.seek(partition, made.position)
            state.not_before = self._clock() + RETRY_SECONDS

    async def _write(self, producer: AIOKafkaProducer, partition: TopicPartition, made: Copies) -> None:
        await producer.begin_transaction()
        rekeyed, dead_letters = self._targets.rekeyed, self._targets.dead_letters
        sent = [
            await producer.send(
                rekeyed, copy.value, key=copy.key, timestamp_ms=copy.timestamp, headers=copy.headers
            )
            for copy in made.copies
        ]
        sent += [
            await producer.send(dead_letters, msgspec.json.encode(letter), key=key)
            for _, key, letter in made.letters
        ]
        await asyncio.gather(*sent)
        await producer.send_offsets_to_transaction({partition: made.position}, self._group)
        await producer.commit_transaction()

    def _tell(self, topic: str, made: Copies) -> None:
        if made.events:
            self._watch.rekeyed(topic, events=made.events, copies=len(made.copies))
        if made.ignored:
            self._watch.ignored(topic, made.ignored)
        for event, _, letter in made.letters:
            self._watch.unusable(topic, event)
            self._watch.buried(letter.id, letter.cause, letter.info)

    async def _look_for_losses(self, consumer: AIOKafkaConsumer) -> None:
        """Whether retention has deleted what was not read, or a gap is one of the harmless ones."""
        if partitions := [TopicPartition(key.topic, key.number) for key in self._gaps.partitions]:
            found = await consumer.beginning_offsets(partitions)
            lost = self._gaps.lost({_key(each): beginning for each, beginning in found.items()})
            for key, (first, beginning) in lost.items():
                self._watch.records_lost(key, committed=first, beginning=beginning)

    @asynccontextmanager
    async def _consuming(self) -> AsyncIterator[AIOKafkaConsumer]:
        options = self._options
        consumer = AIOKafkaConsumer(
            **self._client,
            group_id=self._group,
            group_instance_id=options.instance_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=options.isolation_level,
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=int(options.session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(options.heartbeat_seconds * 1000),
            rebalance_timeout_ms=int(options.rebalance_timeout_seconds * 1000),
        )
        consumer.subscribe(list(self._topics), listener=self)
        self._consumer = consumer
        try:
            await consumer.start()
            yield consumer
        finally:
            self._assigned = frozenset()
            for partition in list(self._partitions):
                await self._leave(partition)
            with suppress(*_FAILURES):
                await consumer.stop()
            for task in self._leaving:
                task.cancel()
            self._consumer = None

    async def _leave(self, partition: TopicPartition) -> None:
        """Copy nothing more of it. Safe to repeat: a failed copy, a revocation and the end may meet here."""
        if (state := self._partitions.pop(partition, None)) is not None:
            await self._stop(state.producer)

    async def _stop(self, producer: AIOKafkaProducer) -> None:
        """Disconnect, whatever state the producer is in. What it has left open, the next one of its name ends.

        With records that no broker takes it would wait for ever; then it goes on doing so by itself until one does.
        """
        task = asyncio.ensure_future(producer.stop())
        self._leaving.add(task)
        task.add_done_callback(self._left)
        await asyncio.wait([task], timeout=RETRY_SECONDS)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._watch.rekeying_failed(_worded(error))


def _key(partition: TopicPartition) -> PartitionKey:
    return PartitionKey(partition.topic, partition.partition)


def _worded(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
