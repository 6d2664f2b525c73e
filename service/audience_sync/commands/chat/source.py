"""Where lines come from: a file, or standard input; so that they can be read twice, first to check them."""

import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from audience_sync.commands.stop import ExitCode, Stop

LONGEST_LINE_BYTES: Final = 65_536
"""Ours: a user with 100 tags of 50 bytes, all of it escaped, stays below half of it."""

STANDARD_INPUT: Final = "-"

_MARK: Final = b"\xef\xbb\xbf"
"""What some programs begin a file in UTF-8 with."""


class Format(StrEnum):
    """How lines are written."""

    CSV = "csv"
    """A table: the first line names the columns."""
    NDJSON = "ndjson"
    """A JSON object a line, or a bare user."""


_FORMATS: Final = {
    ".csv": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".txt": Format.NDJSON,
}


class Line(msgspec.Struct, frozen=True):
    """One line with its number. Without its bytes: it was too long, and it is the last one that is read."""

    number: int
    text: bytes | None


class Source(msgspec.Struct, frozen=True):
    """Lines, and what messages call the place where they stand."""

    name: str
    format: Format
    file: BinaryIO

    def lines(self) -> Iterator[Line]:
        """From the first one on, each time."""
        self.file.seek(0)
        number = 0
        while text := self.file.readline(LONGEST_LINE_BYTES + 1):
            number += 1
            if len(text) > LONGEST_LINE_BYTES:
                yield Line(number, None)
                return
            yield Line(number, text.removeprefix(_MARK) if number == 1 else text)


@contextmanager
def opened(path: Path, line_format: Format | None) -> Iterator[Source]:
    """The lines at *path*, `-` being standard input. What can't be read twice is copied, to disk, first.

    Stop if it can't be read, or nobody says how its lines are written.
    """
    name = "standard input" if str(path) == STANDARD_INPUT else str(path)
    known = line_format or _FORMATS.get(path.suffix.lower())
    if known is None and str(path) != STANDARD_INPUT:
        raise Stop(
            ExitCode.BAD_INPUT, f"{name}: say how its lines are written: --format csv or --format ndjson"
        )
    with ExitStack() as resources:
        try:
            file = resources.enter_context(_twice(path))
        except OSError as error:
            raise Stop(ExitCode.BAD_INPUT, f"{name} can't be read: {error.strerror}") from error
        yield Source(name, known or Format.NDJSON, file)


@contextmanager
def _twice(path: Path) -> Iterator[BinaryIO]:
    if str(path) == STANDARD_INPUT:
        with _copied(sys.stdin.buffer) as copy:
            yield copy
        return
    with path.open("rb") as file:
        if stat.S_ISREG(path.stat().st_mode):
            yield file
            return
        with _copied(file) as copy:
            yield copy


@contextmanager
def _copied(stream: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        yield copy
