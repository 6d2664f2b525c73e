"""What a record tells besides its value: reserved fields, and what a missing value means."""

import pytest

from audience_sync.core.event import Cause, Decoded, Event, Ignored, Unusable
from audience_sync.core.rule import Format, OtherTypes, Source
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.formats import Headers, RawRecord

ALL = frozenset({"$key", "$headers", "$topic"})


def source(
    *, wants: frozenset[str] = frozenset(), tombstones: OtherTypes | None = None, gone: str | None = None
) -> Source:
    return Source(
        topic="t", format=Format.JSON, type="x", wants=wants, tombstones=tombstones, tombstone_type=gone
    )


def fields(event: Decoded) -> dict[str, object]:
    assert isinstance(event, Event)
    return dict(event.fields)


def test_nothing_is_added_that_no_rule_uses() -> None:
    """It would cost time with every record."""
    record = RawRecord(b'{"a": 1}', b"k", [("h", b"v")])

    assert fields(decoder_of(source())(record)) == {"a": 1}
    assert fields(decoder_of(source(wants=frozenset({"$topic"})))(record)) == {"a": 1, "$topic": "t"}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (b"alice", "alice"),
        (b"", ""),
        (b'{"id": "alice"}', {"id": "alice"}),
        (b'{"id": ', '{"id": '),
        (b'"alice"', '"alice"'),
        (b"[1]", "[1]"),
    ],
)
def test_a_key_is_text_or_the_object_it_holds(key: bytes, found: object) -> None:
    assert fields(decoder_of(source(wants=ALL))(RawRecord(b"{}", key)))["$key"] == found


@pytest.mark.parametrize("key", [None, b"\xff"])
def test_a_key_that_is_missing_or_no_text_is_no_field(key: bytes | None) -> None:
    """So that a rule which needs it says that it is missing."""
    assert "$key" not in fields(decoder_of(source(wants=ALL))(RawRecord(b"{}", key)))


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ((), {}),
        ([("a", b"1"), ("a", b"2")], {"a": "2"}),
        ([("a", None), ("b", b"\xff"), ("c", b"")], {"c": ""}),
    ],
)
def test_headers_that_hold_text_are_found_by_name(headers: Headers, found: dict[str, str]) -> None:
    """A null, or bytes that are no text, must not break a record that is sound otherwise."""
    assert fields(decoder_of(source(wants=ALL))(RawRecord(b"{}", None, headers)))["$headers"] == found


def test_reserved_fields_win_over_the_events_own() -> None:
    """Whoever writes an event must not be able to name another user than its key does."""
    record = RawRecord(b'{"$key": "mallory", "$topic": "other"}', b"alice")

    assert fields(decoder_of(source(wants=ALL))(record)) == {"$key": "alice", "$topic": "t", "$headers": {}}


@pytest.mark.parametrize(
    ("tombstones", "gone", "found"),
    [
        (None, None, Unusable(Cause.UNREADABLE, "the record has no value")),
        (OtherTypes.DEAD_LETTER, None, Unusable(Cause.UNREADABLE, "the record has no value")),
        (OtherTypes.IGNORE, None, Ignored("the record has no value")),
        (OtherTypes.IGNORE, "gone", Event("gone", {"$key": "alice", "$headers": {}, "$topic": "t"})),
    ],
)
def test_a_record_without_a_value_means_what_the_source_says(
    tombstones: OtherTypes | None, gone: str | None, found: Decoded
) -> None:
    """In a compacted topic it is how a producer says that somebody is gone."""
    decode = decoder_of(source(wants=ALL, tombstones=tombstones, gone=gone))

    assert decode(RawRecord(None, b"alice")) == found
    assert fields(decode(RawRecord(b"{}", b"alice")))["$key"] == "alice"


def test_an_empty_value_is_no_tombstone() -> None:
    """Kafka tells null from no bytes, and so do those who write them."""
    assert isinstance(decoder_of(source(gone="gone"))(RawRecord(b"")), Unusable)
