"""Values of richer types as rules can take them: text, numbers, booleans, None, lists and dicts."""

from base64 import b64encode
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID


def plain(value: object) -> object:
    """*value* with all that no template takes turned into text.

    Moments become RFC 3339 in UTC (`2026-11-22T08:30:00Z`), dates and times of day ISO 8601, decimals digits
    without an exponent, bytes base64.
    """
    match value:
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case list():
            return [plain(each) for each in value]
        case bytes():
            return b64encode(value).decode()
        case datetime(tzinfo=None) | date() | time() if not _has_zone(value):
            return value.isoformat()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Decimal():
            return format(value, "f")
        case UUID():
            return str(value)
        case timedelta():
            return str(value.total_seconds())
        case _:
            return value


def _has_zone(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None
