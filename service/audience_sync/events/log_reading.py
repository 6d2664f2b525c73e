"""Parts of the log, read from one position to another outside of any group. Nothing is committed."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from audience_sync.core.ownership import PartitionKey
from audience_sync.events.header_names import read_any_header_name
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdminError, ask
from audience_sync.events.protection import Protection
from audience_sync.events.security_parameters import aiokafka_parameters

MOST_RECORDS: Final = 2000
"""Records at a time, however long the log is."""

POLL_MILLISECONDS: Final = 200

SILENT_SECONDS: Final = 30.0
"""A log that is not at its end, and of which nothing comes for so long, can't be read."""


class Span(NamedTuple):
    """Records from a position up to another, which is not among them."""

    start: int
    end: int

    @property
    def records(self) -> int:
        """How many there may be; a log can have gaps."""
        return max(0, self.end - self.start)


class LogReader:
    """Reads records of topics that are there; a context manager. Raises KafkaAdminError where Kafka fails."""

    def __init__(
        self, address: KafkaAddress, *, isolation_level: Literal["read_committed", "read_uncommitted"]
    ) -> None:
        read_any_header_name()
        self._address = address
        self._consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=[each.strip() for each in address.bootstrap.split(",")],
            client_id="audience-sync",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # what retention deletes while it is read is passed over
            isolation_level=isolation_level,
            **aiokafka_parameters(Protection(address.security)),
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except KafkaError as error:
            await self._consumer.stop()
            raise self._failed(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def partitions(self, topic: str) -> list[PartitionKey]:
        """The partitions of a topic; none if it is not there."""
        found = await asyncio.to_thread(ask, self._address, lambda kafka: kafka.partitions([topic]))
        return [PartitionKey(topic, number) for number in range(found.get(topic, 0))]

    async def whole(self, partitions: Collection[PartitionKey]) -> dict[PartitionKey, Span]:
        """From the first record to the last, as they stand now."""
        kafka = [TopicPartition(*key) for key in partitions]
        if not kafka:
            return {}
        try:
            starts = await self._consumer.beginning_offsets(kafka)
            ends = await self._consumer.end_offsets(kafka)  # as the isolation level sees them
        except KafkaError as error:
            raise self._failed(error) from error
        return {PartitionKey(*each): Span(starts[each], ends[each]) for each in kafka}

    async def positions_at(self, seconds: Mapping[PartitionKey, float]) -> dict[PartitionKey, int | None]:
        """The first position of a record that is not older, or None if all are."""
        kafka = {TopicPartition(*key): max(0, int(at * 1000)) for key, at in seconds.items()}
        if not kafka:
            return {}
        try:
            found = await self._consumer.offsets_for_times(kafka)
        except KafkaError as error:
            raise self._failed(error) from error
        return {PartitionKey(*each): None if at is None else at.offset for each, at in found.items()}

    async def read(self, spans: Mapping[PartitionKey, Span]) -> AsyncIterator[Sequence[Any]]:
        """The records of *spans*, some at a time; in each partition in order."""
        unread = {TopicPartition(*key): span for key, span in spans.items() if span.records}
        if not unread:
            return
        try:
            self._consumer.assign(list(unread))
            for partition, span in unread.items():
                self._consumer.seek(partition, span.start)
            clock = asyncio.get_running_loop().time
            heard_at = clock()
            while unread:
                batches = await self._consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=MOST_RECORDS)
                if batches:
                    heard_at = clock()
                elif clock() > heard_at + SILENT_SECONDS:
                    raise KafkaAdminError(
                        f"Kafka at {self._address.bootstrap} sends no records for {SILENT_SECONDS:g} s; look at it"
                    )
                for partition, records in batches.items():
                    if partition in unread:
                        end = unread[partition].end
                        yield [record for record in records if record.offset < end]
                for partition in list(unread):
                    if await self._consumer.position(partition) >= unread[partition].end:
                        self._consumer.pause(partition)
                        del unread[partition]
        except KafkaError as error:
            raise self._failed(error) from error

    def _failed(self, error: KafkaError) -> KafkaAdminError:
        return KafkaAdminError(f"Kafka at {self._address.bootstrap}: {type(error).__name__}: {error}")
