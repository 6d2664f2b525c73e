"""Where a value lies on an axis, and where the axis is marked."""

import math
from collections.abc import Sequence
from typing import Protocol

import msgspec


class Scale(Protocol):
    """An axis: a part between 0 and 1 for each value on it."""

    def part(self, value: float) -> float:
        """How far along the axis *value* lies; outside of it, at its end."""

    def ticks(self) -> Sequence[float]:
        """The values that are marked."""


class Linear(msgspec.Struct, frozen=True):
    """From 0 to *top*."""

    top: float

    def part(self, value: float) -> float:
        """The value's part of the top."""
        return min(1.0, max(0.0, value / self.top))

    def ticks(self) -> Sequence[float]:
        """Three to six round values, 0 among them."""
        step = round_step(self.top / 4)
        return [step * number for number in range(math.floor(self.top / step + 1e-9) + 1)]


class Logarithmic(msgspec.Struct, frozen=True):
    """From *bottom*, above 0, to *top*: equal distances are equal factors."""

    bottom: float
    top: float

    def part(self, value: float) -> float:
        """By its logarithm."""
        if value <= self.bottom:
            return 0.0
        return min(1.0, math.log(value / self.bottom) / math.log(self.top / self.bottom))

    def ticks(self) -> Sequence[float]:
        """The powers of ten on it."""
        first, last = math.ceil(math.log10(self.bottom) - 1e-9), math.floor(math.log10(self.top) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]


def linear(*values: float) -> Linear:
    """From 0 to a little more than the largest of *values*, up to the next round mark."""
    most = max((value for value in values if value > 0), default=1.0)
    step = round_step(most / 4)
    return Linear(step * math.ceil(most / step - 1e-9))


def logarithmic(*values: float) -> Logarithmic:
    """From the power of ten at or below the smallest of *values*, all above 0, to the one at or above the largest."""
    bottom = 10.0 ** math.floor(math.log10(min(values)) + 1e-9)
    top = 10.0 ** math.ceil(math.log10(max(values)) - 1e-9)
    return Logarithmic(bottom, top if top > bottom else bottom * 10)


def round_step(about: float) -> float:
    """The nearest of 1, 2, 5 and their tenfold that is not below *about*."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= about * (1 - 1e-9))


def short(value: float) -> str:
    """A mark of an axis in few characters: 1.5, 20 k, 3 M."""
    for size, sign in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"
