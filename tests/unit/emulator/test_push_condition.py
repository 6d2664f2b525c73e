"""Whom a condition is for, and which conditions are refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.emulator.condition import Condition, matches
from audience_sync.emulator.push_reading import read_push
from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Combined, Switches, Values
from tests.unit.emulator.pushes import body, read, refusal

SHAPE, LIMIT = Cause.SHAPE, Cause.LIMIT


def condition(given_condition: object, **how: Any) -> Condition:
    return read(body(Condition=given_condition), **how).condition


def refused_as(given_condition: object, **how: Any) -> tuple[int, Cause]:
    return refusal(body(Condition=given_condition), **how)


@pytest.mark.parametrize(
    "empty",
    [
        None,
        {},
        {"TagsOr": None},
        {"TagsOr": [], "TagsAnd": None},
        {"TagsOr": None, "TagsAnd": None, "AttrsOr": None, "AttrsAnd": {}},
    ],
)
def test_a_condition_that_asks_nothing_is_for_everybody(empty: object) -> None:
    """Nobody knows what the API makes of it; this is the worst that a client can cause."""
    assert condition(empty) == Condition()
    assert matches(Condition(), attributes={}, tags=(), combined=Combined.AND)


def test_lists_that_are_null_do_not_count() -> None:
    """One public client sends all four, those it does not use as null."""
    found = condition({"TagsOr": None, "TagsAnd": None, "AttrsOr": {"sex": "x"}, "AttrsAnd": None})
    assert found == Condition(attributes_or={"sex": "x"})


@pytest.mark.parametrize("family", ["all_member_push", "timpush"])
@pytest.mark.parametrize("name", ["TagsOr", "TagsAnd"])
def test_ten_tags_in_a_list(family: str, name: str) -> None:
    """Each list by itself, so that two have twenty."""
    for count in (9, 10):
        condition({name: [f"t{number}" for number in range(count)]}, family=family)
    assert refused_as({name: [f"t{number}" for number in range(11)]}, family=family) == (90032, LIMIT)
    both = {
        "TagsOr": [f"o{number}" for number in range(10)],
        "TagsAnd": [f"a{number}" for number in range(10)],
    }
    assert len(condition(both, family=family).tags_and) == 10


def test_ten_tags_that_a_user_must_not_carry() -> None:
    """The successor's own list has the same limit."""
    assert len(condition({"TagsNot": list("abcdefghij")}, family="timpush").tags_not) == 10
    assert refused_as({"TagsNot": list("abcdefghijk")}, family="timpush") == (90032, LIMIT)


@pytest.mark.parametrize("tag", ["x", "x" * 49, "x" * 50, "深" * 16])
def test_a_tag_has_fifty_bytes(tag: str) -> None:
    """In UTF-8."""
    assert condition({"TagsOr": [tag]}).tags_or == (tag,)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["x" * 51], (90020, LIMIT)),
        (["深" * 17], (90020, LIMIT)),
        (["a", ""], (90040, LIMIT)),
        (["a", 1], (90001, SHAPE)),
        (["a", None], (90001, SHAPE)),
        ("a", (90001, SHAPE)),
        ({"a": "b"}, (90001, SHAPE)),
    ],
)
@pytest.mark.parametrize("name", ["TagsOr", "TagsAnd", "TagsNot"])
def test_other_tags_are_refused(name: str, tags: object, expected: tuple[int, Cause]) -> None:
    """Too long and empty have their own codes."""
    assert refused_as({name: tags}, family="timpush") == expected


@pytest.mark.parametrize("value", ["x", "x" * 49, "x" * 50])
def test_an_attribute_has_fifty_bytes(value: str) -> None:
    """Its name as well as its value."""
    assert condition({"AttrsAnd": {value: value}}).attributes_and == {value: value}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"sex": ""}, (90033, LIMIT)),
        ({"sex": "x" * 51}, (90033, LIMIT)),
        ({"": "x"}, (90033, LIMIT)),
        ({"x" * 51: "x"}, (90033, LIMIT)),
        ({"sex": 1}, (90033, SHAPE)),
        ({"sex": None}, (90033, SHAPE)),
        ({"sex": ["x"]}, (90033, SHAPE)),
        ([{"sex": "x"}], (90001, SHAPE)),
        ("sex", (90001, SHAPE)),
    ],
)
@pytest.mark.parametrize("name", ["AttrsOr", "AttrsAnd"])
def test_other_attributes_are_refused(name: str, attributes: object, expected: tuple[int, Cause]) -> None:
    """One public client sends the condition as a list."""
    assert refused_as({name: attributes}) == expected


def test_a_value_may_be_taken_as_its_text() -> None:
    """Where the switch says so for values that are set, it holds for those that are asked for."""
    found = condition({"AttrsAnd": {"age": 7, "vip": True, "city": None}}, values=Values.ANY)
    assert found.attributes_and == {"age": "7", "vip": "true", "city": "null"}
    assert refused_as({"AttrsAnd": {"age": [7]}}, values=Values.ANY) == (90033, SHAPE)


@pytest.mark.parametrize("tags", ["TagsOr", "TagsAnd", "TagsNot"])
@pytest.mark.parametrize("attributes", ["AttrsOr", "AttrsAnd"])
def test_tags_and_attributes_do_not_mix(tags: str, attributes: str) -> None:
    """But a list that asks nothing mixes with everything."""
    mixed = {tags: ["t"], attributes: {"sex": "x"}}
    assert refused_as(mixed, family="timpush") == (90039, SHAPE)
    condition({**mixed, tags: []}, family="timpush")
    condition({**mixed, attributes: None}, family="timpush")


@pytest.mark.parametrize(
    ("one", "other"), [("TagsOr", "TagsAnd"), ("TagsOr", "TagsNot"), ("TagsAnd", "TagsNot")]
)
def test_a_tag_stands_in_one_list(one: str, other: str) -> None:
    """The same one in two is refused."""
    assert refused_as({one: ["a", "b"], other: ["c", "b"]}, family="timpush") == (90022, SHAPE)
    condition({one: ["a", "a"], other: ["c"]}, family="timpush")


@pytest.mark.parametrize(
    "wrong", [[], "everybody", 0, True, {"TagOr": ["a"]}, {"tagsor": ["a"]}, {"Tags": ["a"]}]
)
def test_what_is_no_condition(wrong: object) -> None:
    """A misspelt key that went unseen would mean everybody."""
    assert refused_as(wrong) == (90001, SHAPE)


@pytest.mark.parametrize(
    "both", [{"TagsOr": ["a"], "TagsAnd": ["b"]}, {"AttrsOr": {"a": "x"}, "AttrsAnd": {"b": "y"}}]
)
def test_two_lists_may_be_too_many(both: dict[str, object]) -> None:
    """If the switch says so; one list is never too many."""
    assert refused_as(both, combined=Combined.REFUSED) == (90039, SHAPE)
    condition(both)
    for name, value in both.items():
        condition({name: value}, combined=Combined.REFUSED)


@pytest.mark.parametrize(
    ("combined", "tags", "expected"),
    [
        (Combined.AND, "a", False),
        (Combined.AND, "bc", False),
        (Combined.AND, "abc", True),
        (Combined.OR, "a", True),
        (Combined.OR, "bc", True),
        (Combined.OR, "b", False),
        (Combined.OR, "", False),
    ],
)
def test_two_lists_of_tags(combined: Combined, tags: str, expected: bool) -> None:
    """One of a, and both b and c: what that means together is a switch."""
    found = Condition(tags_or=("a",), tags_and=("b", "c"))
    assert matches(found, attributes={}, tags=list(tags), combined=combined) is expected


@pytest.mark.parametrize(
    ("combined", "attributes", "expected"),
    [
        (Combined.AND, {"level": "gold"}, False),
        (Combined.AND, {"city": "Shenzhen"}, False),
        (Combined.AND, {"level": "gold", "city": "Shenzhen"}, True),
        (Combined.OR, {"level": "gold", "city": "Beijing"}, True),
        (Combined.OR, {"level": "silver", "city": "Shenzhen"}, True),
        (Combined.OR, {"level": "Shenzhen", "city": "gold"}, False),
    ],
)
def test_two_lists_of_attributes(combined: Combined, attributes: dict[str, str], expected: bool) -> None:
    """A value counts for its own attribute alone."""
    found = Condition(attributes_or={"level": "gold"}, attributes_and={"city": "Shenzhen"})
    assert matches(found, attributes=attributes, tags=(), combined=combined) is expected


def test_none_of_the_tags_that_are_ruled_out() -> None:
    """By themselves they mean everybody else; one of them is enough to be left out, however lists combine."""
    assert matches(Condition(tags_not=("a", "b")), attributes={}, tags=["c"], combined=Combined.AND)
    assert not matches(Condition(tags_not=("a", "b")), attributes={}, tags=["a", "c"], combined=Combined.AND)
    strict = Condition(tags_or=("c",), tags_and=("d",), tags_not=("a",))
    assert not matches(strict, attributes={}, tags=["a", "c", "d"], combined=Combined.OR)
    assert matches(strict, attributes={}, tags=["c"], combined=Combined.OR)


tags = st.lists(st.sampled_from("abcd"), max_size=4, unique=True)
attributes = st.dictionaries(st.sampled_from(["p", "q", "r"]), st.sampled_from("xyz"), max_size=3)
conditions = st.one_of(
    st.fixed_dictionaries({}, optional={"TagsOr": tags, "TagsAnd": tags, "TagsNot": tags}),
    st.fixed_dictionaries({}, optional={"AttrsOr": attributes, "AttrsAnd": attributes}),
    st.none(),
)


def is_meant(
    asked: dict[str, Any] | None, carried: list[str], held: dict[str, str], combined: Combined
) -> bool:
    """The pages' words, clause by clause and without sets."""
    asked = asked or {}
    if any(tag in carried for tag in asked.get("TagsNot", [])):
        return False
    clauses = []
    if asked.get("TagsOr"):
        clauses.append(any(tag in carried for tag in asked["TagsOr"]))
    if asked.get("TagsAnd"):
        clauses.append(all(tag in carried for tag in asked["TagsAnd"]))
    if asked.get("AttrsOr"):
        clauses.append(any(held.get(name) == value for name, value in asked["AttrsOr"].items()))
    if asked.get("AttrsAnd"):
        clauses.append(all(held.get(name) == value for name, value in asked["AttrsAnd"].items()))
    if not clauses:
        return True
    return any(clauses) if combined is Combined.OR else all(clauses)


def pairs_of_tag_lists(asked: dict[str, Any] | None) -> list[tuple[set[str], set[str]]]:
    one, two, three = (set((asked or {}).get(name, [])) for name in ("TagsOr", "TagsAnd", "TagsNot"))
    return [(one, two), (one, three), (two, three)]


@given(conditions, tags, attributes, st.sampled_from([Combined.AND, Combined.OR]))
def test_a_condition_means_what_the_pages_say(
    asked: dict[str, Any] | None, carried: list[str], held: dict[str, str], combined: Combined
) -> None:
    """For every combination of lists and every user."""
    switches = Switches(combined=combined)
    given_body = body(Condition=asked)
    if any(first & second for first, second in pairs_of_tag_lists(asked)):
        with pytest.raises(RefusedError, match="90022"):
            read_push(given_body, family="timpush", switches=switches)
        return
    found = read_push(given_body, family="timpush", switches=switches).condition
    found_match = matches(found, attributes=held, tags=carried, combined=combined)
    assert found_match is is_meant(asked, carried, held, combined)
