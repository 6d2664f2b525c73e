"""Rows of bars: a row for each who is compared, a panel for each thing that is measured."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from benchmarks.report.charts.scale import Linear, Logarithmic, Scale, linear, logarithmic, short
from benchmarks.report.charts.svg import (
    HEAD,
    HUES,
    MARGIN,
    WIDTH,
    bar,
    document,
    dot,
    line,
    text,
    width_of,
)

ROW: Final = 30
BAR: Final = 16
PANEL_HEAD: Final = 46
GAP: Final = 30


class Bar(msgspec.Struct, frozen=True):
    """One value as it is drawn and as it is written; *low* and *high*: its spread."""

    value: float
    text: str
    low: float | None = None
    high: float | None = None


class Row(msgspec.Struct, frozen=True):
    """Who is compared. *hue*: the colour of the row's bars; 0 is ours, 1 anybody else's."""

    name: str
    hue: int = 1


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is measured: a bar for each row, or None where there is no figure.

    better: "more", "less", or "" where neither is. goal: a value that is marked, with its words. by_factors: on a
    logarithmic axis, where dots take the place of bars, whose lengths would mean nothing.
    """

    title: str
    better: str
    bars: Sequence[Bar | None]
    goal: tuple[float, str] | None = None
    by_factors: bool = False

    def scale(self) -> Scale:
        """An axis that all of it fits on."""
        values = [bar.high or bar.value for bar in self.bars if bar is not None]
        values += [self.goal[0]] if self.goal else []
        if self.by_factors:
            return logarithmic(*(value for value in values if value > 0), 1.0)
        return linear(*values)


def bars(*, title: str, below: str, rows: Sequence[Row], panels: Sequence[Panel], across: int = 3) -> str:
    """The picture. Panels stand side by side, at most *across*, and further ones below."""
    names = max(width_of(row.name) for row in rows) + 24
    lines = [panels[first : first + across] for first in range(0, len(panels), across)]
    tall = PANEL_HEAD + ROW * len(rows) + (52 if any(panel.goal for panel in panels) else 34)
    body: list[str] = []
    for number, side_by_side in enumerate(lines):
        top = HEAD + number * tall
        body += _names(rows, top)
        left = MARGIN + names
        columns = min(across, len(panels))
        width = (WIDTH - MARGIN - left - GAP * (columns - 1)) / columns
        for place, panel in enumerate(side_by_side):
            body += _panel(panel, rows, left + place * (width + GAP), top, width)
    return document(
        title=title,
        below=below,
        description=" ".join(_told(rows, panel) for panel in panels),
        height=HEAD + tall * len(lines) + 6,
        body=body,
    )


def _names(rows: Sequence[Row], top: float) -> Iterator[str]:
    for number, row in enumerate(rows):
        y = top + PANEL_HEAD + ROW * number + ROW / 2 + 4.5
        yield text(MARGIN, y, row.name, "strong" if row.hue == 0 else "")


def _panel(panel: Panel, rows: Sequence[Row], left: float, top: float, width: float) -> Iterator[str]:
    room = max(width_of(bar.text) if bar else 40 for bar in panel.bars) + 8
    scale, long = panel.scale(), width - room
    bottom = top + PANEL_HEAD + ROW * len(rows)
    yield text(left, top + 14, panel.title, "strong")
    if panel.better:
        yield text(left, top + 31, f"{panel.better} is better", "soft small")
    yield from _marks(scale, left, top + PANEL_HEAD - 4, bottom, long)
    if panel.goal:
        x = left + long * scale.part(panel.goal[0])
        half = width_of(panel.goal[1], 11.5) / 2
        yield line(x, top + PANEL_HEAD - 4, x, bottom + 4, "goal")
        yield text(
            max(left + half, min(x, left + width - half)),
            bottom + 33,
            panel.goal[1],
            "goal-text small middle",
        )
    for number, (row, each) in enumerate(zip(rows, panel.bars, strict=True)):
        y = top + PANEL_HEAD + ROW * number + (ROW - BAR) / 2
        middle = y + BAR / 2
        if each is None:
            yield text(left + 4, middle + 4.5, "not run", "soft small")
            continue
        end = long * scale.part(each.value)
        if isinstance(scale, Logarithmic):
            yield line(left, middle, left + end, middle, "axis")
            yield dot(left + end, middle, row.hue, 6)
        else:
            yield bar(left, y, max(end, 1.5), BAR, f"f{row.hue % HUES}")
        if each.low is not None and each.high is not None:
            low, high = long * scale.part(each.low), long * scale.part(each.high)
            yield line(left + low, middle, left + high, middle, "spread")
            for x in (low, high):
                yield line(left + x, middle - 4, left + x, middle + 4, "spread")
            end = max(end, high)
        beside = left + end + (12 if panel.by_factors else 8)
        yield text(beside, middle + 4.5, each.text, "halo strong" if row.hue == 0 else "halo")


def _marks(scale: Scale, left: float, top: float, bottom: float, long: float) -> Iterator[str]:
    for tick in _sparse(scale):
        x = left + long * scale.part(tick)
        yield line(x, top, x, bottom, "axis" if x == left else "grid")
        yield text(x, bottom + 16, short(tick), "soft small middle")


def _sparse(scale: Scale) -> Sequence[float]:
    """Every tick of a logarithmic axis; of another about three, evenly apart."""
    ticks = scale.ticks()
    return ticks[:: (len(ticks) + 1) // 3] if isinstance(scale, Linear) and len(ticks) > 3 else ticks


def _told(rows: Sequence[Row], panel: Panel) -> str:
    """A panel as a sentence."""
    each = "; ".join(
        f"{row.name}: {'not run' if bar is None else bar.text}"
        for row, bar in zip(rows, panel.bars, strict=True)
    )
    goal = f" ({panel.goal[1]})" if panel.goal else ""
    return f"{panel.title}{goal}: {each}."
