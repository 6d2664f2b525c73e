"""The names of the app's attributes: shown, and set."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import typer

from audience_sync.chat_api import ChatApi
from audience_sync.commands.chat.connection import asked
from audience_sync.commands.chat.given import pairs_of
from audience_sync.commands.chat.users import LONG_ENOUGH, AsJson, PatienceSeconds
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import say
from audience_sync.core.limits import ATTRIBUTE_NAME_BYTES, ATTRIBUTES_PER_APP, broken_text

_NAMES: Final[View[tuple[int, str]]] = View(
    columns=("slot", "attribute"),
    rows=lambda one: [(str(one[0]), one[1])],
    fields=lambda one: {"slot": one[0], "attribute": one[1]},
)
_SLOTS: Final = {str(slot): slot for slot in range(ATTRIBUTES_PER_APP)}
_TYPES: Final = {"0": 0, "1": 1}


def get_attribute_names(patience: PatienceSeconds = LONG_ENOUGH, as_json: AsJson = False) -> None:
    """Show the names of the app's attributes, by slot."""
    names = asked(lambda chat: chat.get_attribute_names(), patience_seconds=patience)
    _show(names, as_json=as_json)
    if not names:
        say("The app has no attributes yet; `audience-sync chat set-attribute-names` defines them.")


def set_attribute_names(
    names: Annotated[
        list[str], typer.Argument(metavar="SLOT=NAME...", help="Slots 0-9 and their names: 0=sex 1=city.")
    ],
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="SLOT=TYPE",
            help="With timpush only, and fixed once set: 0 of users, 1 of devices; may be repeated.",
        ),
    ] = None,
    patience: PatienceSeconds = LONG_ENOUGH,
    as_json: AsJson = False,
) -> None:
    """Give slots their names; other slots keep theirs. Shows all of them."""
    given = pairs_of(names, example="0=city")
    types_given = pairs_of(types or (), example="0=1")
    if problems := [*_problems(given), *_problems_of_types(types_given)]:
        raise Stop(ExitCode.BAD_INPUT, "\n".join(problems))
    by_slot = {_SLOTS[slot]: name for slot, name in given.items()}
    types_by_slot = {_SLOTS[slot]: _TYPES[kind] for slot, kind in types_given.items()} or None

    async def set_names(chat: ChatApi) -> dict[int, str]:
        return await chat.set_attribute_names(by_slot, types=types_by_slot)

    _show(asked(set_names, patience_seconds=patience), as_json=as_json)


def _show(names: Mapping[int, str], *, as_json: bool) -> None:
    output(as_json=as_json).show(_NAMES, sorted(names.items()))


def _problems(names: Mapping[str, str]) -> Iterator[str]:
    for slot, name in names.items():
        if slot not in _SLOTS:
            yield f"there is no slot {slot!r}; slots are 0 to {ATTRIBUTES_PER_APP - 1}: 0=city"
        if broken := broken_text("the attribute name", name, ATTRIBUTE_NAME_BYTES):
            yield f"slot {slot}: {broken}"
        if list(names.values()).count(name) > 1:
            yield f"slot {slot}: {name!r} is given to several slots; an attribute has one"


def _problems_of_types(types: Mapping[str, str]) -> Iterator[str]:
    for slot, kind in types.items():
        if slot not in _SLOTS or kind not in _TYPES:
            slots = f"a slot from 0 to {ATTRIBUTES_PER_APP - 1}"
            yield f"--type {slot}={kind}: it takes {slots}, and 0 (of users) or 1 (of devices)"
