"""`audience-sync dead-letters list`: what could not be applied, each letter once."""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

import msgspec
import typer

from audience_sync.commands.configuration import settings_or_stop
from audience_sync.commands.dead_letters.index import Index, Summary
from audience_sync.commands.dead_letters.selection import (
    Causes,
    Codes,
    Replayed,
    Selection,
    Since,
    Until,
    Users,
    selection,
)
from audience_sync.commands.dead_letters.topics import Topics, fill, run, topics_of
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import counted, say

FEW: Final = 100
"""Rows that a person reads; all of them are counted below."""


def list_letters(
    users: Users = None,
    codes: Codes = None,
    causes: Causes = None,
    since: Since = None,
    until: Until = None,
    replayed: Replayed = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"At most so many; {FEW}, or all with --json, if it is not said."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List dead letters, the last given up first. What was written more than once is one letter."""
    topics = topics_of(settings_or_stop())
    wanted = selection(
        ids=None,
        users=users,
        codes=codes,
        causes=causes,
        since=since,
        until=until,
        replayed=replayed,
        now=time.time(),
    )
    most = limit if limit is not None or as_json else FEW
    run(topics, lambda: _list(topics, wanted, most=most, as_json=as_json))


async def _list(topics: Topics, wanted: Selection, *, most: int | None, as_json: bool) -> None:
    async with topics.reader() as reader:
        with Index() as index:
            await fill(index, reader, topics)
            letters = index.summaries(wanted.means)
            shown = _Counted()
            output(as_json=as_json).show(_LETTERS, shown.of(islice(letters, most)))
            others = sum(1 for _ in letters)
            if others:
                say(f"{counted(shown.number, 'letter')} of {shown.number + others:,}; --limit shows more.")
            elif not as_json:
                say(f"{counted(shown.number, 'letter')}.")
            if index.foreign_records:
                say(f"{counted(index.foreign_records, 'record')} of the topic can't be read as dead letters.")


class _Counted:
    """Counts what passes."""

    def __init__(self) -> None:
        self.number = 0

    def of(self, letters: Iterable[Summary]) -> Iterator[Summary]:
        """The same letters."""
        for letter in letters:
            self.number += 1
            yield letter


def at(seconds: float) -> str:
    """A moment, as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _row(letter: Summary) -> tuple[str, ...]:
    return (
        at(letter.given_up_at),
        letter.user or "-",
        letter.cause if letter.code is None else f"{letter.cause} {letter.code}",
        str(letter.times),
        "-" if letter.replayed_at is None else at(letter.replayed_at),
        letter.id,
    )


def _fields(letter: Summary) -> Mapping[str, object]:
    return msgspec.structs.asdict(letter)


_LETTERS: Final[View[Summary]] = View(
    columns=("given up", "user", "cause", "times", "replayed", "id"),
    rows=lambda letter: [_row(letter)],
    fields=_fields,
)
