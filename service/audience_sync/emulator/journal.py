"""What was applied, in a file, so that the emulator can be killed and come back.

One JSON line a record, each written with one call before the request is answered. A line that the end of the
process cut short was never answered; it is dropped. What the operating system has taken survives the process,
not a power failure. The file grows with what is written; it belongs to one emulator at a time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from audience_sync.emulator.records import Entry


class JournalError(Exception):
    """The file is no journal of an emulator, or it is broken in the middle. Names the file and the line."""


class Journal:
    """An open journal; closes itself at the end of a `with`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+b", buffering=0)
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def entries(self) -> Iterator[Entry]:
        """Everything recorded so far, in order. Cuts off an unfinished last line. Raises JournalError."""
        decoder = msgspec.json.Decoder(Entry)
        whole = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                try:
                    yield decoder.decode(line)
                except (ValueError, RecursionError) as error:
                    raise JournalError(f"{self._path}, line {number}: {error}") from error
        self._file.truncate(whole)

    def record(self, entry: Entry) -> None:
        """Write one line. When this returns, it outlives the process. Raises OSError."""
        line = memoryview(self._encoder.encode(entry) + b"\n")
        while line:
            line = line[self._file.write(line) :]
