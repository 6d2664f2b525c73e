"""What a record tells besides its value: fields whose names begin with a dollar sign, and the missing value."""

from typing import Final

from audience_sync.core.event import Cause, Decoded, Event, Ignored, Unusable, Wanting
from audience_sync.core.rule import OtherTypes, Source
from audience_sync.events.formats.debezium import Open, without_schema
from audience_sync.events.formats.wire import MAGIC
from audience_sync.formats import Decoder, Headers, Record

KEY: Final = "$key"
HEADERS: Final = "$headers"
TOPIC: Final = "$topic"


def with_reserved(decode: Decoder, source: Source, open_key: Open) -> Decoder:
    """*decode*, with the reserved fields that the source wants among the event's. They win over its own.

    open_key: reads a key that is no text.
    """

    def decode_with_reserved(record: Record) -> Decoded:
        event = decode(record)
        if type(event) is not Event:
            return event
        fields = dict(event.fields)
        if KEY in source.wants and record.key is not None:
            key = key_of(record.key, open_key)
            if type(key) is Wanting:
                return key
            if key is not None:
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


def key_of(key: bytes, open_key: Open) -> object:
    """The key's text; if it has fields, those, without Connect's schema around them. None if it is neither."""
    if key[:1] in (b"{", MAGIC):
        fields = open_key(key)
        if isinstance(fields, Wanting):
            return fields
        if not isinstance(fields, Unusable):
            return without_schema(fields)
    try:
        return key.decode() if key[:1] != MAGIC else None
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
