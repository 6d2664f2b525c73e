"""The bodies of the accounts API into requests, or the code that refuses them.

The pages have one code, 70402, for a parameter that is missing, wrong, too long or too many.
"""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from audience_sync.emulator import limits
from audience_sync.emulator.limits import fits
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    AboutAccounts,
    CheckAccounts,
    DeleteAccounts,
    ImportAccount,
    ImportAccounts,
    NewAccount,
)

Body = Mapping[str, object]


def _import_one(body: Body) -> ImportAccount:
    return ImportAccount(_account(body, "UserID" if "UserID" in body else "Identifier"))


def _import_many(body: Body) -> ImportAccounts:
    if "AccountList" in body:
        return ImportAccounts([_account(each, "UserID") for each in _objects(body, "AccountList")])
    return ImportAccounts([NewAccount(_user(each)) for each in _listed(body, "Accounts")])


def _check(body: Body) -> CheckAccounts:
    return CheckAccounts([_user(each.get("UserID")) for each in _objects(body, "CheckItem")])


def _delete(body: Body) -> DeleteAccounts:
    return DeleteAccounts([_user(each.get("UserID")) for each in _objects(body, "DeleteItem")])


ACCOUNT_READERS: Final[dict[str, Callable[[Body], AboutAccounts]]] = {
    "account_import": _import_one,
    "multiaccount_import": _import_many,
    "account_check": _check,
    "account_delete": _delete,
}


def _account(body: Body, field: str) -> NewAccount:
    return NewAccount(_user(body.get(field)), _profile(body, "Nick"), _profile(body, "FaceUrl"))


def _profile(body: Body, field: str) -> str:
    text = body.get(field, "")
    if not isinstance(text, str):
        _misshapen(f"{field} is not a string")
    if len(text.encode()) > limits.PROFILE_BYTES:
        words = f"{field} has {len(text.encode())} bytes; at most {limits.PROFILE_BYTES} are taken"
        raise RefusedError(Code.PROFILE_TOO_LONG, Cause.LIMIT, words)
    return text


def _user(value: object) -> str:
    if not isinstance(value, str):
        _misshapen("UserID is not a string")
    if not fits(value, limits.USER_BYTES):
        _too_much(f"user {value!r} has {len(value.encode())} bytes; 1 to {limits.USER_BYTES} are taken")
    return value


def _objects(body: Body, field: str) -> list[Body]:
    found: list[Body] = []
    for each in _listed(body, field):
        if not isinstance(each, dict):
            _misshapen(f"{field} has an entry that is not an object")
        found.append(each)
    return found


def _listed(body: Body, field: str) -> list[object]:
    entries = body.get(field)
    if not isinstance(entries, list) or not entries:
        _misshapen(f"{field} is not an array with entries")
    if len(entries) > limits.USERS_PER_REQUEST:
        _too_much(f"{len(entries)} users, at most {limits.USERS_PER_REQUEST}")
    return entries


def _misshapen(text: str) -> NoReturn:
    raise RefusedError(Code.BAD_ACCOUNT, Cause.SHAPE, text)


def _too_much(text: str) -> NoReturn:
    raise RefusedError(Code.BAD_ACCOUNT, Cause.LIMIT, text)
