"""What stands on the page: its rows and numbers as plain values."""

from datetime import UTC, datetime

import msgspec

from audience_sync.emulator.app import Account


class Moment(msgspec.Struct, frozen=True):
    """A point in time, for machines and for people; the latter in UTC, until the browser knows better."""

    iso: str
    clock: str


class Tile(msgspec.Struct, frozen=True):
    """One number of the first line."""

    label: str
    value: str
    note: str
    alarming: bool = False


class Users(msgspec.Struct, frozen=True):
    """Who was found, and how many there are in all."""

    search: str
    rows: list[Account]
    total: int


class Slot(msgspec.Struct, frozen=True):
    """One of the ten places for an attribute."""

    number: str
    name: str | None
    is_for_devices: bool


class Clause(msgspec.Struct, frozen=True):
    """One list of a condition: how its terms go together, and what they say."""

    word: str
    terms: list[str]


class Push(msgspec.Struct, frozen=True):
    """A push, and how far it came."""

    task_id: str
    at: Moment
    endpoint: str
    sender: str
    text: str
    clauses: list[Clause]
    between: str
    """What stands between two clauses."""

    matched: int
    delivered: int
    waiting: int
    ends: str
    """What becomes of those it does not reach at once."""

    until: Moment | None


class RequestRow(msgspec.Struct, frozen=True):
    """A request that ended."""

    key: str
    at: Moment
    endpoint: str
    users: list[str]
    more_users: int
    verdict: str
    meaning: str
    good: bool
    fault: str | None
    took: str


class Finding(msgspec.Struct, frozen=True):
    """One kind of mistake that a careful client does not make, and the last of them."""

    label: str
    count: int
    latest: list[str]


class PaceRow(msgspec.Struct, frozen=True):
    """How fast an endpoint was called in its busiest second."""

    endpoint: str
    calls: int
    busiest: int
    limit: float


class SwitchRow(msgspec.Struct, frozen=True):
    """A switch that is not where it usually is."""

    name: str
    value: str
    default: str


class FaultRow(msgspec.Struct, frozen=True):
    """Something that goes wrong on command."""

    text: str
    until: Moment | None = None


class Behaviour(msgspec.Struct, frozen=True):
    """What is otherwise than usual."""

    switches: list[SwitchRow]
    faults: list[FaultRow]
    bad_users: list[tuple[str, int]]
    more_bad_users: int
    feature_on: bool
    struck: list[tuple[str, int]]


def moment(at: float, now: float) -> Moment:
    """Unix seconds as the page shows them: with the date if it is not the day of *now*."""
    when, today = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(now, UTC).date()
    clock = f"{when:%H:%M:%S}" if when.date() == today else f"{when:%Y-%m-%d %H:%M:%S}"
    return Moment(when.isoformat(timespec="milliseconds"), clock)


def number(value: float) -> str:
    """With thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
