"""What a record tells besides its value: fields whose names begin with a dollar sign, and the missing value."""

from typing import Final

from audience_sync.core.event import Cause, Decoded, Event, Ignored, Unusable
from audience_sync.core.rule import OtherTypes, Source
from audience_sync.events.formats.json import decoded_object
from audience_sync.formats import Decoder, Headers, Record

KEY: Final = "$key"
HEADERS: Final = "$headers"
TOPIC: Final = "$topic"


def with_reserved(decode: Decoder, source: Source) -> Decoder:
    """*decode*, with the reserved fields that the source wants among the event's. They win over its own."""

    def decode_with_reserved(record: Record) -> Decoded:
        event = decode(record)
        if type(event) is not Event:
            return event
        fields = dict(event.fields)
        if KEY in source.wants and (key := key_of(record.key)) is not None:
            fields[KEY] = key
        if HEADERS in source.wants:
            fields[HEADERS] = texts_of(record.headers)
        if TOPIC in source.wants:
            fields[TOPIC] = source.topic
        return Event(event.type, fields, event.seconds)

    return decode_with_reserved


def with_tombstones(decode: Decoder, source: Source) -> Decoder:
    """*decode*, and for a record without a value what the source says."""
    without_value: Decoded
    if source.tombstone_type is not None:
        without_value = Event(source.tombstone_type, {})
    elif source.tombstones is OtherTypes.IGNORE:
        without_value = Ignored("the record has no value")
    else:
        without_value = Unusable(Cause.UNREADABLE, "the record has no value")

    def decode_or_tombstone(record: Record) -> Decoded:
        return without_value if record.value is None else decode(record)

    return decode_or_tombstone


def key_of(key: bytes | None) -> object:
    """The key's text; if it is a JSON object, that. None if there is none, or it is neither."""
    if key is None:
        return None
    if key[:1] == b"{":
        fields = decoded_object(key)
        if not isinstance(fields, Unusable):
            return fields
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None


def texts_of(headers: Headers) -> dict[str, object]:
    """The headers that hold UTF-8, by name. Of a name that stands twice the last one counts."""
    texts: dict[str, object] = {}
    for name, value in headers:
        if value is not None:
            try:
                texts[name] = value.decode()
            except UnicodeDecodeError:
                continue  # bytes are nothing that a template could take
    return texts
