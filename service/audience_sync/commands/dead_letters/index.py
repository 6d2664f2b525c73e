"""What stands in the topic of dead letters, each id once, in a file on disk: memory does not grow with the topic."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from audience_sync.core.ledger import Origin
from audience_sync.events.dead_letters import DeadLetter


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A letter without its bytes. The last record of an id counts; *times* says how many there are.

    user: of a record that could not be used it is its key, if that is text.
    first_given_up_at, given_up_at: epoch seconds, of the first and of the last record.
    replayed_at: when it was replayed, if that was after it was given up last.
    """

    id: str
    user: str | None
    cause: str
    code: int | None
    info: str
    changes: list[list[str]]
    origins: list[Origin]
    first_given_up_at: float
    given_up_at: float
    times: int
    replayed_at: float | None


_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE letters (
    id TEXT PRIMARY KEY, user TEXT, cause TEXT, code INTEGER, info TEXT, changes BLOB, origins BLOB,
    first_given_up_at REAL, given_up_at REAL, times INTEGER, replayed_at REAL, partition INTEGER, position INTEGER
) WITHOUT ROWID;
CREATE TABLE selected (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE whole (id TEXT PRIMARY KEY, letter BLOB) WITHOUT ROWID;
CREATE TABLE wanted (partition INTEGER, position INTEGER, PRIMARY KEY (partition, position)) WITHOUT ROWID;
BEGIN;
"""
_ADD: Final = """
INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, NULL, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    cause = excluded.cause, code = excluded.code, info = excluded.info, changes = excluded.changes,
    origins = excluded.origins, given_up_at = excluded.given_up_at, times = times + 1,
    partition = excluded.partition, position = excluded.position
"""
_REPLAYED: Final = "UPDATE letters SET replayed_at = ? WHERE id = ? AND given_up_at <= ?"
_SUMMARIES: Final = """
SELECT id, user, cause, code, info, changes, origins, first_given_up_at, given_up_at, times, replayed_at
FROM letters ORDER BY given_up_at DESC, id
"""
_WANT: Final = """
INSERT INTO wanted SELECT partition, position FROM letters
WHERE id IN selected OR user IN (SELECT user FROM letters WHERE id IN selected)
"""
_SELECTED: Final = """
SELECT letter, first_given_up_at FROM whole JOIN letters USING (id)
WHERE id IN selected ORDER BY user, first_given_up_at, id
"""
_OF_USER: Final = "SELECT letter, first_given_up_at FROM whole JOIN letters USING (id) WHERE user = ?"


class NoRoomError(Exception):
    """The index can't be kept; the message says where, and the way out."""

    def __init__(self, where: str, why: object) -> None:
        super().__init__(
            f"{where}: {why}; an index of all letters is kept there, so let TMPDIR name a folder with more room"
        )


class Index:
    """All letters of a topic; a context manager. Its file is gone in the end. Raises NoRoomError."""

    def __init__(self) -> None:
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="audience-sync-")
        except OSError as error:
            raise NoRoomError("no folder for temporary files", error.strerror) from error
        self.foreign_records = 0
        """Records in the topic that are no dead letters."""

    def __enter__(self) -> Self:
        self._file = sqlite3.connect(Path(self._folder.name) / "letters", isolation_level=None)
        self._file.executescript(_TABLES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._folder.cleanup()

    def add(self, partition: int, position: int, key: bytes | None, letter: DeadLetter) -> None:
        """One more record of the topic; those of one id come in order."""
        self._do(
            _ADD,
            letter.id,
            letter.user if letter.user is not None else _text(key),
            letter.cause,
            letter.code,
            letter.info,
            msgspec.json.encode(letter.changes),
            msgspec.json.encode(letter.origins),
            letter.given_up_at,
            letter.given_up_at,
            partition,
            position,
        )

    def replayed(self, letter_id: str, at: float) -> None:
        """The letter was replayed then; it counts if it was not given up again since."""
        self._do(_REPLAYED, at, letter_id, at)

    def summaries(self, means: Callable[[Summary], bool]) -> Iterator[Summary]:
        """Letters that are meant, the last given up first."""
        return filter(means, map(_summary, self._do(_SUMMARIES)))

    def select(self, means: Callable[[Summary], bool]) -> int:
        """Choose the letters that are meant; returns how many. Once an index."""
        number = 0
        for letter in self.summaries(means):
            self._do("INSERT INTO selected VALUES (?)", letter.id)
            number += 1
        self._do(_WANT)
        return number

    def selected_ids(self) -> frozenset[str]:
        """The ids that were selected; for a selection by ids."""
        return frozenset(letter_id for (letter_id,) in self._do("SELECT id FROM selected"))

    def wants(self, partition: int, position: int) -> bool:
        """Whether the record there must be kept whole: it is a selected letter's last, or one of its user's."""
        found = self._do("SELECT 1 FROM wanted WHERE partition = ? AND position = ?", partition, position)
        return found.fetchone() is not None

    def keep_whole(self, letter: DeadLetter) -> None:
        """Keep a letter with its bytes."""
        self._do("INSERT OR REPLACE INTO whole VALUES (?, ?)", letter.id, msgspec.json.encode(letter))

    def selected(self) -> Iterator[tuple[DeadLetter, float]]:
        """The letters that were selected, whole, and when each was given up first; a user's stand together."""
        return map(_whole, self._do(_SELECTED))

    def letters_of(self, user: str) -> Iterator[tuple[DeadLetter, float]]:
        """All letters of this user that were kept whole, and when each was given up first."""
        return map(_whole, self._do(_OF_USER, user))

    def _do(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._file.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise NoRoomError(self._folder.name, error) from error


def _summary(row: Sequence[Any]) -> Summary:
    fields = dict(zip(Summary.__struct_fields__, row, strict=True))
    fields["changes"] = msgspec.json.decode(fields["changes"], type=list[list[str]])
    fields["origins"] = msgspec.json.decode(fields["origins"], type=list[Origin])
    return Summary(**fields)


def _whole(row: tuple[bytes, float]) -> tuple[DeadLetter, float]:
    return msgspec.json.decode(row[0], type=DeadLetter), row[1]


def _text(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return None
