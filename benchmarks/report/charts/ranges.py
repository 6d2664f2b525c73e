"""Rows with two points or more on one axis: from one percentile to another, or from before to after."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from benchmarks.report.charts.scale import linear, short
from benchmarks.report.charts.svg import (
    HEAD,
    MARGIN,
    WIDTH,
    document,
    dot,
    line,
    text,
    width_of,
)

ROW: Final = 40


class Spot(msgspec.Struct, frozen=True):
    """A value as it is drawn and as it is written; its hue says which of the named points it is."""

    value: float
    text: str
    hue: int


class Range(msgspec.Struct, frozen=True):
    """A row: its name, and its points; at least one."""

    name: str
    spots: Sequence[Spot]


def ranges(
    *,
    title: str,
    below: str,
    unit: str,
    names: Sequence[tuple[str, int]],
    rows: Sequence[Range],
    goal: tuple[float, str] | None = None,
) -> str:
    """The picture. *names*: what the points are called, and their hues. *goal*: a value that is marked, in words."""
    left = MARGIN + max(width_of(row.name) for row in rows) + 22
    right = WIDTH - MARGIN - 40
    top = HEAD + 46
    bottom = top + ROW * len(rows)
    scale = linear(*(spot.value for row in rows for spot in row.spots), *([goal[0]] if goal else []))

    def at(value: float) -> float:
        return left + (right - left) * scale.part(value)

    body: list[str] = []
    x = left
    for name, hue in names:
        body.append(dot(x + 5, HEAD + 12, hue))
        body.append(text(x + 16, HEAD + 16.5, name, "small"))
        x += width_of(name) + 34
    for tick in scale.ticks():
        body.append(line(at(tick), top, at(tick), bottom, "grid" if tick else "axis"))
        body.append(text(at(tick), bottom + 18, short(tick), "soft small middle"))
    body.append(text((left + right) / 2, bottom + 38, unit, "soft small middle"))
    if goal is not None:
        body.append(line(at(goal[0]), top - 16, at(goal[0]), bottom, "goal"))
        anchor = "end" if goal[0] > scale.top / 2 else ""
        body.append(text(at(goal[0]) + (-8 if anchor else 8), top - 8, goal[1], f"goal-text small {anchor}"))
    for number, row in enumerate(rows):
        body += _drawn(row, top + ROW * (number + 0.5), [at(spot.value) for spot in row.spots])
    return document(
        title=title,
        below=below,
        description=" ".join(_told(row, {hue: name for name, hue in names}, unit) for row in rows),
        height=bottom + 56,
        body=body,
    )


def _drawn(row: Range, y: float, places: Sequence[float]) -> Iterator[str]:
    yield text(MARGIN, y + 4.5, row.name)
    yield line(min(places), y, max(places), y, "spread")
    crowded = max(places) - min(places) < 50
    for spot, x in sorted(zip(row.spots, places, strict=True), key=lambda each: each[1]):
        yield dot(x, y, spot.hue, 6)
        if not crowded:
            most = WIDTH - MARGIN / 2 - width_of(spot.text, 11.5) / 2  # nothing leaves the paper
            yield text(min(x, most), y - 10, spot.text, "halo small middle")
    if crowded:
        words = " · ".join(spot.text for spot in sorted(row.spots, key=lambda spot: spot.value))
        yield text(max(places) + 12, y + 4, words, "halo small")


def _told(row: Range, names: dict[int, str], unit: str) -> str:
    each = ", ".join(f"{names[spot.hue]} {spot.text}" for spot in row.spots)
    return f"{row.name} ({unit}): {each}."
