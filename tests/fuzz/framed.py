"""Valid records in Confluent's wire format, and the schemas that describe them."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto

from audience_sync.core.event import Unusable
from audience_sync.events.formats.avro import AvroSchema
from audience_sync.events.formats.protobuf import ProtobufSchema
from audience_sync.events.formats.wire import ReadSchema
from audience_sync.events.schemas import unknown
from tests.support.schemas import avro, framed, proto_file, serialised, text_of

_TIER: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Tier",
    "fields": [
        {"name": "user_id", "type": "string"},
        {"name": "tier", "type": ["null", "string"]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "marks", "type": {"type": "array", "items": "bytes"}},
    ],
}
_MESSAGE: Final = proto_file(
    Tier={
        "user_id": (1, Proto.TYPE_STRING, ""),
        "tier": (2, Proto.TYPE_STRING, ""),
        "n": (3, Proto.TYPE_INT64, ""),
    }
)
_SCHEMAS: Final[Mapping[int, ReadSchema]] = {
    1: AvroSchema(text_of(_TIER), {}),
    2: ProtobufSchema(serialised(_MESSAGE), {}),
}
IDS: Final = (0, 1, 2, 3, 2**32 - 1)


def find(schema_id: int) -> ReadSchema | Unusable:
    """The schema of that id; the registry knows no others."""
    return _SCHEMAS.get(schema_id) or unknown(schema_id)


def of_avro(chance: random.Random, user: str, text: str) -> bytes:
    """A record with a value, or a null, and a list."""
    tier = chance.choice([text, None])
    marks = [chance.randbytes(3)] * chance.randrange(3)
    return framed(
        1, avro(_TIER, {"user_id": user, "tier": tier, "at": chance.randrange(2**45), "marks": marks})
    )


def of_protobuf(chance: random.Random, user: str, text: str) -> bytes:
    """A message, written by hand: what is shorter than 128 bytes has its length in one."""
    fields = ((b"\x0a", user.encode()), (b"\x12", text.encode()))
    message = b"".join(tag + bytes([len(value)]) + value for tag, value in fields)
    return framed(2, b"\x00" + message + b"\x18" + bytes([chance.randrange(128)]))


MADE: Final[Mapping[str, Callable[[random.Random, str, str], bytes]]] = {
    "avro": of_avro,
    "protobuf": of_protobuf,
}
"""What makes a valid record, by topic."""
