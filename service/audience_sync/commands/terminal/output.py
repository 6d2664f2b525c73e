"""What a command shows: a table on a terminal, texts with tabs between them elsewhere, or JSON, an object a line."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from audience_sync.commands.terminal.words import printable

T = TypeVar("T")


class View(msgspec.Struct, Generic[T], frozen=True):
    """How things of one kind are shown: as rows under columns, and as a JSON object.

    rows:   a thing may take several, or none.
    object: its fields.
    """

    columns: Sequence[str]
    rows: Callable[[T], Iterable[Sequence[str]]]
    fields: Callable[[T], Mapping[str, object]]


class Output(ABC):
    """Where results are shown. What is no result goes to standard error."""

    @abstractmethod
    def show(self, view: View[T], things: Iterable[T]) -> None:
        """Show them; nothing if there are none."""

    def show_aside(self, view: View[T], things: Iterable[T]) -> None:
        """Show what is beside the results: with them in JSON, where a program can tell them apart."""
        _Lines(sys.stderr.write).show(view, things)


class _Json(Output):
    def show(self, view: View[T], things: Iterable[T]) -> None:
        for thing in things:
            print(msgspec.json.encode(view.fields(thing)).decode())

    def show_aside(self, view: View[T], things: Iterable[T]) -> None:
        self.show(view, things)


class _Lines(Output):
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def show(self, view: View[T], things: Iterable[T]) -> None:
        for thing in things:
            for row in view.rows(thing):
                self._write("\t".join(map(printable, row)) + "\n")


class _Tables(Output):
    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, view: View[T], things: Iterable[T]) -> None:
        table = Table(*(Column(column, overflow="fold") for column in view.columns))  # nothing is cut off
        for thing in things:
            for row in view.rows(thing):
                table.add_row(*(Text(printable(cell)) for cell in row))
        if table.row_count:
            self._console.print(table)


def output(*, as_json: bool, as_lines: bool = False) -> Output:
    """What fits where standard output goes. *as_lines*: no table, for what is to be copied."""
    if as_json:
        return _Json()
    console = Console()
    is_for_eyes = console.is_terminal and not as_lines
    return _Tables(console) if is_for_eyes else _Lines(lambda text: print(text, end=""))
