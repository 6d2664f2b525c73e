"""What a poll hands out of a record."""

from collections.abc import Iterator

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from audience_sync.events.read_records import ReadRecord, hand_out_only_what_is_used


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Other tests get the library's own records."""
    original = PartitionRecords._consumer_record
    yield
    PartitionRecords._consumer_record = original


def test_a_record_has_what_is_used_of_it() -> None:
    """A new version of the library that makes records elsewhere shows here, and not in the CPU time of a year."""
    hand_out_only_what_is_used()
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1_000_000)
    builder.append(0, 7, b"alice", b"one", [("a", b"x"), ("b", None)])
    builder.append(1, 8, None, None, [])
    fetched = MemoryRecords(bytes(builder.build()))

    read = PartitionRecords(TopicPartition("events", 3), fetched, [], 0, None, None, True, 0)

    assert list(read) == [
        ReadRecord("events", 3, 0, 7, b"alice", b"one", (("a", b"x"), ("b", None))),
        ReadRecord("events", 3, 1, 8, None, None, ()),
    ]
