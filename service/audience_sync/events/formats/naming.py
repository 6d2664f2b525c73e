"""The type and the time of an event whose fields are known, as its source says where they stand."""

from collections.abc import Callable

from audience_sync.core.event import Cause, Event, Fields, Unusable
from audience_sync.core.rule import Source
from audience_sync.core.templates import Field
from audience_sync.events.formats.times import seconds_of

Name = Callable[[Fields, str | None], Event | Unusable]
"""Fields and the type that the format itself knows, if any, into the event. Never raises."""


def naming_of(source: Source) -> Name:
    """What names the events of *source*: by its type field, else its one type, else what the format knows."""
    type_field, one_type, time_field, time_format = (
        source.type_field,
        source.type,
        source.time_field if source.timed else None,
        source.time_format,
    )

    untyped = (
        "the schema names no type; add type or type_field to the source"
        if type_field is None
        else f"field {type_field} holds no text, and the type should stand there"
    )

    def name(fields: Fields, known: str | None) -> Event | Unusable:
        kind = (one_type or known) if type_field is None else found_text(type_field, fields)
        if not kind:
            return Unusable(Cause.NO_TYPE, untyped)
        if time_field is None:
            return Event(kind, fields)
        return Event(kind, fields, seconds_of(found(time_field, fields), time_format))

    return name


def found(field: Field, fields: Fields) -> object:
    """What stands at *field*, or None if nothing does."""
    value: object = fields
    for key in field.keys:
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value


def found_text(field: Field, fields: Fields) -> str | None:
    """The text at *field*, or None if something else or nothing stands there."""
    value = found(field, fields)
    return value if type(value) is str else None
