"""The log: topics of partitions with records, gaps, transactions, and a beginning that retention moves."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from aiokafka import TopicPartition

from audience_sync.formats import Headers

Words = Mapping[str, str | bool | None]
"""What a record says of its user: {name: an attribute's value, whether he carries a tag, or None for no value}."""


class Transaction:
    """Records that become visible together, or never. has_ended: None while it is open, then whether it committed."""

    __slots__ = ("committed", "touched")

    def __init__(self) -> None:
        self.committed: bool | None = None
        self.touched: dict[TopicPartition, int] = {}


class Record:
    """A record, as a consumer gets it, and what it means: which words of which user, or that it is unusable."""

    __slots__ = (
        "headers",
        "is_deleted",
        "key",
        "offset",
        "partition",
        "timestamp",
        "topic",
        "transaction",
        "unusable",
        "user",
        "value",
        "words",
    )

    def __init__(
        self, at: TopicPartition, *, offset: int, timestamp: int, key: bytes | None, value: bytes
    ) -> None:
        self.topic, self.partition = at.topic, at.partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers: Headers = ()
        self.user = ""
        self.words: Words = {}
        self.unusable = False
        self.is_deleted = False
        self.transaction: Transaction | None = None

    @property
    def took_place(self) -> bool:
        """Whether no producer has taken it back, or may still do so."""
        return self.transaction is None or self.transaction.committed is True


class Entry(msgspec.Struct, frozen=True):
    """What a producer writes: for whom, the bytes, and what they mean."""

    user: str
    key: bytes | None
    value: bytes
    timestamp: int
    words: Words = {}
    unusable: bool = False


class Partition:
    """One partition. `records` has None where an offset is a marker, or was compacted away."""

    def __init__(self, at: TopicPartition) -> None:
        self.at = at
        self.records: list[Record | None] = []
        self.begin = 0
        self._open: dict[Transaction, int] = {}

    @property
    def end(self) -> int:
        """The offset that the next record gets."""
        return len(self.records)

    @property
    def stable_end(self) -> int:
        """Below it, every transaction has ended."""
        return min(self._open.values(), default=self.end)

    def append(self, entry: Entry, transaction: Transaction | None = None) -> Record:
        """Write a record."""
        record = Record(self.at, offset=self.end, timestamp=entry.timestamp, key=entry.key, value=entry.value)
        record.user, record.words, record.unusable = entry.user, entry.words, entry.unusable
        if transaction is not None:
            record.transaction = transaction
            transaction.touched.setdefault(self.at, record.offset)
            self._open.setdefault(transaction, record.offset)
        self.records.append(record)
        return record

    def append_gap(self) -> None:
        """An offset that no consumer ever gets."""
        self.records.append(None)

    def ended(self, transaction: Transaction) -> None:
        """The transaction's marker is written."""
        self._open.pop(transaction, None)
        self.append_gap()

    def delete_below(self, offset: int) -> None:
        """Retention: the log begins there now."""
        self.begin = max(self.begin, min(offset, self.stable_end))


class Log:
    """All partitions of all topics. counts: how many each topic has.

    uncommitted: whether consumers should get what transactions may still take back.
    changed: is told when something new can be read of a partition.
    """

    def __init__(self, topics: tuple[str, ...], partitions: int, *, uncommitted: bool) -> None:
        self.topics: Final = topics
        self.counts: Final = dict.fromkeys(topics, partitions)
        self._uncommitted = uncommitted
        self.partitions: Final = {
            (at := TopicPartition(topic, number)): Partition(at)
            for topic in topics
            for number in range(partitions)
        }
        self.changed: Callable[[TopicPartition], None] = lambda _: None

    def grow(self, topic: str) -> None:
        """The topic gets one more partition."""
        at = TopicPartition(topic, self.counts[topic])
        self.partitions[at] = Partition(at)
        self.counts[topic] += 1

    def append(self, at: TopicPartition, entry: Entry, transaction: Transaction | None = None) -> Record:
        """Write a record."""
        record = self.partitions[at].append(entry, transaction)
        self.changed(at)
        return record

    def end(self, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction in every partition that it has touched."""
        transaction.committed = commit
        for at in transaction.touched:
            self.partitions[at].ended(transaction)
            self.changed(at)

    def visible_end(self, at: TopicPartition, *, uncommitted: bool | None = None) -> int:
        """Where a consumer's reading ends for now; by default that of one who reads as he should."""
        partition = self.partitions[at]
        return partition.end if _or(uncommitted, self._uncommitted) else partition.stable_end

    def is_visible(self, record: Record, *, uncommitted: bool | None = None) -> bool:
        """Whether a consumer gets the record, once its transaction has ended."""
        return _or(uncommitted, self._uncommitted) or record.took_place

    def read(
        self, at: TopicPartition, position: int, *, most: int, uncommitted: bool
    ) -> tuple[list[Record], int]:
        """Up to so many records from *position* on, and where reading goes on."""
        end, offset = self.visible_end(at, uncommitted=uncommitted), position
        found: list[Record] = []
        records = self.partitions[at].records
        while offset < end and len(found) < most:
            record = records[offset]
            offset += 1
            if record is not None and self.is_visible(record, uncommitted=uncommitted):
                found.append(record)
        if len(found) < most:
            offset = max(offset, position)
        return found, offset

    def visible(self, at: TopicPartition, start: int, stop: int) -> Iterator[Record]:
        """The records between two positions that a consumer gets."""
        for record in self.partitions[at].records[start:stop]:
            if record is not None and self.is_visible(record):
                yield record


def _or(given: bool | None, default: bool) -> bool:
    return default if given is None else given
