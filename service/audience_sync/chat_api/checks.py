"""Whether a value has the shape that the API takes, told in words."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from audience_sync.chat_api.errors import BrokenLimit

T = TypeVar("T")

_SHOWN_CHARACTERS: Final = 200
"""Of a value that is wrong, this much is shown. Ours."""

_NO_JSON: Final = (
    bytes,
    bytearray,
    memoryview,
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    Decimal,
    UUID,
)
"""What the library would turn into texts, and nobody asked it to."""


def shown(value: object) -> str:
    """*value* for a message, shortened."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def is_list(value: object) -> bool:
    """Whether *value* is several things in order. A text is one thing, though Python sees a list in it."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def checked(what: str, value: object, kind: type[T]) -> T:
    """*value*, of plain types, as a *kind*. BrokenLimit names *what*, the value and what was expected."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise BrokenLimit(f"{what} {shown(value)}: {error}") from None


def fields_of(what: str, value: msgspec.Struct) -> dict[str, object]:
    """*value* as the API names its fields, each of the type it has there. BrokenLimit as for `checked`."""
    try:
        fields: dict[str, object] = msgspec.to_builtins(value, builtin_types=_NO_JSON)
    except TypeError as error:
        raise BrokenLimit(f"{what} {shown(value)}: {error}") from None
    checked(what, fields, type(value))
    return fields


def encoded(what: str, body: Mapping[str, object]) -> bytes:
    """*body* as JSON. BrokenLimit for what JSON has no form for."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise BrokenLimit(f"{what}: {shown(error.object)} cannot be written in UTF-8") from None
    except TypeError as error:
        raise BrokenLimit(f"{what} cannot be written as JSON: {error}") from None
