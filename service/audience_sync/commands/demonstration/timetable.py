"""When how many events are sent: a steady flow, and every few seconds a burst of news about one stock."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SLOT_SECONDS: Final = 0.1
NEWS_EVERY_SECONDS: Final = 5.0
NEWS_SECONDS: Final = 1.0
NEWS_WEIGHT: Final = 3.0
"""In the last second of every five, three times as much happens."""

RESTLESS_PER_SECOND: Final = 8
"""Events of the one user who never goes quiet."""

UNUSABLE: Final = 7
"""Records, over the whole time, that can't be applied."""


@dataclass(frozen=True)
class Slot:
    """What is sent in a tenth of a second that begins at *seconds*."""

    seconds: float
    events: int
    """Of all users but the restless one."""
    restless: int
    unusable: int
    news: bool


def timetable(*, seconds: float, rate: int) -> Iterator[Slot]:
    """Slots over *seconds*, with `seconds * rate` events of ordinary users in all, and UNUSABLE records."""
    slots = max(1, round(seconds / SLOT_SECONDS))
    weights = [NEWS_WEIGHT if _is_news(number * SLOT_SECONDS) else 1.0 for number in range(slots)]
    events, whole, reached, sent = round(seconds * rate), sum(weights), 0.0, 0
    for number, weight in enumerate(weights):
        reached += weight
        until = round(events * reached / whole)
        yield Slot(
            seconds=number * SLOT_SECONDS,
            events=until - sent,
            restless=_share(round(RESTLESS_PER_SECOND * seconds), number, slots),
            unusable=_share(UNUSABLE, number, slots),
            news=weight > 1.0,
        )
        sent = until


def _is_news(seconds: float) -> bool:
    return seconds % NEWS_EVERY_SECONDS >= NEWS_EVERY_SECONDS - NEWS_SECONDS


def _share(total: int, number: int, slots: int) -> int:
    return total * (number + 1) // slots - total * number // slots
