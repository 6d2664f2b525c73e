"""What each line of a source says of a user, or what is wrong with it."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from audience_sync.commands.chat.kind import USER, Kind, UnfitError
from audience_sync.commands.chat.source import LONGEST_LINE_BYTES, Format, Line, Source
from audience_sync.commands.terminal.words import counted

V = TypeVar("V")


class Entry(msgspec.Struct, Generic[V], frozen=True):
    """What is said of a user on one line. Without a value: that there is nothing to do for him.

    line: 0 for what arguments say.
    """

    line: int
    user: str
    value: V | None


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong on one line."""

    line: int
    text: str


_MARKS: Final = frozenset(",;\t\"' ")
"""What stands between the cells of a table, so a bare user who holds one is asked about."""


def entries_of(source: Source, kind: Kind[V]) -> Iterator[Entry[V] | Mistake]:
    """The source's lines, read as *kind*. Reads the source from its beginning, each time, piece by piece."""
    if source.format is Format.CSV:
        return _of_table(source, kind)
    return _of_objects(source, kind)


def _of_objects(source: Source, kind: Kind[V]) -> Iterator[Entry[V] | Mistake]:
    for line in source.lines():
        try:
            if text := _decoded(line).strip():
                yield _of_object(text, kind, line) if text[0] in '{["' else _bare(text, kind, line)
        except UnfitError as error:
            yield Mistake(line.number, str(error))


def _of_object(text: str, kind: Kind[V], line: Line) -> Entry[V]:
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnfitError(f"this is no JSON: {error}") from None
    match said:
        case str():
            return Entry(line.number, said, kind.of_user_alone())
        case {"user": str(user)}:
            return Entry(line.number, user, kind.of_fields(said))
        case {"user": user}:
            raise UnfitError(f"'user' is {msgspec.json.encode(user).decode()}; write it as text, in quotes")
        case _:
            raise UnfitError(f"no 'user' in it; write {kind.json_example}")


def _bare(user: str, kind: Kind[V], line: Line) -> Entry[V]:
    if _MARKS & set(user):
        raise UnfitError(
            f"{user!r} is no bare user; say --format csv if this is a table, or write {kind.json_example}"
        )
    return Entry(line.number, user, kind.of_user_alone())


def _of_table(source: Source, kind: Kind[V]) -> Iterator[Entry[V] | Mistake]:
    columns: list[str] | None = None
    for row in _rows(source):
        if isinstance(row, Mistake):
            yield row
            continue
        try:
            if columns is None:
                columns = _columns(row.cells, kind)
            else:
                cells = _cells(row.cells, columns)
                yield Entry(row.line, cells.pop(USER), kind.of_cells(cells))
        except UnfitError as error:
            yield Mistake(row.line, str(error))
            if columns is None:
                return
    if columns is None:
        yield Mistake(1, f"nothing in it; the first line names the columns: {kind.csv_example}")


def _columns(cells: Sequence[str], kind: Kind[V]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if USER not in columns:
        raise UnfitError(
            f"the first line names the columns, such as {kind.csv_example}; it is {','.join(cells)!r}"
        )
    if twice := [column for column in columns if columns.count(column) > 1]:
        raise UnfitError(f"the column {twice[0]!r} stands twice")
    kind.check_columns(columns)
    return columns


def _cells(cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    if len(cells) > len(columns):
        raise UnfitError(
            f"{len(cells)} cells under {len(columns)} columns; a cell with a comma goes in quotes"
        )
    if len(cells) < len(columns):
        raise UnfitError(f"{counted(len(cells), 'cell')} under {len(columns)} columns: {','.join(columns)}")
    for cell in cells:
        if cell != cell.strip():
            raise UnfitError(
                f"{cell!r} begins or ends with a space; take it away, or write JSON if it is meant to be there"
            )
    return dict(zip(columns, cells, strict=True))


class _Row(msgspec.Struct, frozen=True):
    line: int
    cells: list[str]


def _rows(source: Source) -> Iterator[_Row | Mistake]:
    """The rows that are not empty; one with quotes may run over several lines."""
    texts = _Texts(source)
    reader = csv.reader(texts, strict=True)
    while True:
        first_line = texts.number + 1
        try:
            if cells := next(reader):
                yield _Row(first_line, cells)
        except StopIteration:
            return
        except csv.Error as error:
            yield Mistake(first_line, f"this is no row of a table: {error}; see its quotes")
        except UnfitError as error:
            yield Mistake(texts.number, str(error))


class _Texts(Iterator[str]):
    """Lines as texts. Unlike a generator it goes on after it has raised UnfitError for one of them."""

    def __init__(self, source: Source) -> None:
        self._lines = source.lines()
        self.number = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        return _decoded(line)


def _decoded(line: Line) -> str:
    if line.text is None:
        raise UnfitError(f"longer than {LONGEST_LINE_BYTES} bytes; nothing behind it was read")
    try:
        return line.text.decode()
    except UnicodeDecodeError:
        raise UnfitError("not written in UTF-8; save the file in it") from None
