"""Made-up product services: events for the three rules that ship, and the truth that they add up to."""

import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final, NamedTuple

from audience_sync.commands.demonstration.timetable import Slot

MEMBERSHIP: Final = "membership-changed"
CITY: Final = "city-changed"
STOCKS: Final = "stock-follows"
TOPICS: Final = (MEMBERSHIP, CITY, STOCKS)

TIERS: Final = ("basic", "silver", "gold", "platinum")
CITIES: Final = ("Beijing", "Shanghai", "Shenzhen", "Guangzhou", "Chengdu", "Hangzhou", "Wuhan", "Xiamen")
SYMBOLS: Final = (
    "600519.SH",
    "300750.SZ",
    "002594.SZ",
    "601318.SH",
    "600036.SH",
    "000858.SZ",
    "000001.SZ",
    "601899.SH",
    "688981.SH",
    "000333.SZ",
    "600900.SH",
    "002415.SZ",
)
_POPULARITY: Final = tuple(accumulate(1 / rank for rank in range(1, len(SYMBOLS) + 1)))

EVENTS_A_VISIT: Final = 8
"""A user who opens the application causes about so many events, and then none for a while."""


class Record(NamedTuple):
    """What a product service hands to Kafka."""

    topic: str
    key: bytes
    value: bytes


@dataclass
class Truth:
    """What is true of one user once all his events are applied, and what the last of them said."""

    attributes: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    events: int = 0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=5))


class Product:
    """So many users, of whom the first is restless; what they do comes from one seed.

    clock: epoch seconds, for the time that events carry; nothing is decided by it.
    """

    def __init__(self, *, users: int, seed: int, clock: Callable[[], float]) -> None:
        self._random = random.Random(seed)
        self._clock = clock
        self.restless, *self._users = (f"user-{number:05d}" for number in range(1, users + 1))
        self._visiting = deque(self._users[: max(1, users // EVENTS_A_VISIT)])
        self._numbers = 0
        self._unusable = 0
        self._now = ""
        self.truth: dict[str, Truth] = {}

    def records(self, slot: Slot) -> Iterator[Record]:
        """What is sent in *slot*. The truth moves along."""
        self._now = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        for _ in range(slot.events):
            yield self._news() if slot.news and self._random.random() < 0.7 else self._visit()
        for _ in range(slot.restless):
            yield self._event(self.restless)
        for _ in range(slot.unusable):
            yield self._unusable_record()

    def _news(self) -> Record:
        """Everybody hears of the same stock; who does not follow it yet does so now."""
        user = self._random.choice(self._users)
        truth = self.truth.get(user)
        knows = truth is not None and f"stock:{SYMBOLS[0]}" in truth.tags
        return self._event(user) if knows else self._follows(user, SYMBOLS[0])

    def _visit(self) -> Record:
        if self._random.random() < 1 / EVENTS_A_VISIT:
            self._visiting.popleft()
            self._visiting.append(self._random.choice(self._users))
        return self._event(self._random.choice(self._visiting))

    def _event(self, user: str) -> Record:
        chance = self._random.random()
        if chance < 0.15:
            return self._moves(user, self._random.choice(CITIES))
        if chance < 0.30:
            return self._changes_tier(user, self._random.choice(TIERS))
        [symbol] = self._random.choices(SYMBOLS, cum_weights=_POPULARITY)
        return self._follows(user, symbol)

    def _moves(self, user: str, city: str) -> Record:
        truth = self._told(user, f"moved to {city}")
        truth.attributes["city"] = city
        event = {"kind": "city-changed", "user_id": user, "city": city, "at": self._now}
        return Record(CITY, user.encode(), json.dumps(event).encode())

    def _changes_tier(self, user: str, tier: str) -> Record:
        truth = self._told(user, f"became {tier}")
        truth.attributes["membership"] = tier
        return self._cloudevent(MEMBERSHIP, "membership.changed", user, {"user_id": user, "tier": tier})

    def _follows(self, user: str, symbol: str) -> Record:
        """The user follows the stock, or no longer does if he did."""
        tags, tag = self.truth.setdefault(user, Truth()).tags, f"stock:{symbol}"
        kind = "unfollowed" if tag in tags else "followed"
        tags ^= {tag}
        self._told(user, f"{kind} {symbol}")
        return self._cloudevent(STOCKS, f"stock.{kind}", user, {"user_id": user, "symbol": symbol})

    def _unusable_record(self) -> Record:
        """In turn: cut off, of nobody, of a type that no rule names, and longer than the Chat API takes."""
        self._unusable += 1
        user = self._random.choice(self._users)
        match self._unusable % 4:
            case 1:
                record = self._cloudevent(MEMBERSHIP, "membership.changed", user, {"user_id": user})
                return record._replace(value=record.value[:60])
            case 2:
                return self._cloudevent(STOCKS, "stock.followed", user, {"symbol": SYMBOLS[0]})
            case 3:
                return self._cloudevent(MEMBERSHIP, "membership.paused", user, {"user_id": user})
            case _:
                city = "Krung Thep Maha Nakhon, which goes on for twenty more words"
                event = {"kind": "city-changed", "user_id": user, "city": city, "at": self._now}
                return Record(CITY, user.encode(), json.dumps(event).encode())

    def _told(self, user: str, sentence: str) -> Truth:
        truth = self.truth.setdefault(user, Truth())
        truth.events += 1
        truth.last.append(sentence)
        return truth

    def _cloudevent(self, topic: str, kind: str, user: str, data: dict[str, str]) -> Record:
        self._numbers += 1
        event = {
            "specversion": "1.0",
            "id": str(self._numbers),
            "source": f"/{topic}",
            "type": f"com.example.{kind}",
            "time": self._now,
            "data": data,
        }
        return Record(topic, user.encode(), json.dumps(event).encode())
