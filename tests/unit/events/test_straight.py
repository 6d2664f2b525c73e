"""The straight way from bytes to changes decides as the long way does, or leaves it to it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.changes import AddTag, RemoveAttribute, RemoveTag, SetAttribute, UserId
from audience_sync.core.event import Cause, Translated, Translation, Unusable
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.straight import straightened
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord, Record
from audience_sync.rules.file import parse_rules

RULES = parse_rules(
    """
sources:
  - {topic: events, format: cloudevents}
  - {topic: cities, format: json, type: moved}
  - {topic: logins, format: json, type_field: meta.kind}
rules:
  - {name: tier, event: tier, topic: events, user: "{data.user}",
     changes: [{set_attribute: {name: tier, value: "{data.tier}"}}]}
  - {name: tag, event: tag, topic: events, user: "{data.user}", urgent: true,
     changes: [{add_tag: "stock:{data.symbol}"}]}
  - {name: more, event: tag, topic: events, user: "{data.user}",
     changes: [{set_attribute: {name: seen, value: "yes"}}]}
  - {name: gone, event: gone, topic: events, user: "{data.user}",
     changes: [{remove_tag: old}, {remove_attribute: tier}]}
  - name: city
    event: moved
    topic: cities
    user: "{user}"
    changes: [{set_attribute: {name: city, value: "{to}", map: {sz: 深圳, sh: Shanghai}, otherwise: ignore}}]
  - name: login
    event: login
    topic: logins
    user: "{who.id}"
    changes:
      - set_attribute: {name: device, value: "d-{device}", if_null: remove}
      - remove_tag: "深{device}"
""",
    file="rules.yaml",
)
STRAIGHT = Translator(RULES, all_times=False)

texts = st.sampled_from(["alice", "sz", "A", "", "深圳", "x" * 40, "ü" * 14]) | st.text(max_size=60)
values = (
    texts
    | st.none()
    | st.booleans()
    | st.integers()
    | st.lists(texts, max_size=2)
    | st.dictionaries(texts, texts)
)
kinds = st.sampled_from(["tier", "tag", "gone", "moved", "login"]) | values
inner = st.fixed_dictionaries({}, optional=dict.fromkeys(("user", "tier", "symbol", "id", "kind"), values))
events = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds,
        "kind": kinds,
        "data": inner | values,
        "who": inner | values,
        "meta": inner | values,
    }
    | dict.fromkeys(("user", "to", "device", "else"), values),
)
headers = st.sampled_from(
    [
        (),
        (("content-type", b"application/cloudevents+json; charset=utf-8"),),
        (("content-type", b"application/cloudevents-batch+json"),),
        (("ce_type", b"tier"),),
        (("traceparent", b"00-1-2-01"),),
    ]
)


def long_way(topic: str, record: Record) -> Translation:
    """Decoding whole, then the rules."""
    source = msgspec.structs.replace(RULES.sources[topic], timed=False)
    event = decoder_of(source, None)(record)
    return event if isinstance(event, Unusable) else RULES.translate(topic, event)  # type: ignore[arg-type]


def straight_way_only(
    topic: str, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()
) -> Translation | None:
    """What comes of it without the long way behind."""
    asked: list[Record] = []

    def otherwise(record: Record) -> Translation:
        asked.append(record)
        return Unusable(Cause.UNREADABLE, "the long way")

    source = msgspec.structs.replace(RULES.sources[topic], timed=False)
    found = straightened(source, RULES.of_topic(topic), otherwise)(RawRecord(value, headers=headers))
    return None if asked else found


@given(st.sampled_from(RULES.topics), events, headers, st.booleans())
def test_both_ways_agree(
    topic: str, event: object, headers: tuple[tuple[str, bytes], ...], ascii_only: bool
) -> None:
    """Whatever stands in an event: the same changes, and the same words on what is wrong."""
    value = json.dumps(event, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    record = RawRecord(value, headers=headers)

    assert STRAIGHT.translate(topic, record) == long_way(topic, record)


@given(st.sampled_from(RULES.topics), events, st.data())
def test_both_ways_agree_on_spoilt_bytes(topic: str, event: object, data: st.DataObject) -> None:
    """A byte more, less or another: what is no JSON or no UTF-8 is so on both ways, wherever it stands."""
    value = bytearray(json.dumps(event, ensure_ascii=False).encode(errors="surrogatepass"))
    at = data.draw(st.integers(0, len(value) - 1))
    match data.draw(st.sampled_from(["cut", "change", "insert"])):
        case "cut":
            del value[at:]
        case "change":
            value[at] = data.draw(st.integers(0, 255))
        case _:
            value.insert(at, data.draw(st.integers(0, 255)))
    record = RawRecord(bytes(value))

    assert STRAIGHT.translate(topic, record) == long_way(topic, record)


@pytest.mark.parametrize(
    ("topic", "value", "expected"),
    [
        ("events", '{"type":"tier","data":{"user":"a","tier":"gold"}}', (SetAttribute("tier", "gold"),)),
        (
            "events",
            '{"type":"tag","data":{"user":"a","symbol":"A"}}',
            (AddTag("stock:A"), SetAttribute("seen", "yes")),
        ),
        ("events", '{"type":"gone","data":{"user":"a"},"深":1}', (RemoveTag("old"), RemoveAttribute("tier"))),
        ("cities", '{"user":"a","to":"sz"}', (SetAttribute("city", "深圳"),)),
    ],
)
def test_plain_events_go_straight(topic: str, value: str, expected: tuple[object, ...]) -> None:
    """The long way is not asked."""
    found = straight_way_only(topic, value.encode())

    assert isinstance(found, Translated)
    assert (found.user, found.changes) == (UserId("a"), expected)


def test_a_structured_cloudevent_goes_straight_and_a_binary_one_does_not() -> None:
    """Its content type says that all stands in the value."""
    value = b'{"type":"tier","data":{"user":"a","tier":"gold"}}'

    assert (
        straight_way_only("events", value, (("content-type", b"application/cloudevents+json"),)) is not None
    )
    assert straight_way_only("events", value, (("ce_type", b"tier"),)) is None


@pytest.mark.parametrize(
    "value",
    [
        '{"type":"tier","data":{"user":"a"}}',
        '{"type":"tier","data":{"user":7,"tier":"gold"}}',
        '{"type":"tier","data":{"user":"","tier":"gold"}}',
        f'{{"type":"tier","data":{{"user":"a","tier":"{"x" * 51}"}}}}',
        f'{{"type":"tier","data":{{"user":"{"ü" * 17}","tier":"gold"}}}}',
        '{"type":"other","data":{"user":"a","tier":"gold"}}',
        "{",
        "",
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(value: str) -> None:
    """It knows what is wrong, or how to write a number."""
    assert straight_way_only("events", value.encode()) is None


@pytest.mark.parametrize(
    "rule",
    [
        '{event: a, user: "{u}", when: "b == 1", changes: [{add_tag: "{t}"}]}',
        '{event: a, user: "{u}", changes: [{add_tag: {tag: "{item}", for_each: t}}]}',
        '{event: a, user: "{$key}", changes: [{add_tag: "{t}"}]}',
        '{event: a, user: "{u}{v}", changes: [{add_tag: "{t}"}]}',
        '{event: a, user: "{u}", changes: [{add_tag: "{u.t}"}]}',
        """{event: a, user: "{u}", changes: [{add_tag: '{"t"}'}]}""",
    ],
)
def test_rules_that_need_more_than_texts_have_no_straight_way(rule: str) -> None:
    """Their topic is read the long way, all of it."""
    rules = parse_rules(
        f"sources: [{{topic: t, format: json, type: a}}]\nrules: [{{name: r, {rule[1:]}]", file="rules.yaml"
    )
    source = msgspec.structs.replace(rules.sources["t"], timed=False)

    def otherwise(_: Record) -> Translation:
        raise AssertionError

    assert straightened(source, rules.of_topic("t"), otherwise) is otherwise


@pytest.mark.parametrize("spoilt", [b'"\xff"', b'"\xed\xa0\x80"', b'"\\ud800"', b"01", b"[1,]", b"'a'"])
def test_what_nobody_uses_is_read_all_the_same(spoilt: bytes) -> None:
    """A record that is no JSON, or no UTF-8, is so in whatever field."""
    record = RawRecord(b'{"user":"a","to":"sz","else":' + spoilt + b"}")
    found = STRAIGHT.translate("cities", record)

    assert isinstance(found, Unusable)
    assert found == long_way("cities", record)


def test_a_number_that_nobody_uses_may_be_too_large() -> None:
    """The one difference: it is skipped by its grammar, and the event is not refused for it."""
    found = STRAIGHT.translate("cities", RawRecord(b'{"user":"a","to":"sz","else":1e999}'))

    assert isinstance(found, Translated)
