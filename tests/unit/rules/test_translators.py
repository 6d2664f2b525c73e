"""Translators in Python: found when the rules are loaded, and trusted with nothing after."""

import sys
from typing import Final

import pytest

from audience_sync.core.changes import UserId
from audience_sync.core.event import Cause, Ignored, Translated, TranslatedMany, Unusable
from audience_sync.core.rules import Rules
from audience_sync.rules.file import parse_rules
from audience_sync.rules.problems import RulesError
from audience_sync.translators import (
    AddTag,
    Change,
    Effects,
    Event,
    RemoveAllTags,
    RemoveAttribute,
    SetAttribute,
    UnfitError,
)

RULES: Final = """
sources:
  - {{topic: events, format: json, type: x}}
rules:
  - name: ours
    event: x
    translator: {function}
    writes: {{attributes: [level], tags: ["level:"]}}
    {more}
"""


def rules_of(function: str, more: str = "") -> Rules:
    """Rules with one of the functions below."""
    return parse_rules(RULES.format(function=function, more=more), file="rules.yaml")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name for this module that a rules file can give."""
    monkeypatch.setitem(sys.modules, "our_translators", sys.modules[__name__])


GIVEN: dict[str, object] = {}
"""What the translator gives, or raises, in a test."""


def translate(event: Event) -> Effects | None:
    """What the test wants."""
    gives = GIVEN["gives"]
    if isinstance(gives, Exception):
        raise gives
    return gives(event) if callable(gives) else gives  # type: ignore[return-value]  # whatever it is


def two(event: Event, more: int) -> None:
    """A function with a parameter too many."""


async def later(event: Event) -> None:
    """A function that waits."""


NOT_CALLABLE: Final = 7


def given(gives: object, more: str = "") -> object:
    """What comes of an event when the translator gives that."""
    GIVEN["gives"] = gives
    return rules_of("our_translators:translate", more).translate("events", Event("x", {"id": "alice"}, 5.0))


def test_a_translator_says_who_is_concerned_and_how() -> None:
    def gives(event: Event) -> Effects:
        return {
            UserId(str(event.fields["id"])): [SetAttribute("level", "1"), AddTag("level:1")],
            UserId("bob"): [],
        }

    alice = (SetAttribute("level", "1"), AddTag("level:1"))
    assert given(gives) == Translated(UserId("alice"), alice, False, 5.0)


def test_a_translator_may_concern_several_users() -> None:
    found = given({"alice": (RemoveAttribute("level"),), "bob": iter([AddTag("level:1")])}, "urgent: true")

    assert found == TranslatedMany(
        (
            Translated(UserId("alice"), (RemoveAttribute("level"),), True, 5.0),
            Translated(UserId("bob"), (AddTag("level:1"),), True, 5.0),
        )
    )


@pytest.mark.parametrize("nothing", [None, {}, {"alice": []}])
def test_a_translator_may_do_nothing(nothing: object) -> None:
    assert isinstance(given(nothing), Ignored)


def test_a_condition_comes_before_the_translator() -> None:
    """It is not asked about events that the condition leaves out."""
    assert isinstance(given(AssertionError("not to be asked"), "when: id == 'bob'"), Ignored)


LONG: Final = "x" * 51


@pytest.mark.parametrize(
    ("gives", "told"),
    [
        (UnfitError("points are missing"), "points are missing"),
        (UnfitError(), "our_translators:translate can't use the event"),
        (KeyError("id"), "our_translators:translate raised KeyError: 'id'"),
        (RecursionError("deep"), "our_translators:translate raised RecursionError: deep"),
        (ValueError("\ud800"), "our_translators:translate raised ValueError: ?"),
        ([], "the translator gave list; users with their changes are needed"),
        ({7: []}, "the translator gave a user 7, which is no text"),
        ({"": []}, "the user '' has 0 bytes of UTF-8; the Chat API takes 1 to 32"),
        ({"a" * 33: []}, "the user 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' has 33 bytes"),
        ({"alice": ["tag"]}, "the translator gave 'tag', which is no change"),
        ({"alice": [AddTag(7)]}, "the translator gave AddTag(tag=7), which holds something else than text"),  # type: ignore[arg-type]  # what the test is about
        ({"alice": [AddTag(LONG)]}, f"the tag '{LONG}' has 51 bytes of UTF-8"),
        ({"alice": [AddTag("other")]}, "the translator gave AddTag(tag='other'), which its rule does not name; add"),
        ({"alice": [SetAttribute("tier", "a")]}, "the translator gave SetAttribute(name='tier', value='a'), which"),
        ({"alice": [RemoveAllTags()]}, "the translator gave RemoveAllTags(), which its rule does not name"),
        ({"alice": 7}, "our_translators:translate raised TypeError: 'int' object is not iterable"),
        ({"\ud800": []}, "our_translators:translate raised UnicodeEncodeError"),
    ],
)  # fmt: skip
def test_what_a_translator_does_wrong_makes_one_event_unusable(gives: object, told: str) -> None:
    """It is code that others wrote: one event is at fault, never the reading of all."""
    answer = given(gives)

    assert isinstance(answer, Unusable)
    assert answer.cause is Cause.TRANSLATOR
    assert answer.info.startswith(f"rule 'ours': {told}")
    assert answer.info.encode()


def test_an_event_makes_only_so_many_changes() -> None:
    changes: list[Change] = [AddTag("level:1")] * 10_001

    answer = given({"alice": changes})

    assert isinstance(answer, Unusable)
    assert answer.cause is Cause.BROKEN_LIMIT


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("our_translators", "'our_translators' names no function; write package.module:function"),
        ("nowhere:translate", "'nowhere' can't be imported: ModuleNotFoundError: No module named 'nowhere'; inst"),
        ("our_translators:nothing", "'our_translators:nothing' is no plain function; write `def nothing(event:"),
        ("our_translators:NOT_CALLABLE", "'our_translators:NOT_CALLABLE' is no plain function"),
        ("our_translators:later", "'our_translators:later' is no plain function"),
        ("our_translators:two", "'our_translators:two' can't be called with an event alone: missing a req"),
    ],
)  # fmt: skip
def test_a_translator_that_cannot_be_called_is_told_when_the_rules_are_loaded(
    function: str, told: str
) -> None:
    with pytest.raises(RulesError) as caught:
        rules_of(function)

    assert str(caught.value).startswith(f"rules.yaml, line 7, rule 'ours': translator: {told}")


def test_what_a_translator_writes_counts_like_what_rules_write() -> None:
    """Slots and order are judged before the first event."""
    text = RULES.format(function="our_translators:translate", more="") + (
        "  - {name: other, event: x, user: '{u}', changes: [remove_attribute: level]}\n"
    )

    assert rules_of("our_translators:translate").attribute_names == ("level",)
    with pytest.raises(
        RulesError, match="rule 'other': an event 'x' already writes attribute 'level' in rule 'ours'"
    ):
        parse_rules(text, file="rules.yaml")
