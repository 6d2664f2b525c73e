"""Schemas and data in Confluent's wire format, for tests."""

import json
from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from audience_sync.core.event import Unusable
from audience_sync.events.formats.wire import Find, ReadSchema

MEMBER: dict[str, Any] = {
    "type": "record",
    "name": "MemberChanged",
    "namespace": "com.example",
    "fields": [
        {"name": "user_id", "type": "string"},
        {"name": "tier", "type": ["null", {"type": "enum", "name": "Tier", "symbols": ["SILVER", "GOLD"]}]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}


def framed(schema_id: int, data: bytes) -> bytes:
    """*data* with the prefix that names its schema."""
    return b"\x00" + schema_id.to_bytes(4, "big") + data


def avro(schema: dict[str, Any], value: object) -> bytes:
    """*value* as Avro."""
    stream = BytesIO()
    schemaless_writer(stream, parse_schema(schema), value)
    return stream.getvalue()


def text_of(schema: object) -> str:
    """A schema as a registry serves it."""
    return json.dumps(schema)


def found(schemas: Mapping[int, ReadSchema | Unusable]) -> Find:
    """Looks schemas up among these."""
    return schemas.get


def proto_file(
    *,
    package: str = "com.example",
    imports: tuple[str, ...] = (),
    **messages: Mapping[str, tuple[int, int, str]],
) -> FileDescriptorProto:
    """A proto3 file. *messages*: {name: {field: (number, type, the message's type or "")}}."""
    file = FileDescriptorProto(name="any.proto", package=package, syntax="proto3", dependency=list(imports))
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, of) in fields.items():
            message.field.add(
                name=field,
                number=number,
                type=kind,
                type_name=of or None,
                label=FieldDescriptorProto.LABEL_OPTIONAL,
            )
    return file


def serialised(file: FileDescriptorProto) -> str:
    """A Protobuf schema as a registry serves it in serialised form."""
    return b64encode(file.SerializeToString()).decode()
