"""Tags of users: read, added, removed."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import typer

from audience_sync.commands.chat.given import File, LineFormat, Names, same_for_all, work_of
from audience_sync.commands.chat.kind import NOTHING_MORE, Kind
from audience_sync.commands.chat.kinds import REPLACEMENTS, TAGS, Texts
from audience_sync.commands.chat.users import (
    LONG_ENOUGH,
    AsJson,
    PatienceSeconds,
    UsersCall,
    reading,
    writing,
)
from audience_sync.commands.terminal.output import View

TagOption = Annotated[
    list[str] | None, typer.Option("--tag", help="A tag, for all these users; may be repeated.")
]

_TAGS_OF_USER: Final[View[tuple[str, list[str]]]] = View(
    columns=("user", "tag"),
    rows=lambda one: [(one[0], tag) for tag in one[1] or [""]],
    fields=lambda one: {"user": one[0], "tags": one[1]},
)


def get_tags(
    users: Names = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Show the tags of users."""
    with work_of(users, file, line_format, NOTHING_MORE) as work:
        call = UsersCall(work, lambda chat: reading(chat.get_tags), view=_TAGS_OF_USER)
        call.run(patience_seconds=patience, as_json=as_json)


def add_tags(
    users: Names = None,
    tag: TagOption = None,
    file: File = None,
    line_format: LineFormat = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="These are all the tags a user has then. With timpush only.")
    ] = False,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Add tags to users.

    Lines of a file: user,tag or {"user": "alice", "tags": ["a"]}.
    """
    with work_of(users, file, line_format, _said(tag, REPLACEMENTS if replace else TAGS)) as work:
        call = UsersCall(work, lambda chat: writing(partial(chat.add_tags, replace=replace)))
        call.run(patience_seconds=patience, as_json=as_json)


def remove_tags(
    users: Names = None,
    tag: TagOption = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Remove tags from users.

    Lines of a file: user,tag or {"user": "alice", "tags": ["a"]}.
    """
    with work_of(users, file, line_format, _said(tag, TAGS)) as work:
        call = UsersCall(work, lambda chat: writing(chat.remove_tags))
        call.run(patience_seconds=patience, as_json=as_json)


def remove_all_tags(
    users: Names = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Leave users without tags."""
    with work_of(users, file, line_format, NOTHING_MORE) as work:
        call = UsersCall(work, lambda chat: writing(chat.remove_all_tags))
        call.run(patience_seconds=patience, as_json=as_json)


def _said(tags: Sequence[str] | None, kind: Texts) -> Kind[Sequence[str]]:
    return same_for_all(kind, list(dict.fromkeys(tags)), option="--tag") if tags else kind
