"""Avro schemas, and data that they describe, read by fastavro."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Final

from fastavro import parse_schema, schemaless_reader

from audience_sync.core.event import Fields
from audience_sync.events.formats.plain import plain


class AvroSchema:
    """One schema with all that it refers to. Raises ValueError if no data of it may be read."""

    kind: Final = "AVRO"

    def __init__(self, text: str, references: Mapping[str, str]) -> None:
        named: dict[str, Any] = {}
        for referred in references.values():
            parse_schema(json.loads(referred), named_schemas=named)
        schema: Any = parse_schema(json.loads(text), named_schemas=named)
        if not isinstance(schema, dict) or schema["type"] != "record":
            raise ValueError("it is no record; an event needs names for its fields")
        self._schema = schema
        self._name: str = schema["name"]
        parts = list(_parts(schema, named, ()))
        self._needs_plain = any(_is_rich(part) for part in parts)

    def read(self, data: bytes) -> tuple[str | None, Fields]:
        """The record's full name, and its fields."""
        stream = BytesIO(data)
        value: Any = schemaless_reader(stream, self._schema, None)
        if rest := len(data) - stream.tell():
            raise ValueError(f"{rest} bytes are left over")
        fields: Any = plain(value) if self._needs_plain else value
        return self._name, fields


def _parts(schema: Any, named: Mapping[str, Any], inside: tuple[str, ...]) -> Iterable[Any]:
    """*schema* and all schemas in it. Raises ValueError for one whose data could harm the reader.

    fastavro reads nested data by recursion in C without looking at the stack: 5,000 bytes of a recursive
    schema end the process. An array of items that take no bytes may claim a length of billions.
    """
    yield schema
    match schema:
        case str() if schema in inside:
            raise ValueError(f"{schema} contains itself, so a small record could be nested without end")
        case str() if schema in named:
            yield from _parts(named[schema], named, inside)
        case list():
            for branch in schema:
                yield from _parts(branch, named, inside)
        case {"type": "record", "name": str(name), "fields": fields}:
            for field in fields:
                yield from _parts(field["type"], named, (*inside, name))
        case {"type": "array", "items": items}:
            if _takes_no_bytes(items, named):
                raise ValueError(
                    "it has an array of items that take no bytes, so a small record could be any size"
                )
            yield from _parts(items, named, inside)
        case {"type": "map", "values": values}:
            yield from _parts(values, named, inside)
        case {"type": dict() | list() as inner}:
            yield from _parts(inner, named, inside)


def _takes_no_bytes(schema: Any, named: Mapping[str, Any]) -> bool:
    match schema:
        case "null" | {"type": "null"} | {"type": "fixed", "size": 0}:
            return True
        case str() if schema in named:
            return _takes_no_bytes(named[schema], named)
        case {"type": "record", "fields": fields}:
            return all(_takes_no_bytes(field["type"], named) for field in fields)
        case {"type": dict() as inner}:
            return _takes_no_bytes(inner, named)
        case _:
            return False


def _is_rich(schema: Any) -> bool:
    """Whether fastavro makes values of it that are more than JSON has."""
    match schema:
        case "bytes" | {"type": "bytes" | "fixed"} | {"logicalType": _}:
            return True
        case _:
            return False
