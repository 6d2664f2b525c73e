"""Compiled rules: which changes an event causes, and when it is left alone."""

import pytest

from audience_sync.core.changes import AddTag, RemoveAllTags, RemoveAttribute, SetAttribute, UserId
from audience_sync.core.event import Cause, Event, Ignored, Translated, Unusable
from audience_sync.core.rules import Rules
from audience_sync.rules.file import parse_rules

TWO_RULES = """
sources:
  - {topic: orders, format: cloudevents, other_types: ignore}
rules:
  - name: first
    event: paid
    user: "{user}"
    changes:
      - set_attribute: {name: last_order, value: "{order}"}
      - remove_attribute: cart
  - name: second
    event: paid
    user: "{payer}"
    urgent: true
    changes:
      - remove_all_tags: true
      - add_tag: "bought:{product}"
"""
FIELDS: dict[str, object] = {"user": "alice", "payer": "alice", "order": 12, "product": "tea"}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return parse_rules(TWO_RULES, file="rules.yaml")


def test_all_rules_of_a_type_apply_in_the_order_of_the_file(rules: Rules) -> None:
    """One urgent rule makes all of the event urgent: it is one event."""
    assert rules.translate("orders", Event("paid", FIELDS, 5.0)) == Translated(
        UserId("alice"),
        (SetAttribute("last_order", "12"), RemoveAttribute("cart"), RemoveAllTags(), AddTag("bought:tea")),
        True,
        5.0,
    )


@pytest.mark.parametrize(
    ("changed", "cause", "told"),
    [
        (
            {"payer": "bob"},
            Cause.NO_USER,
            "rules 'first' and 'second' find different users, 'alice' and 'bob'",
        ),
        ({"user": ""}, Cause.NO_USER, "rule 'first': the user: field user is empty"),
        ({"user": None}, Cause.WRONG_TYPE, "rule 'first': the user: field user is null"),
        (
            {"order": True},
            Cause.WRONG_TYPE,
            "rule 'first': field order is a boolean; text or an integer is needed",
        ),
        ({"product": []}, Cause.WRONG_TYPE, "rule 'second': field product is a list"),
        ({"order": 10**60}, Cause.BROKEN_LIMIT, "rule 'first': the value of attribute 'last_order'"),
        ({"product": "茶" * 15}, Cause.BROKEN_LIMIT, "rule 'second': the tag"),
        ({"user": "a" * 33, "payer": "a" * 33}, Cause.BROKEN_LIMIT, "rule 'first': the user"),
    ],
)
def test_one_change_that_cannot_be_made_makes_the_whole_event_unusable(
    rules: Rules, changed: dict[str, object], cause: Cause, told: str
) -> None:
    """Half an event would leave the user in a state that no event stands for."""
    answer = rules.translate("orders", Event("paid", FIELDS | changed))

    assert isinstance(answer, Unusable)
    assert answer.cause is cause
    assert answer.info.startswith(told)


def test_a_missing_user_is_no_user(rules: Rules) -> None:
    answer = rules.translate("orders", Event("paid", {"order": 1}))

    assert isinstance(answer, Unusable)
    assert answer.cause is Cause.NO_USER


def test_a_huge_value_does_not_make_a_huge_sentence(rules: Rules) -> None:
    """The sentence goes to logs and headers; the value stays with the event."""
    answer = rules.translate("orders", Event("paid", FIELDS | {"product": "x" * 1_000_000}))

    assert isinstance(answer, Unusable)
    assert len(answer.info) < 1000
    assert answer.info.endswith("the Chat API takes 1 to 50")


def test_other_types_are_ignored_where_the_source_says_so(rules: Rules) -> None:
    assert isinstance(rules.translate("orders", Event("refunded", {})), Ignored)


def test_other_types_go_to_the_dead_letters_otherwise() -> None:
    """An event that nobody thought of is seen, unless somebody said that it does not matter."""
    strict = parse_rules(
        TWO_RULES.replace("other_types: ignore", "other_types: dead_letter"), file="rules.yaml"
    )

    answer = strict.translate("orders", Event("refunded", {}))

    assert isinstance(answer, Unusable)
    assert answer.cause is Cause.UNKNOWN_TYPE


def test_the_rules_tell_what_they_read_and_write(rules: Rules) -> None:
    assert rules.topics == ("orders",)
    assert rules.attribute_names == ("last_order", "cart")
