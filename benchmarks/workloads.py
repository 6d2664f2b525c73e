"""What is worked on: made-up events for the three shipped rules, and the truth that they add up to.

A `Workload` is a description; `made` turns it into bytes, the same ones each time, for chance comes from its seed.
Events look like those of the samples. Attribute values carry the number of their event (`gold~17`), so that an
older value can't be mistaken for the newest one.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate, cycle, islice, repeat
from math import ceil
from typing import Final

import msgspec

MEMBERSHIP: Final = "membership-changed"
CITY: Final = "city-changed"
STOCKS: Final = "stock-follows"
KINDS: Final = (MEMBERSHIP, CITY, STOCKS)
"""The kinds of event. Each has a topic of its own, which in a run has its name behind a prefix."""

TIERS: Final = ("none", "silver", "gold", "platinum")
CITIES: Final = ("Beijing", "Shanghai", "Shenzhen", "Guangzhou", "Chengdu", "Hangzhou")
SYMBOLS: Final = tuple(f"{number:06d}" for number in range(600_001, 600_031))
USERS_PER_REQUEST: Final = 100
TAGS_PER_PART: Final = 10

Record = tuple[str, bytes, bytes]
"""Kind, key and value of one event."""

Known = dict[str, str | bool]
"""What is known of one user: {attribute: its value}, and {tag: whether he carries it in the end}."""


class Spread(StrEnum):
    """How events spread over users."""

    UNIFORM = "uniform"
    """Every user is as likely as any other."""

    ZIPF = "zipf"
    """The n-th most active user has one n-th of the first one's events."""

    STORM = "storm"
    """Nine events of ten are one user's."""

    SALE = "sale"
    """A flash sale: user after user does three things in a row and is not heard of again."""

    ONCE = "once"
    """Every user has one event, as long as there are enough users."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """So many events over up to so many users. Hashable: the same workload is made and written once a run."""

    name: str
    events: int
    users: int
    spread: Spread = Spread.UNIFORM
    kinds: tuple[str, ...] = KINDS
    event_bytes: int = 0
    """Events are filled up to this size; 0: as small as they are, about 60 to 180 bytes."""

    age_seconds: float = 0.0
    """So long ago the records say they were written. What is older than the longest wait is ready at once."""

    seed: int = 1


class Made(msgspec.Struct, frozen=True):
    """A workload's events in order, and what they add up to."""

    workload: Workload
    records: Sequence[Record]
    truth: Mapping[str, Known]

    @property
    def fewest_requests(self) -> int:
        """How many requests carry it all, if each user's changes were folded into one and all requests were full."""
        setting = sum(
            any(isinstance(value, str) for value in known.values()) for known in self.truth.values()
        )
        adding = removing = 0
        for known in self.truth.values():
            adding += ceil(sum(value is True for value in known.values()) / TAGS_PER_PART)
            removing += ceil(sum(value is False for value in known.values()) / TAGS_PER_PART)
        return sum(ceil(parts / USERS_PER_REQUEST) for parts in (setting, adding, removing))


YARDSTICK: Final = Workload(name="yardstick", events=300_000, users=38_000, spread=Spread.ZIPF)
"""What most figures are measured with: about 29,000 of the users have events."""

MILLION: Final = Workload(name="million", events=1_000_000, users=38_000, spread=Spread.ZIPF)
"""The same for longer, where CPU time is measured."""


def made(workload: Workload) -> Made:
    """The events of a workload, and the truth."""
    truth: dict[str, Known] = {}
    events = Events(random.Random(workload.seed), truth, event_bytes=workload.event_bytes)
    kinds = random.Random(workload.seed + 1).choices(workload.kinds, k=workload.events)
    records = [events.next(kind, user) for kind, user in zip(kinds, users_of(workload), strict=False)]
    return Made(workload, records, truth)


def users_of(workload: Workload) -> Iterator[str]:
    """Whose each event is, in order."""
    chance, number, users = random.Random(workload.seed + 2), workload.events, range(workload.users)
    match workload.spread:
        case Spread.UNIFORM:
            found: Sequence[int] = chance.choices(users, k=number)
        case Spread.ZIPF:
            weights = list(accumulate(1 / (rank + 1) for rank in users))
            found = chance.choices(users, cum_weights=weights, k=number)
        case Spread.STORM:
            others = iter(chance.choices(users, k=number))
            found = [0 if chance.random() < 0.9 else next(others) for _ in range(number)]
        case Spread.SALE:
            found = list(islice(_repeated(chance.sample(users, len(users)), 3), number))
        case Spread.ONCE:
            found = list(islice(_repeated(chance.sample(users, len(users)), 1), number))
    return map("user-{:07d}".format, found)


def _repeated(users: Sequence[int], times: int) -> Iterator[int]:
    return (user for each in cycle(users) for user in repeat(each, times))


class Events:
    """Makes events one at a time, and keeps the truth.

    version: what attribute values carry behind `~`: the number of the event, or, for who measures latency, a
    moment in whole microseconds; it must never go back.
    """

    def __init__(
        self,
        chance: random.Random,
        truth: dict[str, Known],
        *,
        event_bytes: int = 0,
        version: Callable[[], int] | None = None,
    ) -> None:
        self._chance, self._truth, self._bytes = chance, truth, event_bytes
        self._numbers = iter(range(1, 1 << 62))
        self._version = version or self._numbers.__next__

    def next(self, kind: str, user: str) -> Record:
        """One event of *kind* of *user*."""
        known = self._truth.get(user)
        if known is None:
            known = self._truth[user] = {}
        match kind:
            case "membership-changed":
                tier = known["membership"] = f"{self._one_of(TIERS)}~{self._version()}"
                value = _cloud_event("membership.changed", f'"user_id":"{user}","tier":"{tier}"')
            case "city-changed":
                city = known["city"] = f"{self._one_of(CITIES)}~{self._version()}"
                value = f'{{"kind":"city-changed","user_id":"{user}","city":"{city}"}}'
            case _:
                symbol = self._one_of(SYMBOLS)
                follows = known[f"stock:{symbol}"] = self._chance.random() < 0.6
                what = "stock.followed" if follows else "stock.unfollowed"
                value = _cloud_event(what, f'"user_id":"{user}","symbol":"{symbol}"')
        missing = self._bytes - len(value)
        if missing > 0:
            value = f'{value[:-1]},"note":"{"x" * max(0, missing - 10)}"}}'
        return kind, user.encode(), value.encode()

    def _one_of(self, values: Sequence[str]) -> str:
        return values[int(self._chance.random() * len(values))]


def _cloud_event(what: str, data: str) -> str:
    return (
        '{"specversion":"1.0","id":"1","source":"/product","time":"2026-11-22T08:30:00Z",'
        f'"type":"com.example.{what}","data":{{{data}}}}}'
    )


def out_of_step(truth: Mapping[str, Known], state: Mapping[str, Known]) -> int:
    """How many users' attributes and tags, as the API has them, are not as the events say; strangers included.

    state: {user: {attribute: value, tag: True}}.
    """
    wrong = sum(user not in truth for user in state)
    for user, known in truth.items():
        expected = {name: value for name, value in known.items() if value is not False}
        wrong += expected != state.get(user, {})
    return wrong
