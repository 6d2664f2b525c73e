"""Records on lines, as people and tools write them."""

import pytest

from audience_sync.core.ownership import PartitionKey
from audience_sync.events.recorded import LineError, Recorded, recorded

EVENT = b'{"kind": "city-changed"}'


def one(line: bytes, topic: str | None = None) -> Recorded:
    """The record on a line."""
    [record] = recorded([line], topic=topic)
    return record


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"topic": "t", "value": {"kind": "city-changed"}}', EVENT),
        (b'{"topic": "t", "value": "{\\"kind\\": \\"city-changed\\"}"}', EVENT),
        (b'{"topic": "t", "value": "no JSON"}', b"no JSON"),
        (b'{"topic": "t", "value": null}', None),
        (b'{"topic": "t", "payload": "no JSON"}', b"no JSON"),
        (b'{"topic": "t", "payload": null}', None),
    ],
    ids=["an object", "a text with JSON", "a text", "no value", "kcat's text", "kcat's no value"],
)
def test_a_value_is_the_bytes_that_stood_in_kafka(line: bytes, value: bytes | None) -> None:
    """An object as it is written, a text without its quotes."""
    assert one(line).value == value


def test_what_kcat_prints_is_read_whole() -> None:
    """`kcat -J`, as it stands in its manual."""
    line = (
        b'{"topic":"orders","partition":3,"offset":42,"tstype":"create","ts":1795305600123,"broker":1,'
        b'"headers":["ce_type","paid","trace",null],"key":"alice","payload":"{}"}'
    )
    assert one(line) == Recorded(
        partition=PartitionKey("orders", 3),
        position=42,
        timestamp=1795305600123,
        key=b"alice",
        value=b"{}",
        headers=(("ce_type", b"paid"), ("trace", None)),
    )


@pytest.mark.parametrize(
    ("line", "timestamp", "partition", "position", "key"),
    [
        (EVENT, None, 0, 0, None),
        (b"CreateTime:1795305600123\t" + EVENT, 1795305600123, 0, 0, None),
        (b"LogAppendTime:5\tPartition:2\tOffset:7\tNO_HEADERS\talice\t" + EVENT, 5, 2, 7, b"alice"),
        (b"NO_TIMESTAMP\tnull\t" + EVENT, None, 0, 0, None),
    ],
    ids=["bare", "with its time", "with everything", "with nothing"],
)
def test_bare_events_and_what_the_console_consumer_prints(
    line: bytes, timestamp: int | None, partition: int, position: int, key: bytes | None
) -> None:
    """The topic is said once for all lines."""
    record = one(line, "orders")
    assert (record.value, record.timestamp) == (EVENT, timestamp)
    assert (record.partition, record.position, record.key) == (
        PartitionKey("orders", partition),
        position,
        key,
    )


def test_empty_lines_are_no_records() -> None:
    """And positions are those of the lines."""
    assert [record.position for record in recorded([b"\n", EVENT + b"\n", b"  \n", EVENT], topic="t")] == [
        1,
        3,
    ]


@pytest.mark.parametrize(
    "line",
    [b"no JSON", b'{"value": {}}', b'{"topic": "t"}', b'{"topic": 1, "value": {}}', b"\xff", b"[" * 100_000],
    ids=["text", "no topic", "no value", "a topic that is no text", "no UTF-8", "too deep"],
)
def test_a_line_that_holds_no_record_is_named(line: bytes) -> None:
    """With its number, and both ways to write it."""
    with pytest.raises(LineError, match=r"line 2: .*topic.*--topic"):
        list(recorded([b"", line], topic=None))
