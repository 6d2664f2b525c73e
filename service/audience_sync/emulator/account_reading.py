"""The bodies of the accounts API into requests, or the code that refuses them.

The pages have one code, 70402, for a parameter that is missing, wrong, too long or too many.
"""

from collections.abc import Callable
from typing import Final

from audience_sync.emulator import limits
from audience_sync.emulator.refusals import Code
from audience_sync.emulator.requests import (
    AboutAccounts,
    CheckAccounts,
    DeleteAccounts,
    ImportAccount,
    ImportAccounts,
    NewAccount,
)
from audience_sync.emulator.shapes import Body, listed, misshapen, objects, sized, too_much


def _import_one(body: Body) -> ImportAccount:
    return ImportAccount(_account(body, "UserID" if "UserID" in body else "Identifier"))


def _import_many(body: Body) -> ImportAccounts:
    if "AccountList" in body:
        return ImportAccounts([_account(each, "UserID") for each in _objects(body, "AccountList")])
    users = listed(body, "Accounts", Code.BAD_ACCOUNT, too_many=Code.BAD_ACCOUNT)
    return ImportAccounts([NewAccount(_user(each)) for each in users])


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
        misshapen(Code.BAD_ACCOUNT, f"{field} is not a string")
    if len(text.encode()) > limits.PROFILE_BYTES:
        words = f"{field} has {len(text.encode())} bytes; at most {limits.PROFILE_BYTES} are taken"
        too_much(Code.PROFILE_TOO_LONG, words)
    return text


def _user(value: object) -> str:
    if not isinstance(value, str):
        misshapen(Code.BAD_ACCOUNT, "UserID is not a string")
    return sized(value, limits.USER_BYTES, Code.BAD_ACCOUNT, "user")


def _objects(body: Body, field: str) -> list[Body]:
    return objects(body, field, Code.BAD_ACCOUNT, too_many=Code.BAD_ACCOUNT)
