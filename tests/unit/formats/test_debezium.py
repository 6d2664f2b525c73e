"""Change events of Debezium, as its documentation shows them, into events that rules can name."""

from typing import Any

import msgspec
import pytest

from audience_sync.core.event import Cause, Event, Ignored, Unusable
from audience_sync.core.rule import Format, Source, TimeFormat
from audience_sync.core.templates import parsed_path
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.formats import RawRecord

# After the examples in Debezium's documentation, "Debezium connector for PostgreSQL", section "Data change events"
SOURCE = {
    "version": "2.7.3.Final",
    "connector": "postgresql",
    "name": "PostgreSQL_server",
    "ts_ms": 1559033904863,
    "snapshot": "false",
    "db": "postgres",
    "sequence": '["24023119","24023128"]',
    "schema": "public",
    "table": "customers",
    "txId": 555,
    "lsn": 24023128,
    "xmin": None,
}
ROW = {"id": 1, "first_name": "Anne", "last_name": "Kretchmar", "email": "annek@noanswer.org"}
SCHEMA = {
    "type": "struct",
    "optional": False,
    "name": "PostgreSQL_server.inventory.customers.Envelope",
    "fields": [],
}
ENVELOPES: dict[str, dict[str, Any]] = {
    "create": {"before": None, "after": ROW, "source": SOURCE, "op": "c", "ts_ms": 1559033904870},
    "update": {"before": {"id": 1}, "after": ROW, "source": SOURCE, "op": "u", "ts_ms": 1465584025523},
    "delete": {"before": {"id": 1}, "after": None, "source": SOURCE, "op": "d", "ts_ms": 1465581902461},
    "read": {"before": None, "after": ROW, "source": SOURCE, "op": "r", "ts_ms": 1559033904870},
    "truncate": {"source": SOURCE, "op": "t", "ts_ms": 1559033904961},
    "message": {
        "op": "m",
        "ts_ms": 1559033904863,
        "source": SOURCE,
        "message": {"prefix": "foo", "content": "Ym"},
    },
}
KEY = {
    "schema": {"type": "struct", "name": "PostgreSQL_server.public.customers.Key", "fields": []},
    "payload": {"id": 1},
}

DECODE = decoder_of(Source(topic="t", format=Format.DEBEZIUM, wants=frozenset({"$key"})))
CHANGED_AT = 1559033904.863


def encoded(value: object) -> bytes:
    return msgspec.json.encode(value)


@pytest.mark.parametrize("kind", ENVELOPES)
def test_the_type_is_the_operation_as_a_word(kind: str) -> None:
    """With the schema that Connect's converter puts beside it, and without: a setting of the connector."""
    envelope = ENVELOPES[kind]
    event = Event(kind, envelope | {"$key": {"id": 1}}, CHANGED_AT)

    with_schema = RawRecord(encoded({"schema": SCHEMA, "payload": envelope}), encoded(KEY))
    without = RawRecord(encoded(envelope), encoded(KEY["payload"]))

    assert DECODE(with_schema) == event
    assert DECODE(without) == event


@pytest.mark.parametrize("value", [None, b'{"schema": null, "payload": null}'])
def test_a_tombstone_is_ignored(value: bytes | None) -> None:
    """The delete before it has said everything; the tombstone is for the compaction of the topic."""
    assert isinstance(DECODE(RawRecord(value, encoded(KEY))), Ignored)


def test_a_source_may_want_tombstones_as_events() -> None:
    """A connector can be told to leave out the delete and write the tombstone only."""
    decode = decoder_of(
        Source(topic="t", format=Format.DEBEZIUM, wants=frozenset({"$key"}), tombstone_type="gone")
    )

    assert decode(RawRecord(None, encoded(KEY))) == Event("gone", {"$key": {"id": 1}})


def test_an_event_without_a_key_lacks_the_field() -> None:
    """A table without a primary key has none; a rule that needs it says so, others apply."""
    event = DECODE(RawRecord(encoded(ENVELOPES["create"])))

    assert isinstance(event, Event)
    assert "$key" not in event.fields


@pytest.mark.parametrize(
    ("added", "kind", "seconds"),
    [
        ({"__op": "c", "__table": "customers", "__source_ts_ms": 1559033904863}, "create", CHANGED_AT),
        ({"__op": "d", "__deleted": "true"}, "delete", None),
        ({"__deleted": "true"}, "delete", None),
        ({"__deleted": "false"}, "upsert", None),
        ({"__deleted": False, "__ts_ms": 1559033904863}, "upsert", CHANGED_AT),
    ],
)
def test_a_flattened_event_has_its_row_at_the_top(
    added: dict[str, object], kind: str, seconds: float | None
) -> None:
    """By the transformation ExtractNewRecordState; what it adds begins with two underscores."""
    assert DECODE(RawRecord(encoded(ROW | added))) == Event(kind, ROW | added, seconds)


def test_a_value_that_the_database_did_not_tell_is_no_value() -> None:
    """PostgreSQL leaves out large columns that were not changed; the text in their place must not reach a user."""
    row = ROW | {"email": "__debezium_unavailable_value"}

    event = DECODE(RawRecord(encoded(ENVELOPES["update"] | {"after": row})))

    assert isinstance(event, Event)
    assert event.fields["after"] == {key: value for key, value in ROW.items() if key != "email"}


def test_a_document_that_is_told_as_text_is_opened() -> None:
    """MongoDB's connector writes the document as JSON in a string."""
    event = DECODE(RawRecord(encoded(ENVELOPES["create"] | {"after": '{"_id": 7, "tier": "gold"}'})))

    assert isinstance(event, Event)
    assert event.fields["after"] == {"_id": 7, "tier": "gold"}


def test_the_source_may_say_otherwise_where_type_and_time_stand() -> None:
    """Several tables in one topic are told apart by their names."""
    source = Source(
        topic="t",
        format=Format.DEBEZIUM,
        type_field=parsed_path("source.table"),
        time_field=parsed_path("ts_ms"),
        time_format=TimeFormat.EPOCH_MILLISECONDS,
    )

    event = decoder_of(source)(RawRecord(encoded(ENVELOPES["create"])))

    assert isinstance(event, Event)
    assert (event.type, event.seconds) == ("customers", 1559033904.87)


@pytest.mark.parametrize(
    ("value", "cause", "info"),
    [
        (b"", Cause.UNREADABLE, "has no value"),
        (b"[1]", Cause.UNREADABLE, "no JSON object"),
        (b'{"a": ' + b"[" * 100_000, Cause.UNREADABLE, "nested too deeply"),
        (encoded(ROW), Cause.UNREADABLE, "no change event of Debezium"),
        (b'{"schema": {}, "payload": 7}', Cause.UNREADABLE, "no change event of Debezium"),
        (encoded(ENVELOPES["create"] | {"source": None}), Cause.UNREADABLE, "no change event of Debezium"),
        (
            encoded(ENVELOPES["create"] | {"op": "x"}),
            Cause.NO_TYPE,
            "op is 'x', and none of c, u, d, r, t, m",
        ),
        (encoded(ENVELOPES["create"] | {"op": 1}), Cause.UNREADABLE, "no change event of Debezium"),
    ],
)
def test_what_is_no_change_event_says_why(value: bytes, cause: Cause, info: str) -> None:
    event = DECODE(RawRecord(value))

    assert isinstance(event, Unusable)
    assert event.cause is cause
    assert info in event.info
