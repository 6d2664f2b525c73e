"""Records that somebody has kept: lines of a file, as tools print them or as a person writes them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from audience_sync.core.ownership import PartitionKey
from audience_sync.formats import Headers


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A record outside of Kafka. *timestamp*: milliseconds since 1970; None: nobody has noted it."""

    partition: PartitionKey
    position: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class LineError(ValueError):
    """A line that holds no record; the message names its number, and the way out."""


class _Line(msgspec.Struct):
    """A record as JSON, by our names and by those of `kcat -J`."""

    topic: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    payload: str | msgspec.UnsetType | None = msgspec.UNSET
    key: str | None = None
    timestamp: int | None = None
    ts: int | None = None
    partition: int = 0
    offset: int | None = None
    headers: dict[str, str | None] | list[str | None] = {}


_DECODER: Final = msgspec.json.Decoder(_Line)
_STAMPS: Final = ("CreateTime:", "LogAppendTime:")
_WAY_OUT: Final = (
    'give each line its topic, as in {"topic": "orders", "value": {...}}, '
    "or name the one topic of bare events: --topic"
)


def recorded(lines: Iterable[bytes], *, topic: str | None) -> Iterator[Recorded]:
    """The records on *lines*; empty lines are left out. Raises LineError.

    topic: every line is an event of it. None: every line is an object that names its topic.
    """
    for number, line in enumerate(lines, start=1):
        if not (line := line.strip()):
            continue
        yield _of_object(line, number) if topic is None else _of_topic(line, number, topic)


def _of_object(line: bytes, number: int) -> Recorded:
    """`{"topic", "value", "key", "timestamp", "headers"}`, or what `kcat -J` prints."""
    try:
        read = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineError(f"line {number}: {error}; {_WAY_OUT}") from error
    if read.value is msgspec.UNSET and read.payload is msgspec.UNSET:
        raise LineError(f"line {number}: neither `value` nor `payload` is there; {_WAY_OUT}")
    stamp = read.ts if read.timestamp is None else read.timestamp
    return Recorded(
        partition=PartitionKey(read.topic, read.partition),
        position=number - 1 if read.offset is None else read.offset,
        timestamp=None if stamp is None or stamp < 0 else stamp,
        key=None if read.key is None else read.key.encode(),
        value=_value(read),
        headers=_headers(read.headers),
    )


def _value(line: _Line) -> bytes | None:
    """The record's bytes: those of a text, or of any other JSON as it stands there; null: none."""
    if isinstance(line.value, msgspec.Raw):
        raw = bytes(line.value)
        value: Any = msgspec.json.decode(raw) if raw.startswith((b'"', b"null")) else raw
        return value.encode() if isinstance(value, str) else value
    return line.payload.encode() if isinstance(line.payload, str) else None


def _headers(given: dict[str, str | None] | list[str | None]) -> Headers:
    """As a map, or as kcat has them: names and values in turn."""
    pairs = given.items() if isinstance(given, dict) else zip(given[::2], given[1::2], strict=False)
    return tuple((name or "", None if text is None else text.encode()) for name, text in pairs)


def _of_topic(line: bytes, number: int, topic: str) -> Recorded:
    """A bare event; before it, between tabs, may stand what kafka-console-consumer prints of the record."""
    *before, value = line.split(b"\t") if not line.startswith((b"{", b"[", b'"')) else [line]
    stamp, partition, position = None, 0, number - 1
    key: bytes | None = None
    for part in before:
        text = part.decode(errors="replace")
        name, _, digits = text.partition(":")
        if text.startswith(_STAMPS) and digits.isdecimal():
            stamp = int(digits)
        elif name == "Partition" and digits.isdecimal():
            partition = int(digits)
        elif name == "Offset" and digits.isdecimal():
            position = int(digits)
        elif text not in ("NO_TIMESTAMP", "NO_HEADERS"):
            key = None if text == "null" else part
    return Recorded(
        partition=PartitionKey(topic, partition), position=position, timestamp=stamp, key=key, value=value
    )
