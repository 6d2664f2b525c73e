"""Who did what when, and which promise was broken."""

import re
from collections.abc import Iterator
from typing import Final

from tests.simulation.loop import START

LINES_SHOWN: Final = 40


class Violation(AssertionError):  # noqa: N818 - named for what happened
    """A promise was broken. *about*: the users or partitions that the timetable is searched for."""

    def __init__(self, promise: str, what: str, about: tuple[str, ...] = ()) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise
        self.what = what
        self.about = about


class Timetable:
    """Lines in the order of time. Their words are put together only when somebody reads them."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, tuple[object, ...]]] = []

    def tell(self, now: float, who: str, *what: object) -> None:
        """*who* did *what* at *now*."""
        self._lines.append((now, who, what))

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[str]:
        """All lines as text."""
        return map(_text, self._lines)

    def about(self, words: tuple[str, ...], *, most: int = LINES_SHOWN) -> list[str]:
        """The last lines that name one of *words*, and those of the world's own doings."""
        named = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
        lines: list[str] = []
        for line in reversed(self._lines):
            text = _text(line)
            if line[1] == "world" or named.search(text):
                lines.append(text)
            if len(lines) >= most:
                break
        return lines[::-1]


def _text(line: tuple[float, str, tuple[object, ...]]) -> str:
    now, who, what = line
    return f"{now - START:8.3f}  {who:<7} {' '.join(map(str, what))}"
