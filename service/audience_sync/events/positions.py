"""Where partitions are read from, and commits: single attempts, with our note beside the position.

The one module that reaches below aiokafka's public face. Its `committed()` returns no metadata, and its
`commit()` repeats by itself with whatever generation is then current: a commit that straddles a rebalance
would go out for partitions that are no longer ours. `tests/integration/test_positions.py` fails when a new
version changes what is used here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from audience_sync.core.hold import Start, start_from
from audience_sync.core.ownership import Ownership, PartitionKey
from audience_sync.core.tenure import Tenure


class Watch(Protocol):
    """What an operator gets to see of positions."""

    def committed(self) -> None:
        """The broker has accepted a commit."""

    def not_committed(self, error: str) -> None:
        """The broker has not accepted a commit, or not said so in time."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention has deleted records before they were read."""

    def made_anew(self, key: PartitionKey, *, committed: int, end: int) -> None:
        """The partition ends below what was committed: it is read from its beginning."""


class Positions:
    """Finds where to start and commits what is settled, for one consumer."""

    def __init__(
        self,
        *,
        kafka: Callable[[], AIOKafkaConsumer],
        timeout_seconds: float,
        clock: Callable[[], float],
        watch: Watch,
    ) -> None:
        self._kafka = kafka
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._watch = watch
        self._one_at_a_time = asyncio.Lock()
        self._guarded: AIOKafkaConsumer | None = None
        self._ends: dict[PartitionKey, int] = {}
        self._joined: tuple[Ownership, object] | None = None

    async def starts(self, keys: Collection[PartitionKey], *, bound: int) -> dict[PartitionKey, Start]:
        """Where each partition is read from, and what its last owner left. Raises KafkaError."""
        partitions = [TopicPartition(*key) for key in keys]
        committed: dict[Any, Any] = await self._coordinator.fetch_committed_offsets(partitions)
        beginnings = await self._kafka().beginning_offsets(partitions)
        ends = await self._kafka().end_offsets(partitions)  # as the isolation level sees them
        starts = {}
        for key, partition in zip(keys, partitions, strict=True):
            found = committed.get(partition)
            at = None if found is None else (found.offset, found.metadata)
            if at is not None and at[0] < beginnings[partition]:
                self._watch.records_lost(key, committed=at[0], beginning=beginnings[partition])
            if at is not None and at[0] > ends[partition]:
                self._watch.made_anew(key, committed=at[0], end=ends[partition])
            starts[key] = start_from(
                committed=at, beginning=beginnings[partition], end=ends[partition], bound=bound
            )
        return starts

    def joined(self, ownership: Ownership) -> None:
        """*ownership* begins: its commits are made as the member that we are now, or not at all."""
        self._joined = (ownership, self._membership)

    async def commit(self, tenure: Tenure, *, last: bool = False) -> bool:
        """Commit once what is settled, in the name of *tenure*. Returns whether the broker accepted it.

        A member who was put out of the group commits nothing more. aiokafka would send its commit without a
        generation, and a broker accepts that while the group is empty: over what another owner has committed.

        Whether a commit is the current one is decided with no await before its request is made.
        """
        async with self._one_at_a_time:  # the next one must see what this one has opened
            if tenure.ownership.closing and not last:
                return False
            if self._joined != (tenure.ownership, self._membership):
                self._watch.not_committed("this replica is no longer the member whose partitions these were")
                return False
            now = self._clock()
            commit = tenure.ownership.commit(now, last=last)
            offsets = {
                TopicPartition(*key): OffsetAndMetadata(position, note.text())
                for key, (position, note) in commit.entries.items()
            }
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    await self._coordinator._do_commit_offsets(None, offsets)
            except (KafkaError, TimeoutError) as error:
                self._watch.not_committed(str(error) or type(error).__name__)
                return False
            self._watch.committed()
            tenure.ownership.accepted(commit, sent_at=now)
            return True

    def read_position(self, key: PartitionKey) -> int | None:
        """The consumer's own position: past markers and other records that are never handed out."""
        assignment = self._kafka()._subscription.subscription.assignment
        partition = TopicPartition(*key)
        if assignment is None or partition not in assignment.tps:
            return None
        state = assignment.state_value(partition)
        return int(state.position) if state.has_valid_position else None

    async def beginnings(self, keys: Collection[PartitionKey]) -> dict[PartitionKey, int]:
        """Where partitions begin; of none, if the broker does not say in time."""
        return await self._asked(self._kafka().beginning_offsets, keys)

    async def look_for_ends(self, keys: Collection[PartitionKey]) -> None:
        """Ask where partitions end: a paused one is not fetched, so no fetch tells."""
        self._ends |= await self._asked(self._kafka().end_offsets, keys)

    def unread(self, key: PartitionKey, read_position: int) -> int:
        """Records from *read_position* on, as far as the broker's last answers tell; 0 if unknown."""
        fetched = self._kafka().highwater(TopicPartition(*key)) or 0
        return max(0, fetched - read_position, self._ends.get(key, 0) - read_position)

    async def _asked(
        self,
        ask: Callable[[list[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]],
        keys: Collection[PartitionKey],
    ) -> dict[PartitionKey, int]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await ask([TopicPartition(*key) for key in keys])
        except (KafkaError, TimeoutError):
            return {}
        return {key: found[TopicPartition(*key)] for key in keys}

    def pause(self, keys: Collection[PartitionKey]) -> None:
        """Fetch nothing more of these partitions; polling goes on, and so does the membership."""
        self._kafka().pause(*(TopicPartition(*key) for key in keys))

    def resume(self, keys: Collection[PartitionKey]) -> None:
        """Fetch of these partitions again."""
        self._kafka().resume(*(TopicPartition(*key) for key in keys))

    def seek(self, key: PartitionKey, position: int) -> None:
        """Read on from *position*; what was fetched and not handed out is dropped."""
        self._kafka().seek(TopicPartition(*key), position)

    def guard_polls(self, failed: Callable[[], None]) -> None:
        """Call *failed* when a poll raises, before anything else can happen.

        A poll collects records of several partitions. When it fails on a later one (a batch that can't be
        decompressed, a wrong checksum), the earlier ones' records are dropped and their positions have moved on.
        """
        kafka = self._kafka()
        poll = kafka.getmany

        async def guarded(*arguments: Any, **options: Any) -> Any:
            try:
                return await poll(*arguments, **options)
            except Exception:
                failed()
                raise

        if kafka is not self._guarded:
            kafka.getmany = guarded
            self._guarded = kafka

    @property
    def polled_seconds_ago(self) -> float:
        """Seconds since the last poll ended; 0 while one is under way."""
        return float(self._kafka()._subscription.fetcher_idle_time)

    @property
    def _membership(self) -> object:
        coordinator = self._coordinator
        return coordinator.generation, coordinator.member_id

    @property
    def _coordinator(self) -> Any:
        return self._kafka()._coordinator
