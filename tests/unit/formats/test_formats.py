"""Bytes into events: what each format takes, and what it answers to bytes that it can't."""

import pytest

from audience_sync.core.event import Cause, Event, Unusable
from audience_sync.core.rule import Source, TimeFormat
from audience_sync.core.templates import parsed_path
from audience_sync.events.formats.cloudevents import cloudevent
from audience_sync.events.formats.json import plain_json
from audience_sync.events.formats.times import epoch_seconds, seconds_of
from audience_sync.formats import Decoder, RawRecord

PLAIN = plain_json(
    Source(topic="t", format="json", type_field=parsed_path("meta.kind"), time_field=parsed_path("at"))
)
FIXED = plain_json(Source(topic="t", format="json", type="city-changed"))

UNREADABLE = {
    "no value": None,
    "no bytes": b"",
    "not UTF-8": b'{"type": "\xff"}',
    "a surrogate written as UTF-8": b'{"type": "\xed\xa0\x80"}',
    "not UTF-8 in a name": b'{"\xff": 1}',
    "UTF-16": '{"type": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"type": "x"}',
    "broken": b'{"type": ',
    "two values": b'{"type": "x"} {"type": "x"}',
    "a list": b'[{"type": "x"}]',
    "a number": b"7",
    "null": b"null",
    "nested too deeply": b'{"type": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number beyond any float": b'{"type": "x", "a": 1e400}',
    "an integer beyond all digits": b'{"type": "x", "a": ' + b"9" * 5000 + b"}",
    "no number at all": b'{"type": "x", "a": NaN}',
    "half a surrogate pair": rb'{"type": "x", "a": "\ud800"}',
    "half a surrogate pair, the second": rb'{"type": "x", "a": "\udc00 "}',
    "half a surrogate pair in a name": rb'{"type": "x", "\ud800x": 1}',
}


@pytest.mark.parametrize("decode", [cloudevent, PLAIN, FIXED])
@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_bytes_are_a_value_that_says_why(decode: Decoder, value: bytes | None) -> None:
    """A bad record is dead-lettered alone; an exception would take its whole batch with it."""
    event = decode(RawRecord(value))

    assert isinstance(event, Unusable)
    assert event.cause is Cause.UNREADABLE
    assert event.info


@pytest.mark.parametrize(
    "value", [b"{}", b'{"type": ""}', b'{"type": 7}', b'{"type": null}', b'{"type": ["x"]}']
)
def test_a_cloudevent_without_a_type_is_told_from_an_unreadable_one(value: bytes) -> None:
    event = cloudevent(RawRecord(value))

    assert isinstance(event, Unusable)
    assert event.cause is Cause.NO_TYPE


@pytest.mark.parametrize(
    "value", [b"{}", b'{"meta": "kind"}', b'{"meta": {"kind": 7}}', b'{"meta": {"kind": ""}}']
)
def test_plain_json_without_its_type_names_the_field(value: bytes) -> None:
    event = PLAIN(RawRecord(value))

    assert isinstance(event, Unusable)
    assert event.cause is Cause.NO_TYPE
    assert "meta.kind" in event.info


def test_a_cloudevent_is_read_with_its_data_and_time() -> None:
    value = (
        b'{"specversion": "1.0", "id": "1", "source": "/members", "type": "com.example.x", '
        b'"time": "1970-01-01T00:01:00.5Z", "data": {"user_id": "alice"}}'
    )

    event = cloudevent(RawRecord(value))

    assert isinstance(event, Event)
    assert (event.type, event.fields["data"], event.seconds) == ("com.example.x", {"user_id": "alice"}, 60.5)


def test_plain_json_is_read_with_its_type_and_time() -> None:
    event = PLAIN(RawRecord(b'{"meta": {"kind": "k"}, "at": "1970-01-01T01:00:00+01:00"}'))

    assert isinstance(event, Event)
    assert (event.type, event.seconds) == ("k", 0.0)


def test_a_topic_of_one_type_needs_none_in_the_event() -> None:
    assert FIXED(RawRecord(b'{"city": "x"}')) == Event("city-changed", {"city": "x"}, None)


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    """JSON leaves it open; most readers do so, and producers that write both mean the later one."""
    assert FIXED(RawRecord(b'{"city": "a", "city": "b"}')) == Event("city-changed", {"city": "b"}, None)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "yesterday",
        "2026-11-22",  # no offset: it could be anywhere
        "2026-11-22T08:30:00",
        "2026-13-01T00:00:00Z",
        "9" * 1000,
    ],
)
def test_a_time_that_is_not_understood_is_no_time(text: object) -> None:
    """The time helps to order changes; an event without one is as good as before."""
    assert epoch_seconds(text) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_times_at_the_edges_of_the_calendar_are_times(text: str) -> None:
    assert isinstance(epoch_seconds(text), float)


@pytest.mark.parametrize(
    ("value", "time_format", "seconds"),
    [
        (1795336200, TimeFormat.EPOCH_SECONDS, 1795336200.0),
        (1795336200.25, TimeFormat.EPOCH_SECONDS, 1795336200.25),
        (1795336200250, TimeFormat.EPOCH_MILLISECONDS, 1795336200.25),
        ("1795336200250", TimeFormat.EPOCH_MILLISECONDS, 1795336200.25),  # as Protobuf's JSON writes 64 bits
        (1795336200250, TimeFormat.EPOCH_SECONDS, None),  # in another unit: it would be the year 58,861
        (-1, TimeFormat.EPOCH_SECONDS, None),
        (True, TimeFormat.EPOCH_SECONDS, None),
        (float("nan"), TimeFormat.EPOCH_SECONDS, None),
        ("noon", TimeFormat.EPOCH_SECONDS, None),
        ("\u0661", TimeFormat.EPOCH_SECONDS, None),
        ("9" * 5000, TimeFormat.EPOCH_SECONDS, None),
        (10**400, TimeFormat.EPOCH_SECONDS, None),
        (1795336200, TimeFormat.RFC3339, None),
    ],
)
def test_a_number_is_a_time_in_the_unit_that_the_source_says(
    value: object, time_format: TimeFormat, seconds: float | None
) -> None:
    """A number in another unit must be no time rather than a wrong one."""
    assert seconds_of(value, time_format) == seconds
