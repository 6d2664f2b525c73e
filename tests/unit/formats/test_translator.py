"""Format and rules together: from bytes to changes, for every kind of record."""

from collections.abc import Mapping

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.changes import AddTag, RemoveTag, SetAttribute, UserId
from audience_sync.core.event import Cause, Translated, Translation, Unusable
from audience_sync.core.limits import broken_limit
from audience_sync.core.rules import Rules
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import load_rules, parse_rules

TRANSLATOR = Translator(load_rules())
TOPICS = load_rules().topics

MEMBERSHIP = (
    b'{"specversion":"1.0","id":"1","source":"/members","type":"com.example.membership.changed",'
    b'"time":"2026-11-22T08:30:00Z","data":{"user_id":"alice","tier":"platinum"}}'
)
CITY = b'{"kind":"city-changed","user_id":"alice","city":"Shenzhen"}'
FOLLOWED = b'{"type":"com.example.stock.followed","data":{"user_id":"alice","symbol":700}}'
UNFOLLOWED = b'{"type":"com.example.stock.unfollowed","data":{"user_id":"alice","symbol":"A"}}'

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
types = st.sampled_from(["com.example.membership.changed", "com.example.stock.followed", "other"]) | values
data = st.fixed_dictionaries({}, optional={"user_id": values, "tier": values, "symbol": values})
events = st.fixed_dictionaries(
    {},
    optional={"type": types, "time": values, "data": data | values, "user_id": values, "city": values}
    | {"kind": st.just("city-changed") | values},
)


def test_the_shipped_rules_reproduce_the_examples_of_the_overview() -> None:
    """Tier and city become attributes, a followed stock a tag: that is what the push's conditions name."""
    alice = UserId("alice")
    expected: Mapping[tuple[str, bytes], Translation] = {
        ("membership-changed", MEMBERSHIP): Translated(
            alice, (SetAttribute("membership", "platinum"),), False, 1795336200.0
        ),
        ("city-changed", CITY): Translated(alice, (SetAttribute("city", "Shenzhen"),), False, None),
        ("stock-follows", FOLLOWED): Translated(alice, (AddTag("stock:700"),), False, None),
        ("stock-follows", UNFOLLOWED): Translated(alice, (RemoveTag("stock:A"),), False, None),
    }

    assert {
        (topic, value): TRANSLATOR.translate(topic, RawRecord(value)) for topic, value in expected
    } == expected


def test_a_record_of_a_topic_that_no_source_names_is_unusable() -> None:
    """A dead letter may be older than the rules of today."""
    event = TRANSLATOR.translate("gone", RawRecord(MEMBERSHIP))

    assert isinstance(event, Unusable)
    assert event.cause is Cause.UNKNOWN_TYPE
    assert "'gone'" in event.info


def test_a_time_that_nobody_asks_for_is_not_read() -> None:
    """Finding out when an event happened costs a quarter of what the event costs; where times decide it is read."""
    shipped = load_rules()
    membership, *others = shipped.sources.values()
    deciding = msgspec.structs.replace(membership, event_time=True)
    moments = {
        (decides, all_times): Translator(
            Rules([deciding if decides else membership, *others], shipped.rules), all_times=all_times
        ).translate("membership-changed", RawRecord(MEMBERSHIP))
        for decides in (False, True)
        for all_times in (False, True)
    }

    assert {case: came.event_seconds for case, came in moments.items() if isinstance(came, Translated)} == {
        (False, False): None,
        (False, True): 1795336200.0,
        (True, False): 1795336200.0,
        (True, True): 1795336200.0,
    }


@given(st.sampled_from(TOPICS), st.none() | st.binary())
def test_no_bytes_raise(topic: str, value: bytes | None) -> None:
    """What is raised in the hot path ends consumption."""
    check(TRANSLATOR.translate(topic, RawRecord(value)))


@given(st.sampled_from(TOPICS), events)
def test_no_json_raises(topic: str, event: dict[str, object]) -> None:
    """Right in form, wrong in content, in every mixture."""
    check(TRANSLATOR.translate(topic, RawRecord(msgspec.json.encode(event))))


@given(st.sampled_from([MEMBERSHIP, CITY, FOLLOWED]), st.integers(0, 200), st.binary(max_size=4))
def test_no_damaged_event_raises(value: bytes, at: int, put: bytes) -> None:
    """A byte or two in another place is how real records break."""
    for topic in TOPICS:
        check(TRANSLATOR.translate(topic, RawRecord(value[:at] + put + value[at + len(put) :])))


def check(translated: Translation) -> None:
    """What holds of every translation: changes that may be sent, or a sentence that can be written down."""
    if isinstance(translated, Translated):
        assert translated.changes
        assert [broken_limit(translated.user, change) for change in translated.changes] == [None] * len(
            translated.changes
        )
    elif isinstance(translated, Unusable):
        assert translated.info.encode()
        assert len(translated.info) <= 610


def test_events_times_decide_where_a_source_says_so() -> None:
    """And in no topic that the rules do not name."""
    text = """
sources:
  - {topic: by-time, format: json, type: e, event_time: true}
  - {topic: by-log, format: json, type: f}
rules:
  - {name: e, event: e, user: "{u}", changes: [set_attribute: {name: city, value: "{v}"}]}
  - {name: f, event: f, user: "{u}", changes: [add_tag: a]}
"""
    translator = Translator(parse_rules(text, file="rules.yaml"))

    assert [translator.by_event_time(topic) for topic in ("by-time", "by-log", "another")] == [
        True,
        False,
        False,
    ]
