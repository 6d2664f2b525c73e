"""Plain JSON: an object, with its type in a field or given by the topic.

Of a name that stands twice in one object the last value counts, as in most readers of JSON.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from audience_sync.core.event import Cause, Event, Fields, Unusable
from audience_sync.core.templates import Field
from audience_sync.formats import Record

_DECODER: Final = msgspec.json.Decoder(dict[str, object])
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def plain_json(
    *, type_field: Field | None, event_type: str | None, time_field: Field | None
) -> Callable[[Record], Event | Unusable]:
    """A decoder for one topic. The type stands in *type_field*; without one, every event is an *event_type*.

    The time is RFC 3339 text. One that is missing or not understood leaves the event without a time: it helps
    to order changes and is no reason to give one up.
    """

    def decode(record: Record) -> Event | Unusable:
        fields = decoded_object(record.value)
        if isinstance(fields, Unusable):
            return fields
        kind = event_type if type_field is None else found_text(type_field, fields)
        if not kind:
            return Unusable(
                Cause.NO_TYPE, f"field {type_field} holds no text, and the type should stand there"
            )
        seconds = None if time_field is None else epoch_seconds(found_text(time_field, fields))
        return Event(kind, fields, seconds)

    return decode


def decoded_object(value: bytes | None) -> Fields | Unusable:
    """The JSON object in *value*: UTF-8, nothing after it, and no text that UTF-8 could not carry on.

    Every call makes new dicts: they may be altered.
    """
    if not value:
        return Unusable(Cause.UNREADABLE, "the record has no value")
    try:
        return _DECODER.decode(value)
    except UnicodeDecodeError as error:
        return Unusable(Cause.UNREADABLE, f"the value is not UTF-8: {error.reason}")
    except msgspec.DecodeError as error:  # lone surrogates and numbers beyond any float end here too
        return Unusable(Cause.UNREADABLE, f"the value is no JSON object: {error}")
    except RecursionError:
        return Unusable(Cause.UNREADABLE, "the value is JSON that is nested too deeply to be read")


def found_text(field: Field, fields: Fields) -> str | None:
    """The text at *field*, or None if something else or nothing stands there."""
    value: object = fields
    for key in field.keys:
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value if type(value) is str else None


def epoch_seconds(text: object) -> float | None:
    """Seconds since 1970 UTC for RFC 3339 text with an offset (`2026-11-22T08:30:00Z`), else None."""
    if type(text) is not str:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment - _EPOCH).total_seconds()
