"""A header's name that is no UTF-8 costs nobody a record."""

import gzip
import struct

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from audience_sync.events.header_names import Batches, read_any_header_name

NAME = b"\xff\xfe\xfd\xfc"
LENGTH_AT, CRC_AT, CHECKED_FROM, RECORDS_FROM = 8, 17, 21, 61
"""Where these stand in a batch; what is checked begins with the attributes, whose lowest bits are the codec."""


def batch(name: bytes, *, first: int = 0) -> bytes:
    """Three records as a broker keeps them; the second has a header of that name, four bytes long."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1_000_000)
    builder.append(0, 7, b"alice", b"one", [("a", b"\xff"), ("b", None)])
    builder.append(1, 8, None, b"two", [("zzzz", b"v"), ("c", b"w")])
    builder.append(2, 9, b"bob", None, [])
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, first)
    at = data.find(b"zzzz")
    data[at : at + 4] = name
    struct.pack_into(">I", data, CRC_AT, calc_crc32c(memoryview(data)[CHECKED_FROM:]))
    return bytes(data)


def read(data: bytes) -> list[tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]]:
    """All records of all batches in *data*, as the consumer gets them."""
    batches, records = Batches(data), []
    while batches.has_next():
        next_batch = batches.next_batch()
        assert next_batch.validate_crc()
        records += [
            (each.offset, each.timestamp, each.key, each.value, list(each.headers)) for each in next_batch
        ]
    return records


def test_all_records_of_the_batch_are_read_and_only_the_name_is_altered() -> None:
    """Keys, values and other headers are exact; the batch after it is read as well."""
    one = (7, b"alice", b"one", [("a", b"\xff"), ("b", None)])
    three: tuple[int, bytes, None, list[tuple[str, bytes | None]]] = (9, b"bob", None, [])

    assert read(batch(NAME) + batch(b"good", first=3)) == [
        (0, *one),
        (1, 8, None, b"two", [("\ufffd" * 4, b"v"), ("c", b"w")]),
        (2, *three),
        (3, *one),
        (4, 8, None, b"two", [("good", b"v"), ("c", b"w")]),
        (5, *three),
    ]


def test_compressed_batches_are_read_too() -> None:
    """Most are compressed; the name is found behind it."""
    plain = batch(NAME)
    data = bytearray(plain[:RECORDS_FROM] + gzip.compress(plain[RECORDS_FROM:]))
    struct.pack_into(">i", data, LENGTH_AT, len(data) - LENGTH_AT - 4)
    struct.pack_into(">h", data, CHECKED_FROM, 1)
    struct.pack_into(">I", data, CRC_AT, calc_crc32c(memoryview(data)[CHECKED_FROM:]))

    assert read(bytes(data)) == read(plain)


def test_without_it_the_reader_fails() -> None:
    """The reason for all this: once a new version reads such names, it can go."""
    records = MemoryRecords(batch(NAME))

    with pytest.raises(UnicodeDecodeError):
        list(records.next_batch() or ())


def test_consumers_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that aiokafka's fetcher looks up."""
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    read_any_header_name()
    assert fetcher.MemoryRecords is Batches
