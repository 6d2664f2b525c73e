"""The dashboard as a picture, for pages: the same panels and questions, drawn from series that are given."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Final

from docs.dashboard.panels import ROWS, Panel, Unit

Line = tuple[str, Sequence[tuple[float, float]]]
"""What a series is called, and its points: minutes, and a value."""

WIDTH: Final = 1440
GAP: Final = 12
ROW_HEIGHT: Final = 34
FIGURE_HEIGHT: Final = 92
LINES_HEIGHT: Final = 224
LEFT, TOP, RIGHT, BOTTOM = 52, 36, 14, 50
"""Room around the lines, for titles and words."""

LETTER: Final = 5.6
"""How wide a letter of a line's name is."""

HUES: Final = (
    "#73bf69",
    "#f2cc0c",
    "#8ab8ff",
    "#ff9830",
    "#f2495c",
    "#b877d9",
    "#5794f2",
    "#ffa6b0",
    "#37872d",
)
GOOD, BAD = "#73bf69", "#f2495c"
STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#ccccdc}.t{font-weight:600;font-size:13px}.q{font-weight:600;"
    "font-size:15px}.s{font-size:10.5px;fill:#9fa7b3}.f{font-size:34px;font-weight:600}"
)


def picture(series: Mapping[tuple[str, str], Sequence[Line]], *, minutes: float) -> str:
    """An SVG of the whole dashboard. *series*: {(question, title of the panel): its lines}."""
    parts: list[str] = []
    top = GAP
    for row in ROWS:
        parts.append(f'<text class="q" x="{GAP + 4}" y="{top + 22}">{escape(row.question)}</text>')
        top += ROW_HEIGHT
        across = row.across
        height = FIGURE_HEIGHT if row.is_of_figures else LINES_HEIGHT
        width = (WIDTH - GAP * (across + 1)) / across
        for index, panel in enumerate(row.panels):
            x, y = GAP + index % across * (width + GAP), top + index // across * (height + GAP)
            lines = series[row.question, panel.title]
            drawn = _figure(panel, lines) if panel.is_figure else _lines(panel, lines, width, minutes)
            box = f'<rect width="{width:.0f}" height="{height}" rx="4" fill="#181b1f" stroke="#2c3235"/>'
            title = f'<text class="t" x="12" y="22">{escape(panel.title)}</text>'
            parts.append(f'<g transform="translate({x:.0f} {y})">{box}{title}{"".join(drawn)}</g>')
        top += -(-len(row.panels) // across) * (height + GAP)
    words = "The dashboard over an hour: " + "; ".join(row.question for row in ROWS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
        f'aria-label="{escape(words)}">'
        f'<style>{STYLE}</style><rect width="{WIDTH}" height="{top}" fill="#111217"/>{"".join(parts)}</svg>\n'
    )


def _figure(panel: Panel, lines: Sequence[Line]) -> Iterator[str]:
    value = lines[0][1][-1][1] if lines else 0.0
    bad = panel.bad_from is not None and value >= panel.bad_from
    yield f'<text class="f" x="12" y="70" style="fill:{BAD if bad else GOOD}">{told(value, panel.unit)}</text>'


def _lines(panel: Panel, lines: Sequence[Line], width: float, minutes: float) -> Iterator[str]:
    right, bottom = width - RIGHT, LINES_HEIGHT - BOTTOM
    highest, steps = axis(max((value for _, points in lines for _, value in points), default=0.0))
    for step in range(steps + 1):
        y = bottom - (bottom - TOP) * step / steps
        yield f'<path d="M{LEFT} {y:.1f}H{right:.1f}" stroke="#2c3235"/>'
        yield (
            f'<text class="s" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{told(highest * step / steps, panel.unit)}</text>"
        )
    for minute in range(0, int(minutes) + 1, 15):
        x = LEFT + (right - LEFT) * minute / minutes
        yield f'<text class="s" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{minute} min</text>'
    for (_, points), hue in zip(lines, _hues(lines), strict=True):
        way = " ".join(
            f"{LEFT + (right - LEFT) * at / minutes:.1f},{bottom - (bottom - TOP) * value / highest:.1f}"
            for at, value in points
        )
        yield f'<polyline points="{way}" fill="none" stroke="{hue}" stroke-width="1.4" stroke-linejoin="round"/>'
    x = 12.0
    for (name, _), hue in zip(lines, _hues(lines), strict=True):
        if x + 16 + LETTER * len(name) > width:
            break  # as many are named as there is room for
        yield f'<rect x="{x:.0f}" y="{LINES_HEIGHT - 19}" width="12" height="3" fill="{hue}"/>'
        yield f'<text class="s" x="{x + 16:.0f}" y="{LINES_HEIGHT - 13}">{escape(name)}</text>'
        x += 34 + LETTER * len(name)


def _hues(lines: Sequence[Line]) -> list[str]:
    return [HUES[index % len(HUES)] for index in range(len(lines))]


def axis(highest: float) -> tuple[float, int]:
    """A round number not below *highest*, and into how many steps it is divided."""
    if highest <= 0:
        return 1.0, 2
    power = 10.0 ** floor(log10(highest))
    for factor, steps in ((1, 4), (2, 4), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5)):
        if highest <= factor * power * (1 + 1e-9):
            return factor * power, steps
    raise AssertionError(f"{highest} is above ten times its power of ten")


def told(value: float, unit: Unit) -> str:
    """A value in few characters: 950, 1.5k, 250 ms, 3 min."""
    if unit is Unit.PART:
        return f"{100 * value:.3g}%"
    if unit is Unit.SECONDS and value:
        if value < 1:
            return f"{1000 * value:.3g} ms"
        return f"{value:.3g} s" if value < 120 else f"{value / 60:.3g} min"
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}" + ("/s" if unit is Unit.PER_SECOND else "")


def named(legend: str, labels: Mapping[str, str]) -> str:
    """A legend with its labels filled in, as Grafana does it."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)
