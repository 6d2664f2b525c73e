"""A JSON body into a request, or the code that refuses it. What depends on the stored users is not looked at.

What no page says is refused here, the worst case for a client: empty lists and empty objects, values that are
not strings, names of attributes as an object where an array is documented.
"""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn, cast

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.limits import fits
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
)

Body = Mapping[str, object]

SLOTS: Final = frozenset(map(str, range(limits.ATTRIBUTES_PER_APP)))


def read(endpoint: str, body: bytes) -> Request:
    """The request in *body*. Raises RefusedError."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:  # broken, not UTF-8, or nested without end
        raise RefusedError(Code.BAD_JSON, Cause.SHAPE, "the body is not JSON") from error
    if not isinstance(value, dict):
        _misshapen(Code.BAD_JSON, "the body is not an object")
    return READERS[endpoint](value)


def _attribute_names(body: Body) -> SetAttributeNames:
    names = body.get("AttrNames")
    if not isinstance(names, dict) or not names:
        _misshapen(Code.BAD_JSON, "AttrNames is not an object with slots")
    for slot, name in names.items():
        if slot not in SLOTS or not isinstance(name, str):
            _misshapen(Code.BAD_JSON, f'AttrNames {slot!r}: slots are "0" to "9", names are strings')
        _sized(name, limits.NAME_BYTES, Code.BAD_LENGTH, "attribute name")
    return SetAttributeNames(names)


def _set_attributes(body: Body) -> SetAttributes:
    parts = []
    for entry in _entries(body, "UserAttrs", Code.BAD_WRITE):
        user = _user_of(entry, Code.BAD_WRITE)
        attributes = entry.get("Attrs")
        if not isinstance(attributes, dict) or not attributes:
            _misshapen(Code.BAD_WRITE, "Attrs is not an object with attributes")
        for name, value in attributes.items():
            if not isinstance(value, str):
                _misshapen(Code.BAD_ATTRIBUTE, f"the value of attribute {name!r} is not a string")
            _sized(value, limits.VALUE_BYTES, Code.BAD_LENGTH, "attribute value")
        parts.append((user, attributes))
    return SetAttributes(parts)


def _remove_attributes(body: Body) -> RemoveAttributes:
    parts = []
    for entry in _entries(body, "UserAttrs", Code.BAD_REMOVAL):
        user = _user_of(entry, Code.BAD_REMOVAL)
        parts.append((user, _strings(entry, "Attrs", Code.BAD_REMOVAL)))
    return RemoveAttributes(parts)


def _add_tags(body: Body) -> AddTags:
    parts = []
    for entry in _entries(body, "UserTags", Code.BAD_WRITE):
        user, tags = _user_of(entry, Code.BAD_WRITE), _tags_of(entry, Code.BAD_WRITE)
        if len(tags) > limits.TAGS_PER_ADD:
            _too_much(Code.TOO_MANY_TAGS, f"{len(tags)} tags for one user, at most {limits.TAGS_PER_ADD}")
        parts.append((user, tags))
    return AddTags(parts)


def _remove_tags(body: Body) -> RemoveTags:
    entries = _entries(body, "UserTags", Code.BAD_REMOVAL)
    return RemoveTags(
        [(_user_of(each, Code.BAD_REMOVAL), _tags_of(each, Code.BAD_REMOVAL)) for each in entries]
    )


def _remove_all_tags(body: Body) -> RemoveAllTags:
    return RemoveAllTags(_users(body, Code.BAD_REMOVAL))


def _get_attributes(body: Body) -> GetAttributes:
    return GetAttributes(_users(body, Code.BAD_READ))


def _get_tags(body: Body) -> GetTags:
    return GetTags(_users(body, Code.BAD_READ))


def _get_attribute_names(_: Body) -> GetAttributeNames:
    return GetAttributeNames()


READERS: Final[dict[str, Callable[[Body], Request]]] = {
    "im_set_attr_name": _attribute_names,
    "im_get_attr_name": _get_attribute_names,
    "im_set_attr": _set_attributes,
    "im_remove_attr": _remove_attributes,
    "im_get_attr": _get_attributes,
    "im_add_tag": _add_tags,
    "im_remove_tag": _remove_tags,
    "im_remove_all_tags": _remove_all_tags,
    "im_get_tag": _get_tags,
}


def _entries(body: Body, field: str, code: Code) -> list[Body]:
    entries = _listed(body, field, code)
    if not all(isinstance(entry, dict) for entry in entries):
        _misshapen(code, f"{field} has an entry that is not an object")
    return cast("list[Body]", entries)  # a JSON object has only strings as keys


def _users(body: Body, code: Code) -> list[str]:
    return [_user(each, code) for each in _listed(body, "To_Account", code)]


def _listed(body: Body, field: str, code: Code) -> list[object]:
    entries = body.get(field)
    if not isinstance(entries, list) or not entries:
        _misshapen(code, f"{field} is not an array with entries")
    if len(entries) > limits.USERS_PER_REQUEST:
        _too_much(Code.TOO_MANY_USERS, f"{len(entries)} users, at most {limits.USERS_PER_REQUEST}")
    return entries


def _user_of(entry: Body, code: Code) -> str:
    return _user(entry.get("To_Account"), code)


def _user(value: object, code: Code) -> str:
    if not isinstance(value, str):
        _misshapen(code, "To_Account is not a string")
    return _sized(value, limits.USER_BYTES, Code.BAD_USER, "user")


def _tags_of(entry: Body, code: Code) -> list[str]:
    tags = _strings(entry, "Tags", code)
    for tag in tags:
        _sized(tag, limits.TAG_BYTES, Code.BAD_TAG, "tag")
    return tags


def _strings(entry: Body, field: str, code: Code) -> list[str]:
    values = entry.get(field)
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        _misshapen(code, f"{field} is not an array of strings with entries")
    return values


def _sized(text: str, most: int, code: Code, what: str) -> str:
    if not fits(text, most):
        _too_much(code, f"{what} {text!r} has {len(text.encode())} bytes; 1 to {most} are taken")
    return text


def _misshapen(code: Code, text: str) -> NoReturn:
    raise RefusedError(code, Cause.SHAPE, text)


def _too_much(code: Code, text: str) -> NoReturn:
    raise RefusedError(code, Cause.LIMIT, text)
