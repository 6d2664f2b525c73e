"""Plain JSON: an object, with its type in a field or given by the topic.

Of a name that stands twice in one object the last value counts, as in most readers of JSON.
"""

from typing import Final

import msgspec

from audience_sync.core.event import Cause, Event, Fields, Unusable
from audience_sync.core.rule import Source
from audience_sync.events.formats.naming import naming_of
from audience_sync.formats import Decoder, FormatError, Record

_ANY: Final = msgspec.json.Decoder()
_decode_object = msgspec.json.Decoder(dict[str, object]).decode


def plain_json(source: Source) -> Decoder:
    """A decoder for one topic. The type stands in a field, or every event is of the one type that is given.

    Raises FormatError for a source that says neither.
    """
    if source.type_field is None and source.type is None:
        raise FormatError(f"topic {source.topic!r}, format json: it needs type_field or type; add one")
    name = naming_of(source)

    def decode(record: Record) -> Event | Unusable:
        fields = decoded_object(record.value)
        return fields if isinstance(fields, Unusable) else name(fields, None)

    return decode


def decoded_object(value: bytes | None) -> Fields | Unusable:
    """The JSON object in *value*: UTF-8, nothing after it, and no text that UTF-8 could not carry on.

    Every call makes new dicts: they may be altered.
    """
    if not value:
        return Unusable(Cause.UNREADABLE, "the record has no value")
    try:
        return _decode_object(value)
    except (ValueError, RecursionError) as error:
        return _unreadable(error, "JSON object")


def decoded_json(value: bytes) -> object:
    """Whatever JSON *value* holds, or why it holds none."""
    try:
        decoded: object = _ANY.decode(value)
    except (ValueError, RecursionError) as error:
        return _unreadable(error, "JSON")
    return decoded


def _unreadable(error: Exception, wanted: str) -> Unusable:
    match error:
        case UnicodeDecodeError(reason=reason):
            return Unusable(Cause.UNREADABLE, f"the value is not UTF-8: {reason}")
        case RecursionError():
            return Unusable(Cause.UNREADABLE, "the value is JSON that is nested too deeply to be read")
        case _:  # lone surrogates and numbers beyond any float end here too
            return Unusable(Cause.UNREADABLE, f"the value is no {wanted}: {error}")
