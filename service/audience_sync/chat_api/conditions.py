"""Who gets a push: everybody, or those whose tags or attributes meet a condition."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from audience_sync.chat_api.checks import checked, is_list, shown
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.wire import Family
from audience_sync.core import limits


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """Users by their tags. With two lists, both must hold (inferred); at least one is not empty.

    The API calls the lists TagsOr, TagsAnd and TagsNot. Each takes up to 10 tags of 1-50 bytes of UTF-8.
    none_of: the successor's alone. With several tags, it is unknown whether a user who carries one of them gets
             the push: the vendor's page can be read both ways.
    """

    any_of: Sequence[str] = ()
    all_of: Sequence[str] = ()
    none_of: Sequence[str] = ()


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """Users by the values of their attributes. With both, both must hold (inferred); at least one is not empty.

    The API calls them AttrsOr and AttrsAnd. Names and values have 1-50 bytes of UTF-8. Each attribute has one
    value, so "Shenzhen or Beijing" can't be said of one attribute.
    """

    any_of: Mapping[str, str] = {}
    all_of: Mapping[str, str] = {}


class Everybody(msgspec.Struct, frozen=True):
    """All accounts of the app. Said on purpose: that no condition was given is never taken for it."""


Condition = Tags | Attributes | Everybody
"""By tags or by attributes, never both."""


class _Wire(msgspec.Struct, forbid_unknown_fields=True, rename="pascal"):
    """A condition as the API writes it. Some clients write null for a list that they don't use."""

    tags_or: list[str] | None = None
    tags_and: list[str] | None = None
    tags_not: list[str] | None = None
    attrs_or: dict[str, str] | None = None
    attrs_and: dict[str, str] | None = None


_WAY_OUT: Final = "name a tag or an attribute, or say that everybody is meant"


def tags_from(*, any_of: Iterable[str] = (), all_of: Iterable[str] = (), none_of: Iterable[str] = ()) -> Tags:
    """The tags as a person typed them; each counts once."""
    return Tags(
        any_of=tuple(dict.fromkeys(any_of)),
        all_of=tuple(dict.fromkeys(all_of)),
        none_of=tuple(dict.fromkeys(none_of)),
    )


def attributes_from(*, any_of: Iterable[str] = (), all_of: Iterable[str] = ()) -> Attributes:
    """The attributes as a person typed them, `name=value`; the first "=" divides.

    BrokenLimit for a text without one, or a name that stands twice in one list.
    """
    return Attributes(any_of=_pairs(any_of), all_of=_pairs(all_of))


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, divided, value = text.partition("=")
        if not divided:
            raise BrokenLimit(f'the attribute {text!r} has no "="; write name=value, such as city=Shenzhen')
        if name in pairs:
            raise BrokenLimit(
                f"the attribute {name!r} is given twice, as {pairs[name]!r} and as {value!r}; "
                "a condition takes one value of each, so send a push for each value"
            )
        pairs[name] = value
    return pairs


def one_of(*, tags: Tags, attributes: Attributes, everybody: bool) -> Condition:
    """The one condition that is given. BrokenLimit for none, and for more than one."""
    by_tags = bool(tags.any_of or tags.all_of or tags.none_of)
    by_attributes = bool(attributes.any_of or attributes.all_of)
    if by_tags and by_attributes:
        raise BrokenLimit("the condition has both tags and attributes; the Chat API takes one or the other")
    if everybody and (by_tags or by_attributes):
        raise BrokenLimit("everybody is meant, and a condition is given; leave out one of them")
    if everybody:
        return Everybody()
    if by_tags or by_attributes:
        return tags if by_tags else attributes
    raise BrokenLimit(f"nobody is meant by the push: {_WAY_OUT}")


def encode_condition(condition: Condition, family: Family) -> dict[str, object] | None:
    """*condition* as the API writes it; None for everybody. BrokenLimit names what the API would refuse."""
    given: dict[str, object]
    match condition:
        case Everybody():
            return None
        case Tags():
            given = _encoded_tags(condition, family)
        case Attributes():
            given = _encoded_attributes(condition)
        case _:
            raise BrokenLimit(
                f"the condition {shown(condition)} is none; there are Tags, Attributes, Everybody"
            )
    if not given:
        raise BrokenLimit(f"the condition is empty: {_WAY_OUT}")
    return given


def _encoded_tags(tags: Tags, family: Family) -> dict[str, object]:
    lists = {"TagsOr": tags.any_of, "TagsAnd": tags.all_of, "TagsNot": tags.none_of}
    for name, texts in lists.items():
        if not is_list(texts):
            raise BrokenLimit(f"{name} {shown(texts)} is no list of tags")
        if len(texts) > limits.TAGS_PER_LIST:
            raise BrokenLimit(
                f"{name} has {len(texts)} tags; the Chat API takes up to {limits.TAGS_PER_LIST}"
            )
        for text in texts:
            if broken := limits.broken_text(f"{name}: the tag", text, limits.TAG_BYTES):
                raise BrokenLimit(broken)
    if both := [text for text in tags.any_of if text in tags.all_of]:
        raise BrokenLimit(f"the tag {both[0]!r} is in TagsOr and in TagsAnd; leave it in one of them")
    if tags.none_of and family is not Family.TIMPUSH:
        raise BrokenLimit(
            f"TagsNot {shown(tags.none_of)}: only the family {Family.TIMPUSH} has it, not {family}"
        )
    return {name: list(texts) for name, texts in lists.items() if texts}


def _encoded_attributes(attributes: Attributes) -> dict[str, object]:
    objects = {"AttrsOr": attributes.any_of, "AttrsAnd": attributes.all_of}
    for name, pairs in objects.items():
        if not isinstance(pairs, Mapping):
            raise BrokenLimit(f"{name} {shown(pairs)} is no object of names and values")
        if len(pairs) > limits.ATTRIBUTES_PER_APP:
            raise BrokenLimit(
                f"{name} has {len(pairs)} attributes; an app has up to {limits.ATTRIBUTES_PER_APP}"
            )
        for key, value in pairs.items():
            broken = limits.broken_text(
                f"{name}: the attribute name", key, limits.ATTRIBUTE_NAME_BYTES
            ) or limits.broken_text(
                f"{name}: the value of attribute {key!r}", value, limits.ATTRIBUTE_VALUE_BYTES
            )
            if broken:
                raise BrokenLimit(broken)
    return {name: dict(pairs) for name, pairs in objects.items() if pairs}


def decode_condition(value: object, *, everybody: bool) -> Condition:
    """The object called Condition, read; None is everybody if *everybody* says so, and an error if not."""
    if value is None:
        if not everybody:
            raise BrokenLimit(f"Condition is missing, so the push would go to everybody: {_WAY_OUT}")
        return Everybody()
    wire = checked("Condition", value, _Wire)
    return one_of(
        tags=Tags(
            any_of=tuple(wire.tags_or or ()),
            all_of=tuple(wire.tags_and or ()),
            none_of=tuple(wire.tags_not or ()),
        ),
        attributes=Attributes(any_of=wire.attrs_or or {}, all_of=wire.attrs_and or {}),
        everybody=False,
    )
