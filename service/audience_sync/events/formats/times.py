"""When an event happened, as it says so itself: text or a number into seconds since 1970 UTC."""

from datetime import datetime
from typing import Final

from audience_sync.core.rule import TimeFormat

_LAST_SECOND: Final = 253_402_300_799.0
"""The end of the year 9999. Ours: what lies behind it is a number in another unit, and no time."""


def seconds_of(value: object, time_format: TimeFormat) -> float | None:
    """Seconds since 1970 UTC for *value*, or None if it is nothing that *time_format* could mean.

    An event whose time is not understood has none: the time helps to order changes, and is no reason to give
    one up.
    """
    match time_format:
        case TimeFormat.RFC3339:
            return epoch_seconds(value)
        case TimeFormat.EPOCH_SECONDS:
            return _within_the_calendar(value, 1.0)
        case TimeFormat.EPOCH_MILLISECONDS:
            return _within_the_calendar(value, 1000.0)


def epoch_seconds(text: object) -> float | None:
    """Seconds since 1970 UTC for RFC 3339 text with an offset (`2026-11-22T08:30:00Z`), else None."""
    if type(text) is not str:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def _within_the_calendar(value: object, units_per_second: float) -> float | None:
    """A number of units since 1970; text of digits is taken too, as 64-bit integers are often written so."""
    if type(value) is str and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if type(value) is not int and type(value) is not float:
        return None
    if not 0 <= value <= _LAST_SECOND * units_per_second:
        return None
    return value / units_per_second
