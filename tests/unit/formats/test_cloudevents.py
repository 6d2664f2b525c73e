"""CloudEvents by the Kafka protocol binding: which mode a record is in, and what becomes of its parts."""

import pytest

from audience_sync.core.event import Cause, Event, Unusable
from audience_sync.events.formats.cloudevents import cloudevent
from audience_sync.formats import Headers, RawRecord

ENVELOPE: Headers = [
    ("ce_specversion", b"1.0"),
    ("ce_type", b"com.example.someevent"),
    ("ce_source", b"/mycontext/subcontext"),
    ("ce_id", b"1234-1234-1234"),
    ("ce_time", b"2018-04-05T03:56:24Z"),
    ("ce_subject", b"alice"),
]
"""As in section 3.2.4 of the binding, 1.0.2, with a subject."""

FIELDS = {
    "specversion": "1.0",
    "type": "com.example.someevent",
    "source": "/mycontext/subcontext",
    "id": "1234-1234-1234",
    "time": "2018-04-05T03:56:24Z",
    "subject": "alice",
}


@pytest.mark.parametrize(
    ("content_type", "value", "added"),
    [
        (b"application/json", b'{"tier": "gold"}', {"data": {"tier": "gold"}}),
        (b"application/json; charset=utf-8", b"[1]", {"data": [1]}),
        (b"application/vnd.members+JSON", b'"gold"', {"data": "gold"}),
        (b"text/plain", b"gold", {"data": "gold"}),
        (b"application/avro", b"\x00gold", {}),
        (b"application/json", None, {}),
        (b"application/json", b"", {}),
    ],
)
def test_a_binary_event_has_its_envelope_in_headers_and_its_data_in_the_value(
    content_type: bytes, value: bytes | None, added: dict[str, object]
) -> None:
    """What is neither JSON nor text stays closed; rules that need the envelope only apply all the same."""
    event = cloudevent(RawRecord(value, None, [*ENVELOPE, ("content-type", content_type)]))

    media_type = content_type.decode().partition(";")[0].lower()
    assert event == Event(
        "com.example.someevent", FIELDS | {"datacontenttype": media_type} | added, 1522900584.0
    )


def test_a_binary_event_without_a_content_type_holds_json() -> None:
    """As data in the JSON format does where nothing is said."""
    event = cloudevent(RawRecord(b'{"tier": "gold"}', None, ENVELOPE))

    assert event == Event("com.example.someevent", FIELDS | {"data": {"tier": "gold"}}, 1522900584.0)


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", b"application/cloudevents+json; charset=UTF-8")],
        [("Content-Type", b"application/cloudevents")],
        [("content-type", b"application/json")],
        [("traceparent", b"\xff"), ("content-type", None)],
        # Who forwards an event in another mode may leave headers behind: the content type decides
        [*ENVELOPE, ("content-type", b"application/cloudevents+json")],
    ],
)
def test_a_structured_event_is_in_the_value(headers: Headers) -> None:
    """Told by the content type, or by the lack of everything that tells of a binary one."""
    value = b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}}'

    event = cloudevent(RawRecord(value, None, headers))

    assert isinstance(event, Event)
    assert (event.type, event.fields["data"], "subject" in event.fields) == ("t", {"a": 1}, False)


@pytest.mark.parametrize(
    ("headers", "value", "cause", "info"),
    [
        (
            [("content-type", b"application/cloudevents-batch+json")],
            b"[]",
            Cause.UNREADABLE,
            "a batch of CloudEvents; let its producer send one event a record",
        ),
        (
            [("content-type", b"application/cloudevents+avro")],
            b"\x00",
            Cause.UNREADABLE,
            "is written as application/cloudevents+avro; only application/cloudevents+json is read",
        ),
        (
            [("ce_type", b"\xff")],
            b"{}",
            Cause.UNREADABLE,
            "the header ce_type of the CloudEvent is not UTF-8",
        ),
        (ENVELOPE, b'{"tier', Cause.UNREADABLE, "the value is no JSON:"),
        (ENVELOPE, b"[" * 100_000, Cause.UNREADABLE, "nested too deeply"),
        (
            [*ENVELOPE, ("content-type", b"text/plain")],
            b"\xff",
            Cause.UNREADABLE,
            "is text/plain, and not UTF-8",
        ),
        ([("ce_id", b"1")], b"{}", Cause.NO_TYPE, "the CloudEvent's `type` is missing"),
        ([("ce_type", b"")], b"{}", Cause.NO_TYPE, "the CloudEvent's `type` is missing"),
        ([("ce_type", None)], b"{}", Cause.NO_TYPE, "the CloudEvent's `type` is missing"),
    ],
)
def test_what_can_not_be_read_says_why(headers: Headers, value: bytes, cause: Cause, info: str) -> None:
    event = cloudevent(RawRecord(value, None, headers))

    assert isinstance(event, Unusable)
    assert event.cause is cause
    assert info in event.info
