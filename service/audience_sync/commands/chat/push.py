"""`audience-sync chat push`: a message to everybody, or to those who meet a condition. Never repeated by itself."""

import random
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from audience_sync.chat_api import ChatApi, ChatApiError, Command, Everybody, Family, Push, TryAgain
from audience_sync.chat_api.push import encode_push
from audience_sync.chat_api.wire import path
from audience_sync.commands.chat.connection import chat_settings, connected
from audience_sync.commands.chat.ending import stop_after, what_happened
from audience_sync.commands.chat.message import PushOptions, offline_push_of, push_of
from audience_sync.commands.chat.users import AsJson
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.confirmation import Yes, confirm
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import printable, say
from audience_sync.core.limits import RANDOM_MOST
from audience_sync.settings import ChatSettings

Title = Annotated[str | None, typer.Option(help="Of the notification that phones show.")]
Desc = Annotated[
    str | None, typer.Option(help="Text of the notification; without it, it is made of the message.")
]
Ext = Annotated[str | None, typer.Option(help="JSON that the notification carries for the app.")]
"""The parameters of what phones show."""


class Pushed(msgspec.Struct, frozen=True):
    """What became of a push, and what knows it again."""

    task_id: str
    random: int


class Planned(msgspec.Struct, frozen=True):
    """What would go out; who signs it, and with what, is not in it."""

    path: str
    body: bytes


_PUSHED: Final[View[Pushed]] = View(
    columns=("task", "random"),
    rows=lambda pushed: [(pushed.task_id, str(pushed.random))],
    fields=msgspec.structs.asdict,
)
_PLANNED: Final[View[Planned]] = View(
    columns=("request",),
    rows=lambda planned: [(f"POST {planned.path}",), (planned.body.decode(),)],
    fields=lambda planned: {"method": "POST", "path": planned.path, "body": msgspec.Raw(planned.body)},
)


def push(
    tags_or: Annotated[
        list[str] | None, typer.Option(metavar="TAG...", help="Who carries one of these.")
    ] = None,
    tags_and: Annotated[
        list[str] | None, typer.Option(metavar="TAG...", help="Who carries all of these.")
    ] = None,
    tags_not: Annotated[
        list[str] | None, typer.Option(metavar="TAG...", help="Who carries none of these. With timpush only.")
    ] = None,
    attrs_or: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE...", help="Who has one of these.")
    ] = None,
    attrs_and: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE...", help="Who has all of these.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--everyone", help="All accounts of the app.")] = False,
    text: Annotated[str | None, typer.Option(help="The message, if it is a text.")] = None,
    body: Annotated[
        Path | None,
        typer.Option(
            help="A file with the message in JSON as documented: MsgBody, or the whole; - for standard input."
        ),
    ] = None,
    title: Title = None,
    desc: Desc = None,
    ext: Ext = None,
    life_time: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS",
            help="How long it is kept for who is offline: 3600, 2h, 7d. Without: not at all.",
        ),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="USER", help="The sender that receivers see; else the administrator."),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            "--random", min=0, max=RANDOM_MOST, help="What a repeat is known by; else one is chosen."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Push a message to users by tags or by attributes, or to everyone. It is tried once and never repeated."""
    settings = chat_settings()
    family = Family(settings.family)
    options = PushOptions(
        tags_or=tags_or or (),
        tags_and=tags_and or (),
        tags_not=tags_not or (),
        attrs_or=attrs_or or (),
        attrs_and=attrs_and or (),
        everyone=everyone,
        text=text,
        body=body,
        life_time=life_time,
        sender=sender,
        random=number,
        offline_push=offline_push_of(title, desc, ext),
    )
    message = push_of(options, family, random=random.SystemRandom().getrandbits(32))
    if family is Family.TIMPUSH and life_time and message.life_seconds:
        say("timpush has no life time: the message is kept as long as the app keeps any message.")
    if dry_run:
        planned = Planned(path(family, Command.PUSH), encode_push(message, family))
        output(as_json=as_json, as_lines=True).show(_PLANNED, [planned])
        return
    if isinstance(message.to, Everybody):
        confirm(f"The message goes to everyone who has an account in the app {settings.app_id}.", yes=yes)
    task_id = _send(message, settings)
    output(as_json=as_json).show(_PUSHED, [Pushed(task_id, message.random)])


def _send(message: Push, settings: ChatSettings) -> str:
    async def send(chat: ChatApi) -> str:
        return await chat.push(message)

    def stop(error: ChatApiError) -> Stop:
        if error.ambiguous:
            return Stop(ExitCode.UNAVAILABLE, f"{printable(what_happened(error))}\n{in_doubt}")
        if isinstance(error, TryAgain):
            return Stop(
                ExitCode.UNAVAILABLE,
                f"{printable(what_happened(error))}\nIt was not sent: repeat it, with --random {message.random}.",
            )
        return stop_after(error, "It was not sent.")

    in_doubt = (
        "It may have been sent, and is not repeated by itself. If it did not arrive, repeat it with "
        f"--random {message.random}: the Chat API knows a push again by that, for seven days or for one second "
        "(its documentation says both)."
    )
    return connected(send, settings=settings, so_far=lambda: in_doubt, stop=stop)
