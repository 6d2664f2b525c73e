"""Figures as a reader wants them: rounded to what they are worth, with their spread."""

import math
from collections.abc import Callable

from benchmarks.measuring import Spread


def count(value: float) -> str:
    """A large number in three figures at least: 81,900."""
    if value and abs(value) >= 1000:
        digits = 2 - math.floor(math.log10(abs(value)))
        return f"{round(value, digits):,.0f}"
    return f"{value:,.0f}"


def exact(value: float) -> str:
    """A number of things, to the last one."""
    return f"{value:,.0f}"


def ratio(value: float) -> str:
    """1.013 times something."""
    return f"{value:.3f}" if value < 1.1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def percent(value: float) -> str:
    """A part of something: 0.57 is 57 %."""
    return f"{100 * value:.1f} %" if 0 < value < 0.1 or value > 0.9 else f"{100 * value:.0f} %"


def microseconds(value: float) -> str:
    """Of CPU an event."""
    return f"{value:.1f} µs"


def milliseconds(seconds: float) -> str:
    """Of the wall, or seconds if they are many."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def megabytes(size: float) -> str:
    """Of memory, a million bytes each."""
    return f"{size / 1e6:,.0f} MB"


def spread(of: Spread, written: Callable[[float], str]) -> str:
    """The median, and between what it lies."""
    if of.count < 2:
        return written(of.median)
    low, high = written(of.lowest), written(of.highest)
    return written(of.median) if low == high else f"{written(of.median)} ({low} to {high})"
