"""`audience-sync chat revoke`: a push taken back."""

from typing import Annotated, Final

import typer

from audience_sync.chat_api import BrokenLimit, ChatApi, Command, Family, Refused, TryAgain
from audience_sync.chat_api.wire import path
from audience_sync.commands.chat.connection import asked, chat_settings
from audience_sync.commands.chat.message import offline_push_of
from audience_sync.commands.chat.push import Desc, Ext, Title
from audience_sync.commands.chat.users import LONG_ENOUGH, AsJson, PatienceSeconds
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.output import View, output
from audience_sync.settings import PREFIX

ALREADY_TAKEN_BACK: Final = 90050
"""What the Chat API answers for a push that was taken back before."""

_TAKEN_BACK: Final[View[str]] = View(
    columns=("task", "state"),
    rows=lambda task_id: [(task_id, "taken back")],
    fields=lambda task_id: {"task_id": task_id, "taken_back": True},
)


def revoke(
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="What pushing answered.")],
    title: Title = None,
    desc: Desc = None,
    ext: Ext = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Take back a push of the last 24 hours. With timpush only."""
    try:
        path(Family(chat_settings().family), Command.REVOKE)
    except BrokenLimit as error:
        raise Stop(ExitCode.BAD_INPUT, f"{error}\nSet {PREFIX}CHAT__FAMILY=timpush.") from error
    is_in_doubt = False

    async def take_back(chat: ChatApi) -> None:
        nonlocal is_in_doubt
        try:
            await chat.revoke(task_id, offline_push=offline_push_of(title, desc, ext))
        except TryAgain as error:
            is_in_doubt = is_in_doubt or error.ambiguous
            raise
        except Refused as error:
            if not (is_in_doubt and error.code == ALREADY_TAKEN_BACK):
                raise

    asked(take_back, patience_seconds=patience)
    output(as_json=as_json).show(_TAKEN_BACK, [task_id])
