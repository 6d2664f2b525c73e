"""Events that are not keyed by the user, with replicas that are killed: each user's changes in order all the same."""

import json
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.committed import committed_records
from tests.support.fleet import Fleet
from tests.support.kafka_topics import a_topic
from tests.support.load import FULL, all_in_step, all_settled, show
from tests.support.product import Feed, Truth

pytestmark = pytest.mark.broker

ROUNDS: Final = 30 if FULL else 4
EVENTS_A_ROUND: Final = 600
STOCKS: Final = 40
USERS: Final = 500
SEED: Final = 20261122


@pytest.fixture
def followers(broker: str) -> str:
    """A topic keyed by the stock, with other partitions than the topic that it is copied to."""
    return a_topic(broker, partitions=5)


@pytest.fixture
def rules(followers: str, tmp_path: Path) -> Path:
    """One event names several users; each of them follows the stock from then on, or no longer."""
    file = tmp_path / "rules.yaml"
    file.write_text(
        f"""
sources:
  - {{topic: {followers}, format: json, type_field: kind, rekey: true}}
rules:
  - name: followed
    event: followed
    for_each: users
    user: "{{item}}"
    changes: [{{add_tag: "stock:{{symbol}}"}}]
  - name: unfollowed
    event: unfollowed
    for_each: users
    user: "{{item}}"
    changes: [{{remove_tag: "stock:{{symbol}}"}}]
"""
    )
    return file


@pytest.fixture
def settings(topics: str) -> Mapping[str, str]:
    """A topic for the copies that is this test's own."""
    return {"AUDIENCE_SYNC_KAFKA__REKEYED_TOPIC": f"{topics}rekeyed"}


class Followers:
    """Who follows what, as the events have said it."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self.truth: dict[str, Truth] = {}
        self.concerned = 0

    def events(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        """The next events, with the stock as their key."""
        for _ in range(count):
            symbol = f"S{self._random.randrange(STOCKS)}"
            users = [f"u{number}" for number in self._random.sample(range(USERS), self._random.randint(1, 4))]
            follow = self._random.random() < 0.6
            for user in users:
                tags = self.truth.setdefault(user, Truth()).tags
                tags.add(f"stock:{symbol}") if follow else tags.discard(f"stock:{symbol}")
            self.concerned += len(users)
            event = {"kind": "followed" if follow else "unfollowed", "symbol": symbol, "users": users}
            yield symbol.encode(), json.dumps(event).encode()


def test_users_of_events_keyed_by_something_else_are_in_step_whoever_is_killed(
    fleet: Fleet, topics: str, broker: str, followers: str
) -> None:
    """Three replicas re-keyed and sent while events named up to four users each, keyed by a stock.

    A random replica was killed with -9 every few seconds, and came back.
    Every user was in step at the end, and each user concerned had exactly one copy.
    """
    chance = random.Random(SEED)
    product, feed = Followers(), Feed(broker)
    fleet.start_three()
    for _ in range(ROUNDS):
        for key, value in product.events(EVENTS_A_ROUND):
            feed.send(followers, key, value)
        feed.flush()
        time.sleep(chance.uniform(0, 3))
        victim = chance.choice(fleet.running)
        victim.signal(signal.SIGKILL)
        victim.wait()
        fleet.start()
    all_in_step(product.truth, fleet.chat, seconds=300)
    all_settled(broker, topics, [f"{topics}rekeyed"])
    all_settled(broker, f"{topics}-rekeying", [followers])

    copies = len(committed_records(broker, f"{topics}rekeyed"))
    counters = fleet.chat.counters()
    show(
        "re-keying",
        kills=ROUNDS,
        events=ROUNDS * EVENTS_A_ROUND,
        users_concerned=product.concerned,
        copies=copies,
        requests=sum(counters["calls"].values()),
        overlaps=counters["overlaps_count"],
    )
    assert copies == product.concerned
