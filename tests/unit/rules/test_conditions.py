"""Conditions: true or false of any event, or a reason why not; never a crash, and never for long."""

import time
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.event import Cause, Unusable
from audience_sync.rules.conditions import MOST_CHARACTERS, MOST_LEVELS, condition

EVENT: Final[dict[str, object]] = {
    "type": "paid",
    "first-name": "Alice",
    "data": {"tier": "gold", "level": 7, "price": 1.5, "vip": True, "none": None, "tags": ["a", "b"],
             "at": "2026-11-22T08:30:00Z"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("data.tier == 'gold' && data.level > 5", True),
        ("data.level > 6.5", True),
        ("data.price < 2", True),
        ("data.vip == true", True),
        ("data.none == null", True),
        ("data.tier in ['silver', 'gold']", True),
        ("'c' in data.tags", False),
        ("data.tags.exists(t, t == 'b')", True),
        ("has(data.nowhere)", False),
        ("has(event.nowhere) || data.level == 7", True),
        ("event.type == 'paid'", True),
        ('event["first-name"].startsWith("A")', True),
        ("data.tier.matches('^g.*d$')", True),
        ("timestamp(data.at) < timestamp('2027-01-01T00:00:00Z')", True),
        ("has(data.city) && data.city == 'x'", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert condition(text).holds(EVENT) is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data.city == 'x'", "field city is missing; ask first whether it is there, with has(...)"),
        ("nowhere == 1", "field nowhere is missing; ask first"),
        ("data.tier > 5", "No matching overloads found"),
        ("data.tags[5] == 'a'", "Index error"),
        ("data.level / 0 > 1", "divide by zero"),
        ("data.tier.matches('(')", "invalid regular expression"),
    ],
)
def test_an_event_that_a_condition_cannot_judge_is_unusable(text: str, told: str) -> None:
    """To take it for false would drop events that nobody looked at."""
    answer = condition(text).holds(EVENT)

    assert isinstance(answer, Unusable)
    assert answer.cause is Cause.CONDITION
    assert answer.info.startswith(f"the condition {text!r} is neither true nor false: ")
    assert told in answer.info


def test_integers_that_the_language_does_not_have_are_compared_all_the_same() -> None:
    """It has 64 bits; JSON has any number of digits, and most of them are in fields that nobody asks for."""
    big: dict[str, object] = {"data": {"level": 10**30, "other": -(10**400), "list": [2**64]}}

    assert condition("data.level > 5").holds(big) is True
    assert condition("data.other < 0").holds(big) is True
    assert condition("size(data.list) == 1").holds(big) is True


@pytest.mark.parametrize(
    ("levels", "held"), [(MOST_LEVELS - 2, True), (MOST_LEVELS + 1, None), (50_000, None)]
)
def test_an_event_of_endless_depth_is_unusable_and_no_crash(levels: int, held: bool | None) -> None:
    """The library goes through values by recursion, in C++: the process would end without a word."""
    deep: object = 1
    for _ in range(levels):
        deep = {"a": deep}

    answer = condition("has(data.a)").holds({"data": deep})

    assert answer is held if held else isinstance(answer, Unusable)


def test_a_condition_does_not_go_on_for_ever() -> None:
    """A list of lists of a megabyte is work for minutes; the library gives up after 10,000 steps."""
    endless: dict[str, object] = {"many": list(range(5_000))}
    begun = time.perf_counter()

    answer = condition("many.all(a, many.all(b, many.all(c, a + b + c >= 0)))").holds(endless)

    assert isinstance(answer, Unusable)
    assert time.perf_counter() - begun < 2.0


def test_a_pattern_takes_no_longer_for_a_malicious_text() -> None:
    """The library's regular expressions are linear in the text."""
    begun = time.perf_counter()

    assert condition("text.matches('^(a+)+$')").holds({"text": "a" * 20_000 + "b"}) is False
    assert time.perf_counter() - begun < 2.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data.", "is no condition in CEL: at character"),
        ("data.tier = 'x'", "is no condition in CEL: at character"),
        ("data.tier.lower() == 'x'", "at character 16, undeclared reference to 'lower'"),
        ("data.level + 1", "gives a number and must give true or false"),
        ("data.level", "gives a field's value, of whatever kind, and must give true or false"),
        ("size(data.tags)", "gives a number and must give true or false"),
        ("true", "is the same for every event"),
        ("1 in [1, 2]", "is the same for every event"),
        ("x" * (MOST_CHARACTERS + 1), f"more than {MOST_CHARACTERS}; use a translator"),
        ("(" * 900 + "a" + ")" * 900 + " == 1", "is no condition in CEL"),
        ("", "is no condition in CEL"),
        ("\udcff == 1", "is no condition in CEL"),
    ],
)
def test_what_is_no_condition_is_told_when_the_rules_are_loaded(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"condition|gives|the same") as caught:
        condition(text)
    assert told in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_what_is_wrong_with_it(text: str) -> None:
    with suppress(ValueError):
        condition(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["data", "type", "x"]), values | st.dictionaries(st.just("level"), values)
    )
)
def test_no_event_raises(event: dict[str, object]) -> None:
    """What is raised in the middle of reading ends it."""
    for text in ("data.level > 3", "has(data.level)", "event.x == data", "size(event) > 1 && x != null"):
        answer = condition(text).holds(event)

        assert type(answer) is bool or isinstance(answer, Unusable)
        if isinstance(answer, Unusable):
            assert answer.info.encode()
