"""A JSON body into a request, or the code that refuses it. What depends on the stored users is not looked at.

What no page says is refused here unless a switch allows it, the worst case for a client: empty lists and
empty objects, values that are not strings, names of attributes as an object where an array is documented.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.account_reading import ACCOUNT_READERS
from audience_sync.emulator.endpoints import Endpoint, Family
from audience_sync.emulator.push_reading import read_push, read_revoke
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    AddTags,
    GetAttributeNames,
    GetAttributes,
    GetTags,
    RemoveAllTags,
    RemoveAttributes,
    RemoveTags,
    Request,
    SetAttributeNames,
    SetAttributes,
    users_of,
)
from audience_sync.emulator.shapes import Body, listed, misshapen, objects, sized, strings, too_much
from audience_sync.emulator.switches import Removal, Structure, Switches, Twice, Values

SLOTS: Final = frozenset(map(str, range(limits.ATTRIBUTES_PER_APP)))
TYPES: Final = (0, 1)


def read(endpoint: Endpoint, body: bytes, switches: Switches) -> Request:
    """The request in *body*. Raises RefusedError."""
    of_accounts = endpoint.family is Family.ACCOUNTS
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:  # broken, not UTF-8, or nested without end
        code = Code.BAD_PACKET if of_accounts else Code.BAD_JSON
        raise RefusedError(code, Cause.SHAPE, "the body is not JSON") from error
    if not isinstance(value, dict):
        misshapen(Code.BAD_PACKET if of_accounts else Code.BAD_JSON, "the body is not an object")
    if of_accounts:
        return ACCOUNT_READERS[endpoint.command](value)
    if endpoint.command == "push":
        return read_push(value, family=endpoint.family, switches=switches, body_bytes=len(body))
    if endpoint.command == "revoke":
        return read_revoke(value)
    return Reader(endpoint.family, switches).read(endpoint.command, value)


class Reader:
    """Reads the bodies of one family, as the switches say."""

    def __init__(self, family: Family, switches: Switches) -> None:
        self._succeeds, self._switches = family is Family.TIMPUSH, switches
        own = switches.structure is Structure.OWN
        self._bad_write = Code.BAD_WRITE if own else Code.BAD_JSON
        self._bad_removal = Code.BAD_REMOVAL if own else Code.BAD_JSON
        self._bad_read = Code.BAD_READ if own else Code.BAD_JSON

    def read(self, command: str, body: Body) -> Request:
        """The request of one command. Raises RefusedError."""
        request = READERS[command](self, body)
        if self._switches.twice is Twice.REFUSED:
            users = users_of(request)
            if len(set(users)) < len(users):
                misshapen(Code.BAD_JSON, "a user is named twice")
        return request

    def attribute_names(self, body: Body) -> SetAttributeNames:
        """Slots, their names and, with the successor, their types."""
        names = body.get("AttrNames")
        if not isinstance(names, dict) or not names:
            misshapen(Code.BAD_JSON, "AttrNames is not an object with slots")
        for slot, name in names.items():
            if slot not in SLOTS or not isinstance(name, str):
                misshapen(Code.BAD_JSON, f'AttrNames {slot!r}: slots are "0" to "9", names are strings')
            sized(name, limits.NAME_BYTES, Code.BAD_LENGTH, "attribute name")
        return SetAttributeNames(names, _types(body, names) if self._succeeds else {})

    def set_attributes(self, body: Body) -> SetAttributes:
        """An object of attributes for each user."""
        parts = []
        for entry in objects(body, "UserAttrs", self._bad_write):
            user = self._user(entry.get("To_Account"), self._bad_write)
            attributes = entry.get("Attrs")
            if not isinstance(attributes, dict) or not attributes:
                misshapen(self._bad_write, "Attrs is not an object with attributes")
            parts.append((user, {name: self._value(name, value) for name, value in attributes.items()}))
        return SetAttributes(parts)

    def remove_attributes(self, body: Body) -> RemoveAttributes:
        """An array of names for each user."""
        code, parts = self._bad_removal, []
        for entry in objects(body, "UserAttrs", code):
            names = entry.get("Attrs")
            if isinstance(names, dict) and self._switches.removal is Removal.OBJECT_TOO:
                names = list(names)
            parts.append((self._user(entry.get("To_Account"), code), strings(names, "Attrs", code)))
        return RemoveAttributes(parts)

    def add_tags(self, body: Body) -> AddTags:
        """An array of tags for each user; the successor's Replace for all of them."""
        replaces = False
        if self._succeeds:
            if type(flag := body.get("Replace", 0)) is not int or flag not in (0, 1):
                misshapen(self._bad_write, "Replace is neither 0 nor 1")
            replaces = bool(flag)
        most = limits.TAGS_PER_REPLACE if replaces else limits.TAGS_PER_ADD
        entries = objects(body, "UserTags", self._bad_write)
        return AddTags([self._tags(entry, self._bad_write, most) for entry in entries], replaces)

    def remove_tags(self, body: Body) -> RemoveTags:
        """An array of tags for each user."""
        most = self._switches.most_tags_per_removal
        entries = objects(body, "UserTags", self._bad_removal)
        return RemoveTags([self._tags(entry, self._bad_removal, most) for entry in entries])

    def remove_all_tags(self, body: Body) -> RemoveAllTags:
        """An array of users."""
        return RemoveAllTags(self._users(body, self._bad_removal))

    def get_attributes(self, body: Body) -> GetAttributes:
        """An array of users."""
        return GetAttributes(self._users(body, self._bad_read))

    def get_tags(self, body: Body) -> GetTags:
        """An array of users."""
        return GetTags(self._users(body, self._bad_read))

    def get_attribute_names(self, _: Body) -> GetAttributeNames:
        """Nothing is asked."""
        return GetAttributeNames()

    def _users(self, body: Body, code: Code) -> list[str]:
        return [self._user(each, code) for each in listed(body, "To_Account", code)]

    def _user(self, value: object, code: Code) -> str:
        if not isinstance(value, str):
            misshapen(code, "To_Account is not a string")
        if self._succeeds and limits.is_device(value):
            return value
        return sized(value, limits.USER_BYTES, Code.BAD_USER, "user")

    def _value(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            simple = value is None or isinstance(value, bool | int | float)
            if not simple or self._switches.values is Values.STRINGS:
                misshapen(Code.BAD_ATTRIBUTE, f"the value of attribute {name!r} is not a string")
            value = msgspec.json.encode(value).decode()
        return sized(value, limits.VALUE_BYTES, Code.BAD_LENGTH, "attribute value")

    def _tags(self, entry: Body, code: Code, most: int | None) -> tuple[str, list[str]]:
        user = self._user(entry.get("To_Account"), code)
        tags = strings(entry.get("Tags"), "Tags", code)
        for tag in tags:
            sized(tag, limits.TAG_BYTES, Code.BAD_TAG, "tag")
        if most is not None and len(tags) > most:
            too_much(Code.TOO_MANY_TAGS, f"{len(tags)} tags for one user, at most {most}")
        return user, tags


READERS: Final[dict[str, Callable[[Reader, Body], Request]]] = {
    "set_attr_name": Reader.attribute_names,
    "get_attr_name": Reader.get_attribute_names,
    "set_attr": Reader.set_attributes,
    "remove_attr": Reader.remove_attributes,
    "get_attr": Reader.get_attributes,
    "add_tag": Reader.add_tags,
    "remove_tag": Reader.remove_tags,
    "remove_all_tags": Reader.remove_all_tags,
    "get_tag": Reader.get_tags,
}


def _types(body: Body, names: Mapping[str, object]) -> dict[str, int]:
    types = body.get("AttrTypes", {})
    if not isinstance(types, dict):
        misshapen(Code.BAD_JSON, "AttrTypes is not an object")
    for slot, kind in types.items():
        if slot not in names or type(kind) is not int or kind not in TYPES:
            misshapen(Code.BAD_JSON, f"AttrTypes {slot!r}: slots of AttrNames, and types 0 or 1")
    return types
