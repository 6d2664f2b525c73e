"""What a part of the page is: its text, its pictures, and the goals that its figures are held against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the page. pictures: {name: SVG}; the text refers to them by `picture`."""

    title: str
    text: str
    pictures: Mapping[str, str] = {}


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was promised beforehand. *key*: its name in `findings.toml`, where a miss is explained."""

    key: str
    what: str
    wanted: str
    reached: str | None = None
    """What was measured; None: not in this run."""

    met: bool = False


@dataclass(frozen=True)
class Part(Generic[T]):
    """A part of the benchmark in the page: its name in the JSON, its figures' type, and what is said of them."""

    name: str
    figures: type[T]
    goals: Callable[[T | None], list[Goal]]
    section: Callable[[T], Section]

    def told(self, raw: Any) -> tuple[list[Goal], Section | None]:
        """Goals and section of the *raw* figures; None: it has not run. Raises msgspec.ValidationError."""
        if raw is None:
            return self.goals(None), None
        figures = msgspec.convert(raw, self.figures, str_keys=True)
        return self.goals(figures), self.section(figures)


def picture(name: str, alt: str) -> str:
    """The line that shows a picture of the section."""
    return f"![{alt}](images/performance-{name}.svg)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns after the first are figures, and stand right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))


def words(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of texts."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
