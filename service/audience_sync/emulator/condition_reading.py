"""The Condition of a push, or the code that refuses it. Whether its attributes are defined is not looked at.

A list that is null, empty or absent asks nothing: one public SDK sends null for those it does not use. Keys
that the page does not show are refused; to overlook a misspelt one would mean everybody.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Final

import msgspec

from audience_sync.emulator.condition import Condition
from audience_sync.emulator.limits import NAME_BYTES, TAG_BYTES, VALUE_BYTES, fits
from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Combined, Switches, Values

TAGS_PER_LIST: Final = 10
"""Documented, for each list of tags in a condition."""

ATTRIBUTE_LISTS: Final = ("AttrsOr", "AttrsAnd")
TAG_LISTS: Final = {"all_member_push": ("TagsOr", "TagsAnd"), "timpush": ("TagsOr", "TagsAnd", "TagsNot")}


def read_condition(value: object, *, family: str, switches: Switches) -> Condition:
    """The condition in *value*; None is nothing asked. Raises RefusedError."""
    if value is None:
        return Condition()
    if not isinstance(value, dict):
        raise _misshapen(PushCode.BAD_STRUCTURE, "Condition is not an object")
    if unknown := value.keys() - {*ATTRIBUTE_LISTS, *TAG_LISTS[family]}:
        raise _misshapen(
            PushCode.BAD_STRUCTURE, f"{family} knows no {', '.join(sorted(unknown))} in a Condition"
        )
    tags = {name: _tags(name, value.get(name)) for name in TAG_LISTS[family]}
    attributes = {name: _attributes(name, value.get(name), switches.values) for name in ATTRIBUTE_LISTS}
    if any(tags.values()) and any(attributes.values()):
        raise _misshapen(PushCode.TAGS_AND_ATTRIBUTES, "the Condition asks for tags and for attributes")
    _demand_disjoint(tags)
    condition = Condition(
        tags_or=tags["TagsOr"],
        tags_and=tags["TagsAnd"],
        tags_not=tags.get("TagsNot", ()),
        attributes_or=attributes["AttrsOr"],
        attributes_and=attributes["AttrsAnd"],
    )
    if switches.combined is Combined.REFUSED:
        _demand_one_list(condition)
    return condition


def _tags(name: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _misshapen(PushCode.BAD_STRUCTURE, f"{name} is not an array")
    tags = tuple(_tag(name, tag) for tag in value)
    if len(tags) > TAGS_PER_LIST:
        raise _too_much(PushCode.TOO_MANY_TAGS, f"{name} has {len(tags)} tags, at most {TAGS_PER_LIST}")
    return tags


def _tag(name: str, tag: object) -> str:
    if not isinstance(tag, str):
        raise _misshapen(PushCode.BAD_STRUCTURE, f"{name} has {tag!r}, which is not a string")
    if not tag:
        raise _too_much(PushCode.EMPTY_TAG, f"{name} has an empty tag")
    if not fits(tag, TAG_BYTES):
        raise _too_much(PushCode.TAG_TOO_LONG, f"{name}: tag {tag!r} has more than {TAG_BYTES} bytes")
    return tag


def _attributes(name: str, value: object, values: Values) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _misshapen(PushCode.BAD_STRUCTURE, f"{name} is not an object")
    return {_name(name, key): _value(name, key, each, values) for key, each in value.items()}


def _name(where: str, name: str) -> str:
    if not fits(name, NAME_BYTES):
        raise _too_much(PushCode.BAD_ATTRIBUTE, f"{where}: attribute {name!r}: 1 to {NAME_BYTES} bytes")
    return name


def _value(where: str, name: str, value: object, values: Values) -> str:
    if values is Values.ANY and not isinstance(value, str | dict | list):
        value = msgspec.json.encode(value).decode()
    if not isinstance(value, str):
        raise _misshapen(PushCode.BAD_ATTRIBUTE, f"{where}: the value of attribute {name!r} is not a string")
    if not fits(value, VALUE_BYTES):
        text = f"{where}: value {value!r} of attribute {name!r}: 1 to {VALUE_BYTES} bytes"
        raise _too_much(PushCode.BAD_ATTRIBUTE, text)
    return value


def _demand_disjoint(lists: Mapping[str, tuple[str, ...]]) -> None:
    for one, other in combinations(lists, 2):
        if both := set(lists[one]) & set(lists[other]):
            raise _misshapen(PushCode.TAG_IN_TWO_LISTS, f"tags {sorted(both)} are in {one} and in {other}")


def _demand_one_list(condition: Condition) -> None:
    for kind in ("tags", "attributes"):
        if getattr(condition, f"{kind}_or") and getattr(condition, f"{kind}_and"):
            raise _misshapen(PushCode.TAGS_AND_ATTRIBUTES, f"two lists of {kind} cannot be combined")


def _misshapen(code: PushCode, text: str) -> RefusedError:
    return RefusedError(code, Cause.SHAPE, text)


def _too_much(code: PushCode, text: str) -> RefusedError:
    return RefusedError(code, Cause.LIMIT, text)
