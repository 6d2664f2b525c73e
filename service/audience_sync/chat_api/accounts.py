"""Accounts: the bodies of the calls that import, check and delete them, and their answers."""

from collections.abc import Collection
from typing import Final, TypeVar

import msgspec

from audience_sync.chat_api.answers import Answer
from audience_sync.chat_api.checks import encoded, shown
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.wire import Command
from audience_sync.core import limits

T = TypeVar("T")


class Account(msgspec.Struct, frozen=True):
    """A user as the Chat API is to know him. What is empty is not sent, so it stays as it is (inferred)."""

    user: str
    nick: str = ""
    face_url: str = ""


class ImportAnswer(Answer, frozen=True, rename={"failed": "FailAccounts"}):
    """Which users were not imported; all others were."""

    failed: list[str | int] | None = None


class ResultOfOne(
    msgspec.Struct,
    frozen=True,
    rename={"user": "UserID", "code": "ResultCode", "info": "ResultInfo", "status": "AccountStatus"},
):
    """What is said of one user; *status* in a check alone."""

    user: str | int | None = None
    code: int = 0
    info: str | None = None
    status: str | None = None

    @property
    def is_imported(self) -> bool:
        """Whether a check says that the user has an account."""
        return self.status == "Imported"


class ResultsAnswer(Answer, frozen=True, rename={"results": "ResultItem"}):
    """What was checked or deleted, in any order."""

    results: list[ResultOfOne] | None = None


IMPORTED: Final = msgspec.json.Decoder(ImportAnswer, strict=False)
RESULTS: Final = msgspec.json.Decoder(ResultsAnswer, strict=False)
"""How the answers are read."""


def encode_import(account: Account) -> bytes:
    """The body of `account_import`. BrokenLimit names what the API would refuse.

    Source: docs/chat-api.md#account_import.
    """
    return encoded(Command.IMPORT_ACCOUNT, _item(Command.IMPORT_ACCOUNT, account))


def encode_imports(accounts: Collection[Account]) -> bytes:
    """The body of `multiaccount_import`: 1 to 100 accounts. BrokenLimit as for `encode_import`."""
    command = Command.IMPORT_ACCOUNTS
    items = [_item(command, account) for account in _few(command, accounts)]
    return encoded(command, {"AccountList": items})


def encode_check(users: Collection[str]) -> bytes:
    """The body of `account_check`: 1 to 100 users. BrokenLimit as for `encode_import`."""
    return _named(Command.CHECK_ACCOUNTS, "CheckItem", users)


def encode_delete(users: Collection[str]) -> bytes:
    """The body of `account_delete`: 1 to 100 users. BrokenLimit as for `encode_import`."""
    return _named(Command.DELETE_ACCOUNTS, "DeleteItem", users)


def _named(command: Command, name: str, users: Collection[str]) -> bytes:
    items = [{"UserID": _user(command, user)} for user in _few(command, users)]
    return encoded(command, {name: items})


def _item(command: Command, account: Account) -> dict[str, object]:
    if not isinstance(account, Account):
        raise BrokenLimit(f"{command}: {shown(account)} is no account; make one with Account(user)")
    item: dict[str, object] = {"UserID": _user(command, account.user)}
    for name, text in (("Nick", account.nick), ("FaceUrl", account.face_url)):
        if text == "":
            continue
        if broken := limits.broken_text(name, text, limits.PROFILE_FIELD_BYTES):
            raise BrokenLimit(f"{command} for user {account.user!r}: {broken}")
        item[name] = text
    return item


def _user(command: Command, user: str) -> str:
    if broken := limits.broken_text("the user", user, limits.USER_ID_BYTES):
        raise BrokenLimit(f"{command}: {broken}")
    return user


def _few(command: Command, several: Collection[T]) -> Collection[T]:
    if isinstance(several, str) or not isinstance(several, Collection):
        raise BrokenLimit(f"{command} was given {shown(several)}, which is no list of users")
    if not 1 <= len(several) <= limits.USERS_PER_REQUEST:
        raise BrokenLimit(f"{command} with {len(several)} users; it takes 1 to {limits.USERS_PER_REQUEST}")
    return several
