"""How events spread over users: how many distinct ones a time has, and how often each of them is sent."""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

SINGLE_RANKS: Final = 64
"""The most active users count one by one; the others in groups of neighbours, whose rates differ little."""

GROUP_GROWTH: Final = 1.05
"""Each group of neighbours is so much larger than the one before. A hundred million users make three hundred."""

STEEPEST: Final = 3.0
"""No steeper spread is looked for: beyond, half a dozen users have all events."""


class Group(msgspec.Struct, frozen=True):
    """So many users who have about as many events a second, each."""

    users: float
    events_per_second: float


class Activity(msgspec.Struct, frozen=True):
    """Users in groups, the most active first. Events of each come at random moments, at an even rate."""

    groups: tuple[Group, ...]

    @property
    def busiest(self) -> float:
        """Events a second of the most active user."""
        return self.groups[0].events_per_second

    def distinct(self, seconds: float, part: float = 1.0) -> float:
        """How many users have an event within *seconds*; with *part*: an event of a kind that is this part of all."""
        return sum(
            group.users * -math.expm1(-group.events_per_second * part * seconds) for group in self.groups
        )


def zipf(users: int, events_per_second: float, exponent: float) -> Activity:
    """The n-th most active user has 1 / n^exponent of the first one's events. 0: everybody has as many."""
    weighed = [(count, rank**-exponent) for count, rank in _ranks(users)]
    whole = sum(count * weight for count, weight in weighed)
    return Activity(tuple(Group(count, events_per_second * weight / whole) for count, weight in weighed))


def exponent_for(users: int, events_per_second: float, *, distinct: float, seconds: float) -> float | None:
    """The exponent with which so many distinct users have an event within *seconds*.

    None: there can't be so many or so few, with any exponent from 0 to STEEPEST.
    """

    def found(exponent: float) -> float:
        return zipf(users, events_per_second, exponent).distinct(seconds)

    if not found(STEEPEST) <= distinct <= found(0.0):
        return None
    low, high = 0.0, STEEPEST
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) > distinct else (low, middle)
    return (low + high) / 2


def gathering_seconds(rate: float, *, quiet_seconds: float, longest_wait_seconds: float) -> float:
    """How long after his first change a user is ready, on average; *rate*: his changes a second.

    He is ready after the quiet time unless a change comes within it, and so on, up to the longest wait. Without that
    bound the mean is (e^(rate x quiet) - 1) / rate; what is beyond the first quiet time is taken to be exponential,
    of which the bound cuts the end. Runs of the real debouncer differ from it by less than a tenth.
    """
    quiet = min(quiet_seconds, longest_wait_seconds)
    left = longest_wait_seconds - quiet
    expected = rate * quiet
    if expected < 1e-9 or left <= 0:
        return quiet
    if expected > 30:  # he is never quiet
        return longest_wait_seconds
    again = -math.expm1(-expected)
    beyond = (math.expm1(expected) / rate - quiet) / again
    return quiet + again * beyond * -math.expm1(-left / beyond)


def _ranks(users: int) -> Iterator[tuple[float, float]]:
    """How many users there are, and the rank that stands for them."""
    for rank in range(1, min(users, SINGLE_RANKS) + 1):
        yield 1.0, float(rank)
    first = SINGLE_RANKS + 1
    while first <= users:
        last = min(users, max(first, int(first * GROUP_GROWTH)))
        yield last - first + 1.0, math.sqrt(first * last)
        first = last + 1
