"""The shapes that a body is made of, each demanded with the code that refuses another one."""

from collections.abc import Mapping
from typing import NoReturn, cast

from audience_sync.emulator import limits
from audience_sync.emulator.limits import fits
from audience_sync.emulator.refusals import Cause, Code, RefusedError

Body = Mapping[str, object]


def listed(body: Body, field: str, code: Code, *, too_many: Code = Code.TOO_MANY_USERS) -> list[object]:
    """The entries of an array, one for each user of the request."""
    entries = body.get(field)
    if not isinstance(entries, list) or not entries:
        misshapen(code, f"{field} is not an array with entries")
    if len(entries) > limits.USERS_PER_REQUEST:
        too_much(too_many, f"{len(entries)} users, at most {limits.USERS_PER_REQUEST}")
    return entries


def objects(body: Body, field: str, code: Code, *, too_many: Code = Code.TOO_MANY_USERS) -> list[Body]:
    """The same, where each entry is an object."""
    entries = listed(body, field, code, too_many=too_many)
    if not all(isinstance(entry, dict) for entry in entries):
        misshapen(code, f"{field} has an entry that is not an object")
    return cast("list[Body]", entries)  # a JSON object has only strings as keys


def strings(values: object, field: str, code: Code) -> list[str]:
    """The texts of an array that has some."""
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        misshapen(code, f"{field} is not an array of strings with entries")
    return values


def sized(text: str, most: int, code: Code, what: str) -> str:
    """A text of 1 to *most* bytes."""
    if not fits(text, most):
        too_much(code, f"{what} {text!r} has {len(text.encode())} bytes; 1 to {most} are taken")
    return text


def misshapen(code: Code, text: str) -> NoReturn:
    """Refuse what no page shows."""
    raise RefusedError(code, Cause.SHAPE, text)


def too_much(code: Code, text: str) -> NoReturn:
    """Refuse what passes a documented number."""
    raise RefusedError(code, Cause.LIMIT, text)
