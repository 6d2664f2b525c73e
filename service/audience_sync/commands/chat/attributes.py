"""Attributes of users: read, set, removed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from audience_sync.commands.chat.given import File, LineFormat, Names, pairs_of, same_for_all, work_of
from audience_sync.commands.chat.kind import NOTHING_MORE, Kind
from audience_sync.commands.chat.kinds import ATTRIBUTES, REMOVALS
from audience_sync.commands.chat.users import (
    LONG_ENOUGH,
    AsJson,
    PatienceSeconds,
    UsersCall,
    reading,
    writing,
)
from audience_sync.commands.terminal.output import View

_ATTRIBUTES_OF_USER: Final[View[tuple[str, dict[str, str]]]] = View(
    columns=("user", "attribute", "value"),
    rows=lambda one: [(one[0], *pair) for pair in sorted(one[1].items())] or [(one[0], "", "")],
    fields=lambda one: {"user": one[0], "attributes": dict(sorted(one[1].items()))},
)


def get_attributes(
    users: Names = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Show the attributes of users."""
    with work_of(users, file, line_format, NOTHING_MORE) as work:
        call = UsersCall(work, lambda chat: reading(chat.get_attributes), view=_ATTRIBUTES_OF_USER)
        call.run(patience_seconds=patience, as_json=as_json)


def set_attributes(
    users: Names = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="NAME=VALUE", help="For all these users; may be repeated."),
    ] = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Set attributes of users; those not named stay as they are.

    Lines of a file: user,city,level or {"user": "alice", "attributes": {"city": "Shenzhen"}}.
    """
    with work_of(users, file, line_format, _values(attribute)) as work:
        call = UsersCall(work, lambda chat: writing(chat.set_attributes))
        call.run(patience_seconds=patience, as_json=as_json)


def remove_attributes(
    users: Names = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="NAME", help="For all these users; may be repeated."),
    ] = None,
    file: File = None,
    line_format: LineFormat = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Leave users without values of attributes.

    Lines of a file: user,attribute or {"user": "alice", "attributes": ["city"]}.
    """
    with work_of(users, file, line_format, _names(attribute)) as work:
        call = UsersCall(work, lambda chat: writing(chat.remove_attributes))
        call.run(patience_seconds=patience, as_json=as_json)


def _values(given: Sequence[str] | None) -> Kind[Mapping[str, str]]:
    if not given:
        return ATTRIBUTES
    return same_for_all(ATTRIBUTES, pairs_of(given, example="city=Shenzhen"), option="--attribute")


def _names(given: Sequence[str] | None) -> Kind[Sequence[str]]:
    return same_for_all(REMOVALS, list(dict.fromkeys(given)), option="--attribute") if given else REMOVALS
