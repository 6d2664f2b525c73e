"""Accounts: made to exist, asked after, deleted."""

from collections.abc import Mapping
from typing import Annotated, Final

import typer

from audience_sync.chat_api import Account, ChatApi, Found, Refusal, Refused, TryAgain
from audience_sync.commands.chat.given import File, LineFormat, Names, same_for_all, work_of
from audience_sync.commands.chat.kind import NOTHING_MORE
from audience_sync.commands.chat.kinds import APPEARANCES, Appearance
from audience_sync.commands.chat.requests import Call
from audience_sync.commands.chat.users import LONG_ENOUGH, AsJson, PatienceSeconds, UsersCall, reading
from audience_sync.commands.terminal.confirmation import Yes, confirm
from audience_sync.commands.terminal.output import View
from audience_sync.commands.terminal.words import counted

NO_ACCOUNT: Final = 70107
"""What deleting a user answers who does not exist, or not any more."""

_EXISTENCE: Final[View[tuple[str, bool]]] = View(
    columns=("user", "account"),
    rows=lambda one: [(one[0], "imported" if one[1] else "not imported")],
    fields=lambda one: {"user": one[0], "imported": one[1]},
)


def import_accounts(
    users: Names = None,
    nick: Annotated[str, typer.Option(help="What others see as the name, of all these users.")] = "",
    face_url: Annotated[str, typer.Option(help="Where the picture is, of all these users.")] = "",
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Make users exist; who does already gets the nick and the picture.

    Lines of a file: alice, or user,nick,face_url, or {"user": "alice", "nick": "Alice"}.
    """
    said = Appearance(nick, face_url)
    kind = (
        APPEARANCES if said == Appearance() else same_for_all(APPEARANCES, said, option="--nick, --face-url")
    )
    with work_of(users, file, line_format, kind) as work:
        UsersCall(work, importing).run(patience_seconds=patience, as_json=as_json)


def check_accounts(
    users: Names = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Show which users have an account."""
    with work_of(users, file, line_format, NOTHING_MORE) as work:
        call = UsersCall(work, lambda chat: reading(chat.check_accounts), view=_EXISTENCE)
        call.run(patience_seconds=patience, as_json=as_json)


def delete_accounts(
    users: Names = None,
    file: File = None,
    line_format: LineFormat = None,
    yes: Yes = False,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Delete users, with groups, friends and conversations. They can't come back for three months."""
    with work_of(users, file, line_format, NOTHING_MORE) as work:
        confirm(
            f"{counted(work.lines, 'user')} will be deleted, with groups, friends and conversations, and can't be "
            "imported again for three months.",
            yes=yes,
        )
        UsersCall(work, deleting).run(patience_seconds=patience, as_json=as_json)


def importing(chat: ChatApi) -> Call[Appearance, None]:
    """Make users exist. The answer names who failed and not why, so whoever did is tried alone.

    If it names somebody else, one of these is meant, and all of them are tried.
    """

    async def write(users: Mapping[str, Appearance]) -> Found[None]:
        accounts = {user: Account(user, seen.nick, seen.face_url) for user, seen in users.items()}
        refused: dict[str, Refusal] = {}
        failed = await chat.import_accounts(list(accounts.values()))
        for user in failed if failed <= accounts.keys() else accounts:
            try:
                await chat.import_account(accounts[user])
            except Refused as error:
                refused[user] = Refusal(error.code, error.info, again=False)
        return Found({}, refused)

    return write


def deleting(chat: ChatApi) -> Call[tuple[()], None]:
    """Delete users. Who was there when an answer got lost, and is not there on the repeat, is deleted."""
    in_doubt: set[str] = set()

    async def write(users: Mapping[str, tuple[()]]) -> Found[None]:
        try:
            refused = await chat.delete_accounts(list(users))
        except TryAgain as error:
            if error.ambiguous:
                in_doubt.update(users)
            raise
        return Found(
            {},
            {user: said for user, said in refused.items() if user not in in_doubt or said.code != NO_ACCOUNT},
        )

    return write
