"""The main job under load on a real broker, with three replicas: what holds while nothing, or much, breaks.

Small by default; `make faults` runs it in full size.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from tests.support.fleet import FAST_TAKEOVER, EmulatedChat, Fleet, emulated_chat, eventually
from tests.support.product import Event, Feed, Product, out_of_step, rules_for

pytestmark = pytest.mark.broker

FULL: Final = os.environ.get("AUDIENCE_SYNC_TEST_FULL") == "1"
EVENTS, USERS, KILLS = (200_000, 20_000, 10) if FULL else (40_000, 4_000, 2)
SECONDS_A_KILL: Final = 12
"""About what a takeover takes with these settings, so that events flow all the while."""
BOTTLENECK: Final = 5
"""Calls a second and endpoint."""


@pytest.fixture
def topics() -> str:
    """What the names of this test's topics begin with: a broker that is given may have those of another run."""
    return f"{uuid4().hex[:8]}-"


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator that takes few calls, so that the API is the bottleneck; it judges each test at its end."""
    with emulated_chat(tmp_path, calls_per_second=BOTTLENECK) as emulator:
        yield emulator
        counters = emulator.counters()
    assert counters["overlaps"] == [], "one user was in two requests at the same time"
    assert counters["broken_limits"] == []
    assert counters["went_back"] == [], "a value was older than one sent before"


@pytest.fixture
def fleet(tmp_path: Path, topics: str, broker: str, chat: EmulatedChat) -> Iterator[Fleet]:
    """Three ready replicas with topics of 8 partitions each."""
    environment = FAST_TAKEOVER | {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "1",
        "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": "5",
        "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": str(BOTTLENECK),
    }
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        for _ in range(3):
            fleet.start()
        fleet.wait_until_ready()
        yield fleet


@pytest.fixture
def product(topics: str) -> Product:
    """What the product services tell."""
    return Product(users=USERS, seed=20261122, topics=topics)


def test_three_replicas_keep_all_users_in_step_with_full_requests(
    fleet: Fleet, product: Product, broker: str
) -> None:
    """With the API as the bottleneck no call is wasted, none is above the limit, and no user is forgotten."""
    feed(product, broker, EVENTS)
    all_in_step(product, fleet.chat)

    full = [
        sum(replica.metric(f"audience_sync_users_per_request_{what}", ready="many") for replica in fleet.all)
        for what in ("sum", "count")
    ]
    minimum, calls = calls_against_minimum(fleet.chat)
    show(
        "three replicas, nothing breaks",
        events=EVENTS,
        users=USERS,
        mean_users_a_request_while_100_were_ready=round(full[0] / full[1], 2),
        requests=calls,
        minimum=minimum,
        requests_over_minimum=round(calls / minimum, 3),
        refused=fleet.chat.counters()["refused"],
        most_calls_in_a_second=fleet.chat.counters()["most_calls_in_a_second"],
    )
    assert full[0] / full[1] >= 95
    assert calls / minimum < 1.5


def test_replicas_that_are_killed_lose_nothing_and_send_nothing_old(
    fleet: Fleet, product: Product, broker: str
) -> None:
    """A random replica is killed with -9 again and again while events flow; another takes its place."""
    chance = random.Random(7)
    with flowing(product, broker, EVENTS, seconds=KILLS * SECONDS_A_KILL):
        for _ in range(KILLS):
            time.sleep(chance.uniform(0, 3))  # a moment under load that nobody chose
            victim = chance.choice(fleet.running)
            victim.signal(signal.SIGKILL)
            victim.wait()
            fleet.start()
            eventually(lambda: any(replica.ready() for replica in fleet.running), "someone goes on", 60)
    all_in_step(product, fleet.chat, seconds=300)

    minimum, calls = calls_against_minimum(fleet.chat)
    show("kill -9", events=EVENTS, kills=KILLS, requests=calls, minimum=minimum, went_back=0, overlaps=0)


def test_a_rolling_restart_hands_over_clean(fleet: Fleet, product: Product, broker: str) -> None:
    """SIGTERM one after another while events flow: each drains, commits, leaves and exits 0."""
    leavers = list(fleet.running)
    with flowing(product, broker, EVENTS, seconds=len(leavers) * SECONDS_A_KILL):
        for leaver in leavers:
            fleet.start()
            fleet.wait_until_ready()
            leaver.signal(signal.SIGTERM)
            assert leaver.wait() == 0
    all_in_step(product, fleet.chat, seconds=300)
    for replica in fleet.running:
        replica.signal(signal.SIGTERM)
    assert [replica.wait() for replica in fleet.all] == [0] * len(fleet.all)

    read = sum(replica.stopped_totals()["records"] for replica in fleet.all)
    unclean = sum(line.get("after_unclean_end", False) for replica in fleet.all for line in replica.lines())
    show("rolling restart", events=EVENTS, records_read=read, read_again_share=round(read / EVENTS - 1, 4))
    assert unclean == 0


def test_the_last_change_of_a_stream_gone_idle_is_confirmed(
    fleet: Fleet, product: Product, broker: str
) -> None:
    """The wall clock wakes the delivery, not the next event."""
    feed(product, broker, 1)
    eventually(lambda: confirmed(fleet, "count"), "it is confirmed", 10)
    show("idle topic", quiet_seconds=1.0, confirmed_after_seconds=round(confirmed(fleet, "sum"), 3))
    assert confirmed(fleet, "count") == 1
    assert out_of_step(product.truth, fleet.chat.state()) == {}


def confirmed(fleet: Fleet, what: str) -> float:
    """The "count" of users whose changes are confirmed, or the "sum" of the seconds since their events."""
    return sum(replica.metric(f"audience_sync_delay_seconds_{what}") for replica in fleet.running)


def feed(product: Product, broker: str, number: int) -> int:
    """Let so many events happen; returns how many when the broker has them."""
    out = Feed(broker)
    for event in product.events(number):
        out.send(*event)
    out.flush()
    return number


@contextmanager
def flowing(product: Product, broker: str, number: int, *, seconds: float) -> Iterator[None]:
    """Let so many events happen over so many seconds beside the block; its end waits for the last of them."""
    steps = int(seconds * 10)

    def flow() -> None:
        out = Feed(broker)
        for events in batched(product.events(number), ceil(number / steps)):
            for event in events:
                out.send(*event)
            time.sleep(0.1)
        out.flush()

    with ThreadPoolExecutor(1) as pool:
        flow_ends = pool.submit(flow)
        yield
        flow_ends.result()


def batched(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    """The events in lists of this size, the last one maybe shorter."""
    while batch := list(islice(events, size)):
        yield batch


def all_in_step(product: Product, chat: EmulatedChat, *, seconds: float = 180) -> None:
    """Wait until every user's attributes and tags are as the events say."""
    eventually(
        lambda: not out_of_step(product.truth, chat.state()),
        "every user is in step",
        seconds,
        pause_seconds=1,
    )  # seldom: the emulator answers nobody else while it tells the state of all users


def calls_against_minimum(chat: EmulatedChat) -> tuple[int, int]:
    """The fewest calls that could have carried the parts that were sent, and the calls there were."""
    counters = chat.counters()
    return sum(ceil(parts / 100) for parts in counters["user_parts"].values()), sum(
        counters["calls"].values()
    )


def show(what: str, **figures: object) -> None:
    """Print what was measured; pytest shows it with -s, and when the test fails."""
    print(f"\n{what}: " + ", ".join(f"{name}={value}" for name, value in figures.items()))
