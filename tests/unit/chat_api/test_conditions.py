"""Who gets a push, both ways."""

import re
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.chat_api.conditions import (
    Attributes,
    Condition,
    Everybody,
    Tags,
    attributes_from,
    decode_condition,
    encode_condition,
    one_of,
    tags_from,
)
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.wire import Family

ALL, TIMPUSH = Family.ALL_MEMBER_PUSH, Family.TIMPUSH


@pytest.mark.parametrize(
    ("condition", "wire"),
    [
        (Tags(any_of=("stock A", "stock B")), {"TagsOr": ["stock A", "stock B"]}),
        (Tags(all_of=("股票A", "股票B")), {"TagsAnd": ["股票A", "股票B"]}),
        (Tags(any_of=("a",), all_of=("b",)), {"TagsOr": ["a"], "TagsAnd": ["b"]}),
        (
            Attributes(all_of={"level": "platinum", "city": "Shenzhen"}),
            {"AttrsAnd": {"level": "platinum", "city": "Shenzhen"}},
        ),
        (
            Attributes(any_of={"level": "gold", "city": "Beijing"}),
            {"AttrsOr": {"level": "gold", "city": "Beijing"}},
        ),
        (
            Attributes(any_of={"level": "gold"}, all_of={"level": "platinum"}),
            {"AttrsOr": {"level": "gold"}, "AttrsAnd": {"level": "platinum"}},
        ),
        (Everybody(), None),
    ],
)
def test_conditions_are_as_documented(condition: Condition, wire: dict[str, object] | None) -> None:
    """What is not used is not written: an empty list may mean nobody, or nothing."""
    assert encode_condition(condition, ALL) == wire
    assert decode_condition(wire, everybody=True) == condition


def test_tags_may_exclude_in_the_successor_alone() -> None:
    """The older family would ignore it, and push to those who were to be left out."""
    condition = Tags(any_of=("stock A",), none_of=("stock C", "stock D"))

    assert encode_condition(condition, TIMPUSH) == {"TagsOr": ["stock A"], "TagsNot": ["stock C", "stock D"]}
    assert encode_condition(Tags(none_of=("x",)), TIMPUSH) == {"TagsNot": ["x"]}
    with pytest.raises(BrokenLimit, match=r"TagsNot .*: only the family timpush has it, not all_member_push"):
        encode_condition(condition, ALL)


def test_lists_and_objects_of_any_make_are_taken() -> None:
    assert encode_condition(Tags(any_of=["a"]), ALL) == {"TagsOr": ["a"]}
    assert encode_condition(Attributes(all_of=MappingProxyType({"a": "b"})), ALL) == {"AttrsAnd": {"a": "b"}}


TEN = tuple(f"tag-{number}" for number in range(10))
TEN_PAIRS = {f"name-{number}": "x" for number in range(10)}


@pytest.mark.parametrize(
    "condition",
    [
        Tags(any_of=TEN, all_of=tuple(tag.upper() for tag in TEN)),
        Tags(all_of=("t" * 49, "t" * 50, "股" * 16, "x")),
        Attributes(any_of=TEN_PAIRS, all_of=TEN_PAIRS),
        Attributes(any_of={"n" * 50: "v" * 50}),
        Attributes(any_of={"n": "v"}),
    ],
)
def test_what_keeps_the_limits_is_written(condition: Condition) -> None:
    """One below, and exactly."""
    encode_condition(condition, ALL)


def wrong(value: object) -> Any:
    """What a caller without a type checker may give."""
    return value


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Tags(), "the condition is empty: name a tag or an attribute, or say that everybody is meant"),
        (Attributes(), "the condition is empty"),
        (Tags(any_of=(*TEN, "one more")), "TagsOr has 11 tags; the Chat API takes up to 10"),
        (Tags(all_of=(*TEN, "one more")), "TagsAnd has 11 tags"),
        (Tags(none_of=(*TEN, "one more")), "TagsNot has 11 tags"),
        (
            Tags(any_of=("ok", "t" * 51)),
            f"TagsOr: the tag '{'t' * 51}' has 51 bytes of UTF-8; the Chat API takes 1 to 50",
        ),
        (Tags(all_of=("股" * 17,)), "has 51 bytes of UTF-8"),
        (Tags(any_of=("",)), "TagsOr: the tag '' has 0 bytes"),
        (
            Tags(any_of=("a", "b"), all_of=("c", "b")),
            "the tag 'b' is in TagsOr and in TagsAnd; leave it in one",
        ),
        (Tags(any_of=wrong("abc")), "TagsOr 'abc' is no list of tags"),
        (Tags(any_of=wrong({"a"})), "TagsOr {'a'} is no list of tags"),
        (Tags(any_of=wrong(None)), "TagsOr None is no list of tags"),
        (Tags(any_of=(wrong(5),)), "TagsOr: the tag 5 is no text but int"),
        (Tags(any_of=("\ud800",)), r"TagsOr: the tag '\ud800' cannot be written in UTF-8"),
        (Attributes(any_of={**TEN_PAIRS, "one more": "x"}), "AttrsOr has 11 attributes; an app has up to 10"),
        (Attributes(all_of={"n" * 51: "x"}), "has 51 bytes of UTF-8; the Chat API takes 1 to 50"),
        (Attributes(all_of={"": "x"}), "AttrsAnd: the attribute name '' has 0 bytes"),
        (Attributes(all_of={"city": ""}), "AttrsAnd: the value of attribute 'city' '' has 0 bytes"),
        (Attributes(all_of={"city": "v" * 51}), "AttrsAnd: the value of attribute 'city'"),
        (Attributes(all_of={"age": wrong(18)}), "the value of attribute 'age' 18 is no text but int"),
        (Attributes(all_of=wrong({1: "x"})), "the attribute name 1 is no text but int"),
        (Attributes(all_of=wrong([("a", "b")])), "AttrsAnd [('a', 'b')] is no object of names and values"),
        (None, "the condition None is none; there are Tags, Attributes, Everybody"),
        ({"TagsOr": ["a"]}, "is none; there are Tags"),
    ],
)
def test_what_the_api_would_refuse_is_not_written(condition: object, words: str) -> None:
    """The words name the list, the value, the limit and the way out. Nothing empty ever becomes everybody."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        encode_condition(wrong(condition), TIMPUSH)


@pytest.mark.parametrize("wire", [{}, {"TagsOr": []}, {"TagsOr": None, "AttrsAnd": {}}])
def test_an_empty_condition_is_nobody_whatever_is_allowed(wire: dict[str, object]) -> None:
    """What the API makes of it is unknown, and everybody is the worst guess."""
    with pytest.raises(BrokenLimit, match="nobody is meant by the push: name a tag"):
        decode_condition(wire, everybody=True)


def test_a_condition_that_is_not_there_is_everybody_only_when_allowed() -> None:
    """A file without one may have lost it."""
    assert decode_condition(None, everybody=True) == Everybody()
    with pytest.raises(
        BrokenLimit, match="Condition is missing, so the push would go to everybody: name a tag"
    ):
        decode_condition(None, everybody=False)


def test_null_lists_are_not_there() -> None:
    """A public client writes null for the lists it does not use."""
    wire = {"TagsOr": ["a"], "TagsAnd": None, "AttrsOr": None, "AttrsAnd": None}

    assert decode_condition(wire, everybody=False) == Tags(any_of=("a",))


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (
            {"TagsOr": ["a"], "AttrsOr": {"a": "b"}},
            "the condition has both tags and attributes; the Chat API takes",
        ),
        ({"TagOr": ["a"]}, "Condition: Object contains unknown field `TagOr`"),
        (
            {"TagsOr": "a"},
            "Condition: Expected `array | null`, got `str` - at `$.TagsOr`, in {'TagsOr': 'a'}",
        ),
        ({"TagsOr": [5]}, "Expected `str`, got `int` - at `$.TagsOr[0]`"),
        ({"AttrsOr": {"age": 18}}, "Expected `str`, got `int` - at `$.AttrsOr[...]`"),
        ({"AttrsOr": ["a"]}, "Expected `object | null`, got `array`"),
        ([], "Condition: Expected `object`, got `array`"),
    ],
)
def test_what_is_no_condition_is_not_read(wire: object, words: str) -> None:
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        decode_condition(wire, everybody=True)


def test_only_one_kind_of_condition_is_meant() -> None:
    """Two of them on a command line are a slip, and a push can't be taken back."""
    tags, attributes = Tags(any_of=("a",)), Attributes(any_of={"a": "b"})

    assert one_of(tags=tags, attributes=Attributes(), everybody=False) == tags
    assert one_of(tags=Tags(), attributes=attributes, everybody=False) == attributes
    assert one_of(tags=Tags(), attributes=Attributes(), everybody=True) == Everybody()
    with pytest.raises(BrokenLimit, match="nobody is meant"):
        one_of(tags=Tags(), attributes=Attributes(), everybody=False)
    with pytest.raises(BrokenLimit, match="both tags and attributes"):
        one_of(tags=tags, attributes=attributes, everybody=False)
    with pytest.raises(BrokenLimit, match="everybody is meant, and a condition is given"):
        one_of(tags=tags, attributes=Attributes(), everybody=True)


def test_attributes_are_typed_as_name_and_value() -> None:
    """Values may hold what divides them from their names."""
    typed = attributes_from(any_of=["city=Shenzhen", "level=a=b"], all_of=["level=", " x = y "])

    assert typed == Attributes(
        any_of={"city": "Shenzhen", "level": "a=b"}, all_of={"level": "", " x ": " y "}
    )
    assert attributes_from() == Attributes()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["city"], "the attribute 'city' has no \"=\"; write name=value, such as city=Shenzhen"),
        (
            ["city=Shenzhen", "level=gold", "city=Beijing"],
            "the attribute 'city' is given twice, as 'Shenzhen' and as 'Beijing'; a condition takes one value",
        ),
    ],
)
def test_what_is_typed_wrong_says_how_to_type_it(texts: list[str], words: str) -> None:
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        attributes_from(all_of=texts)


def test_a_tag_that_is_typed_twice_counts_once() -> None:
    assert tags_from(any_of=["b", "a", "b"], none_of=["x"]) == Tags(any_of=("b", "a"), none_of=("x",))


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(st.dictionaries(texts.filter(lambda name: "=" not in name), texts, max_size=5))
def test_what_is_typed_is_what_is_meant(pairs: dict[str, str]) -> None:
    """No character is lost on the way, at the ends neither."""
    assert attributes_from(any_of=[f"{name}={value}" for name, value in pairs.items()]).any_of == pairs
