"""Change events of Debezium: what happened to a row of a table, with the row before and after.

JSON with Kafka Connect's schema around it or without, or Confluent's wire format. The type is the operation as
a word (`create`, `update`, `delete`, `read`, `truncate`, `message`), unless the source says where else it stands.
Events that the transformation ExtractNewRecordState has flattened are read too, if it was told to add
`op` or to rewrite deletes.
"""

from collections.abc import Callable, Mapping
from typing import Final

from audience_sync.core.event import Cause, Decoded, Event, Fields, Ignored, Unusable, Wanting
from audience_sync.core.rule import Source, TimeFormat
from audience_sync.events.formats.json import decoded_object
from audience_sync.events.formats.naming import naming_of
from audience_sync.events.formats.times import seconds_of
from audience_sync.formats import Decoder, Record

OPERATIONS: Final[Mapping[str, str]] = {
    "c": "create",
    "u": "update",
    "d": "delete",
    "r": "read",
    "t": "truncate",
    "m": "message",
}
"""Debezium's letters; `r` is a row that a snapshot has read."""

UPSERT: Final = "upsert"
"""A flattened row that is there, where nothing tells whether it is new."""

_UNAVAILABLE: Final = "__debezium_unavailable_value"
"""What stands for a column that PostgreSQL did not tell since it was not changed."""

_TOMBSTONE: Final = Ignored("a tombstone follows each delete of Debezium's, and says nothing new")

_NOT_ONE: Final = Unusable(
    Cause.UNREADABLE,
    "the value is no change event of Debezium: it has neither source and op, nor __op or __deleted. Where events are "
    "flattened, let the transformation add op (add.fields=op), or read the topic as format json with a type",
)

Open = Callable[[bytes], Fields | Unusable | Wanting]
"""A value or key into its fields. Never raises."""


def debezium(source: Source, open_value: Open = decoded_object) -> Decoder:
    """A decoder for one topic; *open_value* reads the value, whichever converter has written it."""
    name = naming_of(source)

    def decode(record: Record) -> Decoded:
        if record.value is None:
            return _TOMBSTONE
        opened = open_value(record.value)
        if isinstance(opened, Unusable | Wanting):
            return opened
        fields = without_schema(opened)
        if fields is None:
            return _TOMBSTONE
        kind = _kind(fields) if isinstance(fields, dict) else _NOT_ONE
        if isinstance(kind, Unusable):
            return kind
        assert isinstance(fields, dict)
        _tidy(fields)
        event = name(fields, kind)
        if isinstance(event, Unusable) or source.time_field is not None or not source.timed:
            return event
        return Event(event.type, event.fields, _changed_at(fields))

    return decode


def without_schema(fields: Fields) -> object:
    """What Connect's JSON converter has put next to its schema, or *fields* if it was told to leave that out."""
    return fields["payload"] if fields.keys() == {"schema", "payload"} else fields


def _kind(fields: dict[str, object]) -> str | Unusable:
    """The operation as a word, of an event with its envelope or of a flattened one."""
    letter = fields.get("op") if type(fields.get("source")) is dict else fields.get("__op")
    if type(letter) is str:
        known = ", ".join(OPERATIONS)
        return OPERATIONS.get(letter) or Unusable(
            Cause.NO_TYPE, f"op is {letter[:20]!r}, and none of {known}"
        )
    match fields.get("__deleted"):
        case "true" | True:
            return "delete"
        case "false" | False:
            return UPSERT
    return _NOT_ONE


def _tidy(fields: dict[str, object]) -> None:
    """Open documents that are told as text, and take out what stands for a value that is not known."""
    for place in ("before", "after"):
        row = fields.get(place)
        if type(row) is str:  # MongoDB's connector writes each document so
            document = decoded_object(row.encode())
            if not isinstance(document, Unusable):
                fields[place] = row = document
        if isinstance(row, dict) and _UNAVAILABLE in row.values():
            fields[place] = {column: value for column, value in row.items() if value != _UNAVAILABLE}


def _changed_at(fields: Fields) -> float | None:
    """When the database changed the row; else, when Debezium had it."""
    source = fields.get("source")
    of_source = source.get("ts_ms") if isinstance(source, dict) else fields.get("__source_ts_ms")
    for moment in (of_source, fields.get("ts_ms"), fields.get("__ts_ms")):
        if type(moment) is int and moment > 0:
            return seconds_of(moment, TimeFormat.EPOCH_MILLISECONDS)
    return None
