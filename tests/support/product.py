"""Made-up product services: events for the three shipped rules, and the truth that they add up to."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from audience_sync.rules.file import DEFAULT_RULES

MEMBERSHIP: Final = "membership-changed"
CITY: Final = "city-changed"
STOCKS: Final = "stock-follows"
TOPICS: Final = (MEMBERSHIP, CITY, STOCKS)

_TIERS: Final = ("none", "silver", "gold", "platinum")
_CITIES: Final = ("Beijing", "Shanghai", "Shenzhen", "Guangzhou", "Chengdu", "Hangzhou")
_SYMBOLS: Final = tuple(f"{number:06d}.SZ" for number in range(1, 31))


LARGEST_RECORD_BYTES: Final = 1_048_588
"""What a broker takes by default (message.max.bytes), the record's own overhead included."""

Event = tuple[str, bytes, bytes]
"""Topic, key and value."""


@dataclass
class Truth:
    """What is known of one user once all events are applied."""

    attributes: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)


class Product:
    """Events of all three kinds over so many users, from one seed; values carry a version: `gold~17`.

    topics: what the topics' names begin with, so that each test has its own.
    """

    def __init__(self, *, users: int, seed: int, topics: str = "") -> None:
        self._topics = topics
        self._random = random.Random(seed)
        self._versions = count(1)
        self.users = [f"user-{number:06d}" for number in range(users)]
        self.truth: dict[str, Truth] = {}

    def events(self, number: int) -> Iterator[Event]:
        """The next so many events as topic, key and value; the truth moves along."""
        for _ in range(number):
            user = self._random.choice(self.users)
            truth = self.truth.setdefault(user, Truth())
            yield self._random.choice((self._membership, self._city, self._stock))(user, truth)

    def _membership(self, user: str, truth: Truth) -> Event:
        tier = truth.attributes["membership"] = self._versioned(_TIERS)
        return (
            self._topics + MEMBERSHIP,
            user.encode(),
            _cloudevent("membership.changed", {"user_id": user, "tier": tier}),
        )

    def _city(self, user: str, truth: Truth) -> Event:
        city = truth.attributes["city"] = self._versioned(_CITIES)
        return (
            self._topics + CITY,
            user.encode(),
            json.dumps({"kind": "city-changed", "user_id": user, "city": city}).encode(),
        )

    def _stock(self, user: str, truth: Truth) -> Event:
        symbol = self._random.choice(_SYMBOLS)
        tag = f"stock:{symbol}"
        if self._random.random() < 0.6:
            truth.tags.add(tag)
            kind = "stock.followed"
        else:
            truth.tags.discard(tag)
            kind = "stock.unfollowed"
        return self._topics + STOCKS, user.encode(), _cloudevent(kind, {"user_id": user, "symbol": symbol})

    def _versioned(self, values: tuple[str, ...]) -> str:
        return f"{self._random.choice(values)}~{next(self._versions)}"


def rules_for(topics: str, folder: Path) -> Path:
    """The shipped rules, for topics whose names begin otherwise."""
    file = folder / "rules.yaml"
    file.write_text(re.sub(r"topic: (\S+)", rf"topic: {topics}\1", DEFAULT_RULES.read_text()))
    return file


def out_of_step(truth: dict[str, Truth], state: dict[str, Any]) -> dict[str, tuple[Truth, Any]]:
    """The users whose attributes and tags, as the emulator has them, are not as the events say."""
    wrong = {}
    for user, expected in truth.items():
        found = state.get(user, {"attributes": {}, "tags": []})
        if found["attributes"] != expected.attributes or set(found["tags"]) != expected.tags:
            wrong[user] = (expected, found)
    return wrong


class Feed:
    """A producer for events; every record is acknowledged by the broker before `flush` returns."""

    def __init__(self, bootstrap: str, *, compression: str = "none", linger_milliseconds: int = 20) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "compression.type": compression,
                "linger.ms": linger_milliseconds,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "message.max.bytes": LARGEST_RECORD_BYTES,
                "log_level": 2,  # a broker that is away is no news; what is not delivered in the end raises
            }
        )

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
    ) -> None:
        """Queue a record, for the partition of its key if none is named."""
        number = -1 if partition is None else partition  # -1: the partitioner decides
        while True:
            try:
                self._producer.produce(
                    topic,
                    key=key,
                    value=value,
                    partition=number,
                    headers=list(headers),
                    on_delivery=_must_arrive,
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until the broker has all that was sent."""
        left = self._producer.flush(60)
        assert left == 0, f"{left} records were not taken by the broker within a minute"


def _must_arrive(error: Any, _: Any) -> None:
    if error is not None:
        raise KafkaException(error)


def _cloudevent(kind: str, data: dict[str, str]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/product",
        "type": f"com.example.{kind}",
        "data": data,
    }
    return json.dumps(event).encode()
