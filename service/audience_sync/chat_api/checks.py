"""Whether a value has the shape that the API takes, told in words."""

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from audience_sync.chat_api.errors import BrokenLimit

T = TypeVar("T")

_SHOWN_CHARACTERS: Final = 200
"""Of a value that is wrong, this much is shown. Ours."""

_LEFT_ALONE: Final = (
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
"""What the library would turn into texts, though nobody asked it to."""


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
        raise BrokenLimit(f"{what}: {error}, in {shown(value)}") from None


def fields_of(what: str, value: msgspec.Struct) -> dict[str, object]:
    """*value* as the API names its fields, each of the type it has there. BrokenLimit as for `checked`."""
    try:
        fields: dict[str, object] = msgspec.to_builtins(value, builtin_types=_LEFT_ALONE)
        strangers = [*_strangers(fields)]
    except (TypeError, RecursionError) as error:
        raise BrokenLimit(f"{what}: {error}, in {shown(value)}") from None
    if strangers:
        raise BrokenLimit(f"{what}: {shown(strangers[0])} has no form in JSON")
    checked(what, fields, type(value))
    return fields


def _strangers(value: object) -> Iterator[object]:
    """What in *value* JSON has no form for."""
    match value:
        case None | bool() | int() | str():
            return
        case float() if math.isfinite(value):
            return
        case list() | tuple():
            for inner in value:
                yield from _strangers(inner)
        case dict():
            for key, inner in value.items():
                if not isinstance(key, str):
                    yield key
                yield from _strangers(inner)
        case _:
            yield value


def encoded(what: str, body: Mapping[str, object]) -> bytes:
    """*body* as JSON. BrokenLimit for a text that holds half a character."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise BrokenLimit(f"{what}: {shown(error.object)} cannot be written in UTF-8") from None
