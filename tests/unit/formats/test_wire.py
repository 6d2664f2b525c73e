"""Confluent's wire format: Avro, Protobuf and JSON by schemas that are looked up, and bytes that fit none."""

import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.event import Cause, Decoded, Event, Unusable, Wanting
from audience_sync.core.rule import Format, Source
from audience_sync.core.templates import parsed_path
from audience_sync.events.formats.avro import AvroSchema
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.formats.json_schema import JsonSchema
from audience_sync.events.formats.protobuf import ProtobufSchema
from audience_sync.formats import FormatError, RawRecord
from tests.support.schemas import MEMBER, avro, found, framed, proto_file, serialised, text_of

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
FILE = proto_file(
    imports=("google/protobuf/timestamp.proto",),
    Other={"id": (1, Proto.TYPE_STRING, "")},
    MemberChanged={
        "user_id": (1, Proto.TYPE_STRING, ""),
        "level": (2, Proto.TYPE_INT64, ""),
        "at": (3, Proto.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
        "token": (4, Proto.TYPE_BYTES, ""),
    },
)
FILE.message_type[1].nested_type.add(name="Inner").field.add(
    name="user_id", number=1, type=Proto.TYPE_STRING, label=Proto.LABEL_OPTIONAL
)
FIND = found(
    {
        1: AvroSchema(text_of(MEMBER), {}),
        2: ProtobufSchema(serialised(FILE), {}),
        3: JsonSchema('{"title": "com.example.MemberChanged", "type": "object"}', {}),
        4: JsonSchema("{}", {}),
        5: Unusable(Cause.UNREADABLE, "schema 5: the schema registry knows none of this id"),
    }
)
MEMBER_AVRO = framed(1, avro(MEMBER, {"user_id": "alice", "tier": "GOLD", "at": AT}))
MEMBER_FIELDS = {"user_id": "alice", "tier": "GOLD", "at": "2026-11-22T08:30:00Z"}
MEMBER_JSON = framed(3, b'{"user_id": "alice"}')
ALICE = b"\x0a\x05alice"
"""Field 1, five bytes."""


def decoded(value: bytes | None, kind: Format, **source: Any) -> Decoded:
    return decoder_of(Source(topic="t", format=kind, **source), FIND)(RawRecord(value))


def test_an_avro_record_is_an_event_of_its_full_name() -> None:
    assert decoded(MEMBER_AVRO, Format.AVRO) == Event("com.example.MemberChanged", MEMBER_FIELDS)


def test_the_source_may_say_otherwise_where_type_and_time_stand() -> None:
    """One record for all events, say, with a field that tells them apart."""
    event = decoded(MEMBER_AVRO, Format.AVRO, type_field=parsed_path("tier"), time_field=parsed_path("at"))

    assert event == Event("GOLD", MEMBER_FIELDS, AT.timestamp())
    assert decoded(MEMBER_AVRO, Format.AVRO, type="x") == Event("x", MEMBER_FIELDS)


@pytest.mark.parametrize(
    ("schema", "value", "plain"),
    [
        (
            {"type": "long", "logicalType": "timestamp-micros"},
            AT.replace(microsecond=5),
            "2026-11-22T08:30:00.000005Z",
        ),
        (
            {"type": "long", "logicalType": "local-timestamp-millis"},
            datetime(2026, 1, 2),  # noqa: DTZ001 - it has no zone
            "2026-01-02T00:00:00",
        ),
        ({"type": "int", "logicalType": "date"}, date(2026, 1, 2), "2026-01-02"),
        ({"type": "int", "logicalType": "time-millis"}, time(8, 30), "08:30:00"),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2},
            Decimal("1200.50"),
            "1200.50",
        ),
        ({"type": "string", "logicalType": "uuid"}, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("bytes", b"\x00\xff", "AP8="),
        ({"type": "fixed", "name": "f", "size": 2}, b"\x00\xff", "AP8="),
        (["null", "bytes"], None, None),
        (
            {"type": "array", "items": {"type": "int", "logicalType": "date"}},
            [date(2026, 1, 2)],
            ["2026-01-02"],
        ),
        ({"type": "map", "values": "bytes"}, {"a": b"a"}, {"a": "YQ=="}),
        ("double", 1.5, 1.5),
        ("boolean", True, True),
        ("long", 2**62, 2**62),
    ],
)
def test_avro_values_become_what_templates_take(schema: Any, value: object, plain: object) -> None:
    """Text or an integer where there is a sensible one; the table in docs/formats.md."""
    record = {"type": "record", "name": "r", "fields": [{"name": "a", "type": schema}]}

    name, fields = AvroSchema(text_of(record), {}).read(avro(record, {"a": value}))

    assert (name, fields) == ("r", {"a": plain})


def test_an_avro_schema_may_refer_to_others() -> None:
    """In the order in which the registry's references are resolved: what is needed first, first."""
    user = {"type": "record", "name": "com.example.User", "fields": [{"name": "id", "type": "string"}]}
    event = {"type": "record", "name": "E", "fields": [{"name": "user", "type": "com.example.User"}]}

    schema = AvroSchema(text_of(event), {"com.example.User": text_of(user)})

    assert schema.read(b"\x0aalice") == ("E", {"user": {"id": "alice"}})


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("string", "it is no record"),
        (
            {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]},
            "N contains itself, so a small record could be nested without end",
        ),
        (
            {
                "type": "record",
                "name": "A",
                "fields": [
                    {
                        "name": "b",
                        "type": {
                            "type": "array",
                            "items": {"type": "record", "name": "B", "fields": [{"name": "a", "type": "A"}]},
                        },
                    }
                ],
            },
            "A contains itself",
        ),
        (
            {
                "type": "record",
                "name": "N",
                "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}],
            },
            "an array of items that take no bytes",
        ),
        (
            {
                "type": "record",
                "name": "N",
                "fields": [
                    {"name": "e", "type": {"type": "record", "name": "E", "fields": []}},
                    {"name": "a", "type": ["null", {"type": "array", "items": "E"}]},
                ],
            },
            "an array of items that take no bytes",
        ),
    ],
)
def test_an_avro_schema_whose_data_could_harm_the_reader_is_refused(schema: object, told: str) -> None:
    """Five thousand bytes of a recursive schema end the process: its library does not look at the stack."""
    with pytest.raises(ValueError, match=told):
        AvroSchema(text_of(schema), {})


@pytest.mark.parametrize(
    ("indexes", "data", "name", "fields"),
    [
        (
            b"\x02\x02",
            ALICE + b"\x10\x07",
            "com.example.MemberChanged",
            {"user_id": "alice", "level": "7", "token": ""},
        ),
        (b"\x00", b"\x0a\x011", "com.example.Other", {"id": "1"}),
        (b"\x04\x02\x00", ALICE, "com.example.MemberChanged.Inner", {"user_id": "alice"}),
        (
            b"\x02\x02",
            b"\x1a\x06" + Timestamp(seconds=1795336200).SerializeToString() + b"\x22\x01\xff",
            "com.example.MemberChanged",
            {"user_id": "", "level": "0", "at": "2026-11-22T08:30:00Z", "token": "/w=="},
        ),
    ],
)
def test_a_protobuf_message_is_an_event_of_its_full_name(
    indexes: bytes, data: bytes, name: str, fields: dict[str, object]
) -> None:
    """The message of the file that the prefix names, with Protobuf's own words for 64 bits, moments and bytes."""
    assert decoded(framed(2, indexes + data), Format.PROTOBUF) == Event(name, fields)


def test_a_protobuf_schema_may_import_others() -> None:
    """By the name of the import, whatever the imported file calls itself."""
    user = proto_file(package="com.example.users", User={"id": (1, Proto.TYPE_STRING, "")})
    event = proto_file(
        imports=("users.proto",), E={"user": (1, Proto.TYPE_MESSAGE, ".com.example.users.User")}
    )

    schema = ProtobufSchema(serialised(event), {"users.proto": serialised(user)})

    assert schema.read(b"\x00\x0a\x03\x0a\x01a") == ("com.example.E", {"user": {"id": "a"}})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('syntax = "proto3"; message M {}', "it is not served in serialised form"),
        ("AAAA", "it is not served in serialised form"),
        (serialised(proto_file(imports=("gone.proto",))), "it can't be used: .*gone.proto"),
        (serialised(proto_file(imports=("google/protobuf/gone.proto",))), "it can't be used: .*gone.proto"),
    ],
)
def test_a_protobuf_schema_that_can_not_be_used_says_why(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ProtobufSchema(text, {})


def test_json_is_an_event_of_its_schemas_title() -> None:
    assert decoded(MEMBER_JSON, Format.JSON_SCHEMA) == Event(
        "com.example.MemberChanged", {"user_id": "alice"}
    )


@pytest.mark.parametrize("source", [{"type": "x"}, {"type_field": parsed_path("kind")}])
def test_json_needs_no_schema_where_the_source_says_the_type(source: dict[str, Any]) -> None:
    """A registry that is down does not matter then."""
    event = decoded(framed(99, b'{"kind": "x"}'), Format.JSON_SCHEMA, **source)

    assert event == Event("x", {"kind": "x"})


def test_a_schema_that_is_not_there_is_wanted() -> None:
    assert decoded(framed(99, b""), Format.AVRO) == Wanting(99)


def test_debezium_is_read_by_either_converter() -> None:
    """Its converter is a setting of the connector: JSON, or Avro with a registry."""
    row = {"type": "record", "name": "Value", "fields": [{"name": "tier", "type": "string"}]}
    envelope = {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", row]},
            {"name": "after", "type": ["null", "Value"]},
            {
                "name": "source",
                "type": {"type": "record", "name": "Source", "fields": [{"name": "ts_ms", "type": "long"}]},
            },
            {"name": "op", "type": "string"},
        ],
    }
    key = {"type": "record", "name": "Key", "fields": [{"name": "user_id", "type": "string"}]}
    find = found({7: AvroSchema(text_of(envelope), {}), 8: AvroSchema(text_of(key), {})})
    change = {"before": None, "after": {"tier": "gold"}, "source": {"ts_ms": 1500}, "op": "c"}
    source = Source(topic="t", format=Format.DEBEZIUM, wants=frozenset({"$key"}))
    record = RawRecord(framed(7, avro(envelope, change)), framed(8, avro(key, {"user_id": "alice"})))

    assert decoder_of(source, find)(record) == Event("create", change | {"$key": {"user_id": "alice"}}, 1.5)
    assert decoder_of(source, found({7: AvroSchema(text_of(envelope), {})}))(record) == Wanting(8)
    event = decoder_of(source)(record)
    assert isinstance(event, Unusable)
    assert "set AUDIENCE_SYNC_REGISTRY__URL" in event.info


@pytest.mark.parametrize("key", [struct.pack(">q", 7), framed(5, b"x"), b"\x00"])
def test_a_key_of_other_bytes_is_no_field(key: bytes) -> None:
    """A number that a Java producer has written begins with zeros too."""
    source = Source(topic="t", format=Format.JSON, type="x", wants=frozenset({"$key"}))

    assert decoder_of(source, FIND)(RawRecord(b"{}", key)) == Event("x", {})


@pytest.mark.parametrize(
    ("value", "kind", "cause", "told"),
    [
        (None, Format.AVRO, Cause.UNREADABLE, "no value"),
        (b"", Format.AVRO, Cause.UNREADABLE, "no value"),
        (
            b'{"a": 1}',
            Format.AVRO,
            Cause.UNREADABLE,
            "not in Confluent's wire format: it has 8 bytes and begins with 0x7b",
        ),
        (b"\x00\x00", Format.AVRO, Cause.UNREADABLE, "not in Confluent's wire format: it has 2 bytes"),
        (framed(0, b""), Format.AVRO, Cause.UNREADABLE, "schema 0"),
        (framed(5, b""), Format.AVRO, Cause.UNREADABLE, "schema 5: the schema registry knows none"),
        (
            framed(2, b""),
            Format.AVRO,
            Cause.UNREADABLE,
            "schema 2 is of type PROTOBUF, and the source's format needs AVRO",
        ),
        (MEMBER_AVRO[:-1], Format.AVRO, Cause.UNREADABLE, "not what schema 1 describes: IndexError"),
        (
            MEMBER_AVRO + b"\x00",
            Format.AVRO,
            Cause.UNREADABLE,
            "not what schema 1 describes: ValueError: 1 bytes are left",
        ),
        (framed(1, b"\x04\xff\xff\x00\x00"), Format.AVRO, Cause.UNREADABLE, "UnicodeDecodeError"),
        (
            framed(2, b"\x02\x08"),
            Format.PROTOBUF,
            Cause.UNREADABLE,
            "its message index [4] is not in the schema",
        ),
        (framed(2, b"\xff\xff\xff\xff\x0f"), Format.PROTOBUF, Cause.UNREADABLE, "levels deep"),
        (framed(2, b"\x80" * 9), Format.PROTOBUF, Cause.UNREADABLE, "more than 32 bits"),
        (framed(2, b""), Format.PROTOBUF, Cause.UNREADABLE, "IndexError"),
        (framed(2, b"\x00\x0a\x05a"), Format.PROTOBUF, Cause.UNREADABLE, "DecodeError"),
        (framed(3, b"[]"), Format.JSON_SCHEMA, Cause.UNREADABLE, "no JSON object"),
        (
            framed(4, b"{}"),
            Format.JSON_SCHEMA,
            Cause.NO_TYPE,
            "the schema names no type; add type or type_field",
        ),
    ],
)
def test_what_can_not_be_read_says_why(value: bytes | None, kind: Format, cause: Cause, told: str) -> None:
    event = decoded(value, kind)

    assert isinstance(event, Unusable)
    assert event.cause is cause
    assert told in event.info


@pytest.mark.parametrize("kind", [Format.AVRO, Format.PROTOBUF, Format.JSON_SCHEMA])
def test_without_a_registry_such_a_source_is_refused(kind: Format) -> None:
    """At start, with the setting that is missing."""
    with pytest.raises(FormatError, match="set AUDIENCE_SYNC_REGISTRY__URL"):
        decoder_of(Source(topic="t", format=kind))


FORMATS = st.sampled_from([*Format])
REAL = st.sampled_from(
    [MEMBER_AVRO, framed(2, b"\x02\x02" + ALICE), MEMBER_JSON, b'{"op": "c", "source": {}}']
)
IDS = st.integers(0, 6)


@given(FORMATS, IDS, st.binary(), st.none() | st.binary())
def test_no_bytes_raise(kind: Format, schema_id: int, data: bytes, key: bytes | None) -> None:
    """What is raised in the hot path ends consumption."""
    source = Source(
        topic="t", format=kind, type="x" if kind == "json" else None, wants=frozenset({"$key", "$headers"})
    )
    decode = decoder_of(source, FIND)
    for value in (data, framed(schema_id, data)):
        check(decode(RawRecord(value, key, [("ce_type", data), ("content-type", key)])))


@given(FORMATS, REAL, st.integers(0, 60), st.binary(max_size=4))
def test_no_damaged_event_raises(kind: Format, value: bytes, at: int, put: bytes) -> None:
    """A byte or two in another place is how real records break."""
    source = Source(topic="t", format=kind, type="x" if kind == "json" else None)
    check(decoder_of(source, FIND)(RawRecord(value[:at] + put + value[at + len(put) :])))


def check(event: Decoded) -> None:
    """An event with what templates take, or a sentence that can be written down."""
    if isinstance(event, Unusable):
        assert event.info.encode()
    elif isinstance(event, Event):
        assert event.type
        assert all(type(name) is str for name in event.fields)
