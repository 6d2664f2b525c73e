"""The users that a command is given: by name, by `--file`, or on standard input."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from audience_sync.commands.chat.entries import Entry, Mistake, entries_of
from audience_sync.commands.chat.kind import Kind, UnfitError, Users
from audience_sync.commands.chat.reading import Work
from audience_sync.commands.chat.source import STANDARD_INPUT, Format, opened
from audience_sync.commands.stop import ExitCode, Stop

V = TypeVar("V")

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="USER...", help="The users; or - for lines on standard input.", show_default=False
    ),
]
File = Annotated[
    Path | None, typer.Option("--file", help="A file with users, a line each: .csv, .ndjson, .jsonl or .txt.")
]
LineFormat = Annotated[
    Format | None,
    typer.Option("--format", help="How lines are written, where the file's name does not tell."),
]
"""The parameters of a command that is for users."""


@contextmanager
def work_of(
    users: Sequence[str] | None, file: Path | None, line_format: Format | None, kind: Kind[V]
) -> Iterator[Work[V]]:
    """What is to be done, and for whom, all of it checked. Stop with what is wrong, or if nobody is named."""
    if bool(users) is (file is not None):
        raise Stop(
            ExitCode.BAD_INPUT,
            "Which users? Name them, or give --file, or - for standard input; one of these.",
        )
    if users and STANDARD_INPUT in users:
        if len(users) > 1:
            raise Stop(
                ExitCode.BAD_INPUT, "- is standard input, and stands alone; a user who is called so: --file"
            )
        file = Path(STANDARD_INPUT)
    with ExitStack() as resources:
        if file is None:
            work = Work(None, kind, partial(_named, users or (), kind))
        else:
            source = resources.enter_context(opened(file, line_format))
            work = Work(source.name, kind, partial(entries_of, source, kind))
        try:
            work.check()
        except KeyboardInterrupt as error:
            raise Stop(ExitCode.INTERRUPTED, "Interrupted. Nothing was sent.") from error
        yield work


def _named(users: Sequence[str], kind: Kind[V]) -> Iterator[Entry[V] | Mistake]:
    for user in users:
        try:
            yield Entry(0, user, kind.of_user_alone())
        except UnfitError:
            yield Mistake(0, f"what of {user!r}? Say it with {kind.option}, or in a file")


def same_for_all(kind: Kind[V], value: V, *, option: str) -> Kind[V]:
    """Users of each of whom *option* says *value*. Stop with what is wrong with it."""
    if problems := [f"{option}: {problem}" for problem in kind.problems(value)]:
        raise Stop(ExitCode.BAD_INPUT, "\n".join(problems))
    return Users(value, of=kind)


def pairs_of(texts: Sequence[str], *, example: str) -> dict[str, str]:
    """{left: right} of texts like *example*; the first "=" divides. Stop with all that are none, or stand twice."""
    pairs: dict[str, str] = {}
    problems: list[str] = []
    for text in texts:
        left, divided, right = text.partition("=")
        if not divided:
            problems.append(f'{text!r} has no "="; write {example}')
        elif left in pairs:
            problems.append(f"{left!r} is given twice, as {pairs[left]!r} and as {right!r}; leave one out")
        else:
            pairs[left] = right
    if problems:
        raise Stop(ExitCode.BAD_INPUT, "\n".join(problems))
    return pairs
