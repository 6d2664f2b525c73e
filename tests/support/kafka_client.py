"""As much of aiokafka's consumer as positions ask for, without a broker: one group, one member."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import OffsetAndMetadata

from audience_sync.formats import Headers


class Record(NamedTuple):
    """What is used of a consumer's record."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = None
    timestamp: int = 0
    headers: Headers = ()


class KafkaClient:
    """Ends and commits are what a test sets; what is paused, sought and committed is what it looks at."""

    def __init__(self, ends: Mapping[TopicPartition, int]) -> None:
        self.ends = dict(ends)
        self.paused: set[TopicPartition] = set()
        self.sought: dict[TopicPartition, int] = {}
        self.commits: list[dict[TopicPartition, OffsetAndMetadata]] = []
        self.found: dict[TopicPartition, OffsetAndMetadata] = {}
        self.broker_is_there = True
        self.answer_seconds = 0.0
        self.consumer_positions: dict[TopicPartition, int] = {}
        self._coordinator = SimpleNamespace(
            fetch_committed_offsets=self._fetch_committed,
            _do_commit_offsets=self._commit,
            generation=1,
            member_id="member",
        )
        assignment = SimpleNamespace(tps=self.ends.keys(), state_value=self._state)
        self._subscription = SimpleNamespace(
            subscription=SimpleNamespace(assignment=assignment), fetcher_idle_time=1.5
        )

    def _state(self, partition: TopicPartition) -> SimpleNamespace:
        position = self.consumer_positions.get(partition)
        return SimpleNamespace(has_valid_position=position is not None, position=position)

    async def _fetch_committed(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Any]:
        await asyncio.sleep(self.answer_seconds)
        if not self.broker_is_there:
            raise GroupCoordinatorNotAvailableError
        return {partition: self.found[partition] for partition in partitions if partition in self.found}

    async def _commit(self, assignment: None, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        assert assignment is None
        if not self.broker_is_there:
            raise GroupCoordinatorNotAvailableError
        self.commits.append(offsets)
        self.found.update(offsets)

    async def getmany(self, **_: object) -> dict[TopicPartition, Any]:
        """A poll that finds nothing."""
        return {}

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Nothing was ever deleted."""
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """As the test says."""
        return {partition: self.ends[partition] for partition in partitions}

    def pause(self, *partitions: TopicPartition) -> None:
        """Fetch nothing of them."""
        self.paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        """Fetch of them again."""
        self.paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, position: int) -> None:
        """Read on from there."""
        self.sought[partition] = position

    def highwater(self, partition: TopicPartition) -> int:
        """The end, as the last fetch told."""
        return int(self.ends[partition])
