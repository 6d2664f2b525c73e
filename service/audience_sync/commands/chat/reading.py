"""What a call is to do, user by user: all of it checked first, then handed out in pieces."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Generic, TypeVar

import msgspec

from audience_sync.commands.chat.entries import Entry, Mistake
from audience_sync.commands.chat.kind import Kind
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core import limits

V = TypeVar("V")

MOST_MISTAKES: Final = 20
"""So many are told at once; whoever makes more makes one of them often."""

PIECE_LINES: Final = 5_000
"""So many lines are held in memory. Ours: more than the requests under way at once carry."""


class Piece(msgspec.Struct, Generic[V], frozen=True):
    """Some users, each once, and what is said of them on *lines* lines, of which *last_line* is the last."""

    users: dict[str, V]
    lines: int
    last_line: int


class Work(Generic[V]):
    """Everything that one call is asked to do. It is read anew each time, so it takes no memory."""

    def __init__(
        self, name: str | None, kind: Kind[V], entries: Callable[[], Iterable[Entry[V] | Mistake]]
    ) -> None:
        """*name*: of the source; None when it is arguments that say it."""
        self.name, self._kind, self._entries = name, kind, entries
        self.lines = 0
        self.attribute_names: dict[str, int] = {}
        """{attribute: the line that names it first}."""

    def check(self) -> None:
        """Read all of it, and count its lines. Stop with everything that is wrong, up to 20 mistakes."""
        wrong: list[str] = []
        whole = _Whole(self._kind)
        self.lines = 0
        for entry in self._entries():
            self.lines += 1
            if isinstance(entry, Mistake):
                problems = [entry.text]
            else:
                problems = [*self._problems(entry)] or [*whole.problems(entry)]
            wrong += [self._told(entry.line, text) for text in problems]
            if len(wrong) >= MOST_MISTAKES:
                wrong[MOST_MISTAKES:] = ["and maybe more: reading ended here"]
                break
        if wrong:
            raise Stop(ExitCode.BAD_INPUT, "\n".join([*wrong, "Nothing was sent."]))

    def pieces(self) -> Iterator[Piece[V]]:
        """All of it, once it is checked, in order. A user may come again in a later piece."""
        users: dict[str, V] = {}
        lines, last = 0, 0
        for entry in self._entries():
            if isinstance(entry, Mistake):
                raise Stop(ExitCode.BAD_INPUT, f"{self._told(entry.line, entry.text)}. The file was changed.")
            user = entry.user
            if lines >= PIECE_LINES and not (self._kind.is_whole and user in users):
                yield Piece(users, lines, last)
                users, lines = {}, 0
            lines, last = lines + 1, entry.line
            if entry.value is not None:
                users[user] = self._kind.merged(users[user], entry.value) if user in users else entry.value
        if lines:
            yield Piece(users, lines, last)

    def check_attributes(self, known: Collection[str]) -> None:
        """Stop if it names attributes that are not *known*, which are the app's."""
        if unknown := {name: line for name, line in self.attribute_names.items() if name not in known}:
            there_are = f"it has {', '.join(sorted(known))}" if known else "it has none yet"
            wrong = [
                f"{self._told(line, f'the app has no attribute {name!r}')}; {there_are}"
                for name, line in unknown.items()
            ]
            way_out = "Correct the name, or define it: `audience-sync chat set-attribute-names`."
            raise Stop(ExitCode.BAD_INPUT, "\n".join([*wrong, way_out, "Nothing was sent."]))

    def _problems(self, entry: Entry[V]) -> Iterator[str]:
        if broken := limits.broken_text("the user", entry.user, limits.USER_ID_BYTES):
            yield broken
        if entry.value is None:
            return
        yield from self._kind.problems(entry.value)
        for name in self._kind.attribute_names(entry.value):
            if len(self.attribute_names) <= MOST_MISTAKES:
                self.attribute_names.setdefault(name, entry.line)

    def _told(self, line: int, text: str) -> str:
        return f"{self.name}, line {line}: {text}" if self.name else text


class _Whole(Generic[V]):
    """Sees that what is said of one user stands together, and is right together.

    What replaces all else must leave in one request. Remembers the users, unlike everything else here.
    """

    def __init__(self, kind: Kind[V]) -> None:
        self._kind = kind
        self._seen: set[str] = set()
        self._last: Entry[V] | None = None

    def problems(self, entry: Entry[V]) -> Iterator[str]:
        """What is wrong with *entry*, which is right by itself, after those before it."""
        if not self._kind.is_whole:
            return
        last, self._last = self._last, entry
        if last is None or last.user != entry.user:
            if entry.user in self._seen:
                yield f"{entry.user!r} again; what replaces must stand on lines that follow each other"
            self._seen.add(entry.user)
        elif last.value is not None and entry.value is not None:
            merged = self._kind.merged(last.value, entry.value)
            if not [*self._kind.problems(last.value)]:
                yield from self._kind.problems(merged)
            self._last = Entry(entry.line, entry.user, merged)
