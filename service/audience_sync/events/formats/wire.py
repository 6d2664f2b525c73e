"""Confluent's wire format: a zero byte, the id of a schema in four bytes, and data that the schema describes.

What the schema says is looked up, never fetched here: a record whose schema is not there comes back as
`Wanting`, and is read once it is.
"""

from collections.abc import Callable
from typing import Final, Protocol

from audience_sync.core.event import Cause, Decoded, Fields, Unusable, Wanting
from audience_sync.core.rule import Format, Source
from audience_sync.events.formats.json import decoded_object
from audience_sync.events.formats.naming import naming_of
from audience_sync.formats import Decoder, Record

MAGIC: Final = b"\x00"
PREFIX_BYTES: Final = 5

KINDS: Final[dict[str, str]] = {
    Format.AVRO: "AVRO",
    Format.PROTOBUF: "PROTOBUF",
    Format.JSON_SCHEMA: "JSON",
}
"""The formats that need a registry, and what the registry calls their schemas."""


class ReadSchema(Protocol):
    """A schema that was fetched and understood."""

    @property
    def kind(self) -> str:
        """What the registry calls it: `AVRO`, `PROTOBUF` or `JSON`."""

    def read(self, data: bytes) -> tuple[str | None, Fields]:
        """The full name of what *data* holds, if the schema knows one, and its fields. Raises whatever it may."""


Find = Callable[[int], ReadSchema | Unusable | None]
"""The schema of that id; why it can't be used; or None if it must be fetched first."""


def of_schemas(source: Source, find: Find) -> Decoder:
    """A decoder for a topic of Avro, Protobuf, or JSON with a schema. The type is the name in the schema.

    Where the source itself says the type, JSON needs no schema: it tells the fields' names itself.
    """
    name, kind = naming_of(source), KINDS[source.format]
    self_describing = kind == "JSON" and (source.type is not None or source.type_field is not None)

    def decode(record: Record) -> Decoded:
        value = record.value
        if not value:
            return Unusable(Cause.UNREADABLE, "the record has no value")
        if self_describing and value[:1] == MAGIC:
            fields = decoded_object(value[PREFIX_BYTES:])
            return fields if isinstance(fields, Unusable) else name(fields, None)
        read = read_described(value, find, kind)
        return read if isinstance(read, Unusable | Wanting) else name(read[1], read[0])

    return decode


def read_described(
    value: bytes, find: Find, kind: str | None = None
) -> tuple[str | None, Fields] | Unusable | Wanting:
    """Name and fields of *value*, whose schema is of *kind*, if that is given. Never raises."""
    if len(value) < PREFIX_BYTES or value[:1] != MAGIC:
        began = value[:1].hex()
        return Unusable(
            Cause.UNREADABLE,
            f"the value is not in Confluent's wire format: it has {len(value)} bytes and begins with 0x{began}; five "
            "or more are needed, the first of them 0x00; see whether the producer uses the schema registry",
        )
    schema_id = int.from_bytes(value[1:PREFIX_BYTES], "big")
    if not schema_id:  # never given out; a number's bytes begin like this
        return Unusable(Cause.UNREADABLE, "the value names schema 0, and no registry has one")
    schema = find(schema_id)
    if schema is None:
        return Wanting(schema_id)
    if isinstance(schema, Unusable):
        return schema
    if kind is not None and schema.kind != kind:
        return Unusable(
            Cause.UNREADABLE,
            f"schema {schema_id} is of type {schema.kind}, and the source's format needs {kind}",
        )
    try:
        return schema.read(value[PREFIX_BYTES:])
    except (
        Exception
    ) as error:  # what the libraries raise on bytes that the schema does not describe is no closed set
        what = f"{type(error).__name__}: {error}"[:300]
        info = f"the value is not what schema {schema_id} describes: {what}"
        return Unusable(Cause.UNREADABLE, info.encode(errors="replace").decode())


def opening(find: Find | None) -> Callable[[bytes], Fields | Unusable | Wanting]:
    """What opens JSON objects, and values in the wire format too: no JSON begins with a zero byte."""

    def open_value(value: bytes) -> Fields | Unusable | Wanting:
        if value[:1] != MAGIC:
            return decoded_object(value)
        if find is None:
            return _NO_REGISTRY
        read = read_described(value, find)
        return read if isinstance(read, Unusable | Wanting) else read[1]

    return open_value


_NO_REGISTRY: Final = Unusable(
    Cause.UNREADABLE,
    "it is in Confluent's wire format, and no schema registry is known; set AUDIENCE_SYNC_REGISTRY__URL",
)
