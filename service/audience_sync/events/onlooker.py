"""Reading a topic without taking part: no group, no commits, nothing that the service could notice."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from audience_sync.core.ownership import PartitionKey
from audience_sync.events.header_names import read_any_header_name
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdminError, ask
from audience_sync.events.protection import Protection
from audience_sync.events.recorded import Recorded
from audience_sync.events.security_parameters import aiokafka_parameters
from audience_sync.events.topics import missing, missing_message

POLL_SECONDS: Final = 0.2
"""How long a poll waits for records."""

STALLED_SECONDS: Final = 30.0
"""After so long without a record that must be there, reading has failed. Ours: an election of a leader is shorter."""

LATEST_MILLISECONDS: Final = 2**42
"""A time stamp after all others that mean something: the year 2109."""

Positions = Mapping[PartitionKey, int]


class Onlooker:
    """A consumer of chosen partitions that belongs to no group. Made by `onlooker`."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: Sequence[PartitionKey], where: str) -> None:
        self._consumer = consumer
        self._where = where
        self._next: dict[PartitionKey, int] = {}
        self.partitions = partitions

    @property
    def unread(self) -> int:
        """Records that the last fetches have seen behind what was read."""
        ends = ((key, self._consumer.highwater(TopicPartition(*key))) for key in self._next)
        return sum(max(0, end - self._next[key]) for key, end in ends if end is not None)

    async def ends(self) -> Positions:
        """Where each partition ends now, as the isolation level sees it."""
        return self._keyed(await self._consumer.end_offsets(self._all))

    async def beginnings(self) -> Positions:
        """Where each partition begins now."""
        return self._keyed(await self._consumer.beginning_offsets(self._all))

    async def starts_of_last(self, most: int, *, ends: Positions) -> Positions:
        """Where to begin so that *most* positions lie before *ends*, over all partitions, by their time stamps.

        It may be some more, never fewer while there are as many: records of one moment are not torn apart.
        """
        starts = await self.beginnings()
        early, late = 0, LATEST_MILLISECONDS
        while late - early > 1 and _between(starts, ends) > most:
            middle = (early + late) // 2
            since = await self._since(middle, ends)
            if _between(since, ends) >= most:
                early, starts = middle, {key: max(starts[key], since[key]) for key in starts}
            else:
                late = middle
        return starts

    async def read(self, starts: Positions, ends: Positions) -> list[Recorded]:
        """The records from *starts* up to *ends*."""
        self._seek(starts)
        self._consumer.resume(*self._all)
        unread = {key for key in starts if starts[key] < ends[key]}
        self._consumer.pause(*(TopicPartition(*key) for key in starts.keys() - unread))
        records: list[Recorded] = []
        loop = asyncio.get_running_loop()
        moved_at = loop.time()
        while unread:
            batch = await self.poll()
            records += [each for each in batch if each.position < ends[each.partition]]
            reached = [
                key for key in unread if await self._consumer.position(TopicPartition(*key)) >= ends[key]
            ]
            unread.difference_update(reached)
            self._consumer.pause(*(TopicPartition(*key) for key in reached))
            if batch or reached:
                moved_at = loop.time()
            elif loop.time() > moved_at + STALLED_SECONDS:
                raise KafkaAdminError(
                    f"{self._where}: no records for {STALLED_SECONDS:g} s, and {len(unread)} partitions have more; "
                    "see whether each of them has a leader"
                )
        return records

    def follow(self, starts: Positions) -> None:
        """Let `poll` read on from *starts*, without an end."""
        self._seek(starts)

    async def poll(self) -> list[Recorded]:
        """The records that came meanwhile, in the order of each partition; none after a short while."""
        try:
            batches = await self._consumer.getmany(timeout_ms=math.ceil(POLL_SECONDS * 1000))
        except KafkaError as error:
            raise KafkaAdminError(f"{self._where}: {type(error).__name__}: {error}") from error
        self._next |= {
            PartitionKey(each.topic, each.partition): batch[-1].offset + 1 for each, batch in batches.items()
        }
        return [
            Recorded(
                partition=PartitionKey(record.topic, record.partition),
                position=record.offset,
                timestamp=record.timestamp if record.timestamp > 0 else None,
                key=record.key,
                value=record.value,
                headers=record.headers,
            )
            for batch in batches.values()
            for record in batch
        ]

    @property
    def _all(self) -> list[TopicPartition]:
        return [TopicPartition(*key) for key in self.partitions]

    def _seek(self, starts: Positions) -> None:
        for key, position in starts.items():
            self._consumer.seek(TopicPartition(*key), position)
            self._next[key] = position

    async def _since(self, milliseconds: int, ends: Positions) -> Positions:
        """The first position of each partition whose record is as late or later; its end if none is."""
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._all, milliseconds))
        return {
            key: ends[key] if (at := found.get(TopicPartition(*key))) is None else min(at.offset, ends[key])
            for key in self.partitions
        }

    @staticmethod
    def _keyed(found: Mapping[TopicPartition, int]) -> Positions:
        return {PartitionKey(each.topic, each.partition): position for each, position in found.items()}


def _between(starts: Positions, ends: Positions) -> int:
    return sum(ends[key] - starts[key] for key in starts)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What an onlooker reads, and how."""

    address: KafkaAddress
    topics: Sequence[str]
    isolation_level: Literal["read_committed", "read_uncommitted"]
    client_id: str


@asynccontextmanager
async def onlooker(reading: Reading) -> AsyncIterator[Onlooker]:
    """A connected one, for all partitions of the topics. Raises KafkaAdminError; also for a topic that is missing."""
    address = reading.address
    where = f"Kafka at {address.bootstrap}"
    counts = await asyncio.to_thread(ask, address, lambda kafka: kafka.partitions(reading.topics))
    if lacking := missing(reading.topics, counts):
        raise KafkaAdminError(missing_message(lacking, address.bootstrap))
    partitions = [PartitionKey(topic, number) for topic in reading.topics for number in range(counts[topic])]
    read_any_header_name()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=[each.strip() for each in address.bootstrap.split(",")],
        client_id=reading.client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=reading.isolation_level,
        max_poll_records=10_000,
        **aiokafka_parameters(await asyncio.to_thread(Protection, address.security)),
    )
    try:
        await consumer.start()
        consumer.assign([TopicPartition(*key) for key in partitions])
        yield Onlooker(consumer, partitions, where)
    except KafkaError as error:
        raise KafkaAdminError(f"{where}: {type(error).__name__}: {error}") from error
    finally:
        await consumer.stop()
