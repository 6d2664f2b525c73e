"""Lines over an axis: how a figure goes with another."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from benchmarks.report.charts.scale import Scale, linear, short
from benchmarks.report.charts.svg import (
    HEAD,
    HUES,
    MARGIN,
    WIDTH,
    document,
    dot,
    element,
    line,
    text,
    width_of,
)

TALL: Final = 240
"""The axes' height."""

INSET: Final = 26
"""The first and the last point stand so far from the ends of the axis."""

APART: Final = 18
"""The names of two lines are at least so far from each other."""


class Point(msgspec.Struct, frozen=True):
    """Where it lies on both axes, what is written above it (nothing: ""), and its spread."""

    x: float
    y: float
    text: str = ""
    low: float | None = None
    high: float | None = None


class Series(msgspec.Struct, frozen=True):
    """A line with its name at its end; at least one point."""

    name: str
    hue: int
    points: Sequence[Point]


class Zone(msgspec.Struct, frozen=True):
    """What is marked between two heights, in words."""

    low: float
    high: float
    text: str


class Axis(msgspec.Struct, frozen=True):
    """The horizontal one: its title, its scale, and the values that are marked, with their words."""

    title: str
    scale: Scale
    marks: Sequence[tuple[float, str]]


def lines(
    *,
    title: str,
    below: str,
    axis: Axis,
    unit: str,
    series: Sequence[Series],
    zone: Zone | None = None,
    goal: tuple[float, str] | None = None,
) -> str:
    """The picture. *unit*: of the heights, which begin at 0. *goal*: a height that is marked, with its words."""
    heights = [point.high or point.y for each in series for point in each.points]
    heights += [zone.high] if zone else []
    heights += [goal[0]] if goal else []
    up = linear(*heights)
    left, top = MARGIN + 42, HEAD + 26
    right = WIDTH - MARGIN - max(width_of(each.name) for each in series) - 18
    bottom = top + TALL

    def at(x: float, y: float) -> tuple[float, float]:
        return left + INSET + (right - left - 2 * INSET) * axis.scale.part(x), bottom - TALL * up.part(y)

    body = [text(MARGIN, HEAD + 8, unit, "soft small")]
    for tick in up.ticks():
        y = at(0, tick)[1]
        body.append(line(left, y, right, y, "grid" if tick else "axis"))
        body.append(text(left - 8, y + 4, short(tick), "soft small end"))
    for value, words in axis.marks:
        body.append(text(at(value, 0)[0], bottom + 20, words, "soft small middle"))
    body.append(text((left + right) / 2, bottom + 41, axis.title, "soft small middle"))
    if zone is not None:
        low, high = at(0, zone.low)[1], at(0, zone.high)[1]
        body.append(element("rect", x=left, y=high, width=right - left, height=low - high, class_="zone"))
        body.append(text(left + 8, low + 15, zone.text, "zone-text small"))
    if goal is not None:
        y = at(0, goal[0])[1]
        body.append(line(left, y, right, y, "goal"))
        body.append(text(right - 6, y - 6, goal[1], "goal-text small end"))
    for each in series:
        body += _drawn(each, at)
    for y, each in _apart([(at(0, each.points[-1].y)[1], each) for each in series]):
        body.append(text(right + 10, y + 4.5, each.name, f"t{each.hue % HUES} strong"))
    return document(
        title=title,
        below=below,
        description=" ".join(_told(each, unit, axis) for each in series),
        height=bottom + 58,
        body=body,
    )


def _drawn(series: Series, at: Callable[[float, float], tuple[float, float]]) -> Iterator[str]:
    places = [at(point.x, point.y) for point in series.points]
    way = " ".join(f"{'L' if number else 'M'}{x:.1f} {y:.1f}" for number, (x, y) in enumerate(places))
    yield element("path", d=way, class_=f"line s{series.hue % HUES}")
    for point, (x, y) in zip(series.points, places, strict=True):
        if point.low is not None and point.high is not None:
            yield line(x, at(0, point.low)[1], x, at(0, point.high)[1], "spread")
            y_of_text = at(0, point.high)[1]
        else:
            y_of_text = y
        yield dot(x, y, series.hue)
        if point.text:
            yield text(x, y_of_text - 10, point.text, "halo small middle")


def _apart(ends: Sequence[tuple[float, Series]]) -> Iterator[tuple[float, Series]]:
    """The names from top to bottom, none over another."""
    free = 0.0
    for y, each in sorted(ends, key=lambda end: end[0]):
        free = max(y, free)
        yield free, each
        free += APART


def _told(series: Series, unit: str, axis: Axis) -> str:
    words = dict(axis.marks)
    each = "; ".join(
        f"{words.get(point.x, short(point.x))}: {point.text or short(point.y)}" for point in series.points
    )
    return f"{series.name} ({unit}), by {axis.title}: {each}."
