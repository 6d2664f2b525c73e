"""A replica whose time stops (SIGSTOP), as on a machine that swaps or is moved, and goes on after it was replaced."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Final

import pytest

from tests.support.fleet import Fleet, Replica, eventually
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.product import Product
from tests.support.relay import Relay, relay_to

pytestmark = pytest.mark.broker

FREEZES: Final = 20 if FULL else 1
FROZEN_SECONDS: Final = 9.0
"""Longer than the session time-out of 6 s: the others take over meanwhile. The lease is 2.4 s."""

SEED: Final = 20261122


@pytest.fixture
def relays(fleet: Fleet) -> Iterator[dict[Replica, Relay]]:
    """Three ready replicas, each with a way of its own to the API."""
    with ExitStack() as ways:
        relays = {}
        for _ in range(3):
            relay = ways.enter_context(relay_to(fleet.chat.url))
            relays[fleet.start(AUDIENCE_SYNC_CHAT__BASE_URL=relay.url)] = relay
        fleet.wait_until_ready()
        yield relays


def test_a_frozen_replica_that_wakes_up_sends_nothing_before_it_has_partitions_again(
    fleet: Fleet, relays: dict[Replica, Relay], topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending under load.

    One was frozen with SIGSTOP at a random moment for longer than the session time-out, so that the others took
    over, and then went on with SIGCONT, again and again.
    It sent nothing between its waking and its next assignment, because its lease had run out; no value went back
    and no user was in two requests at once. What remains is a freeze in the few instructions between the look
    at the lease and the socket's write: only the API itself could refuse such a request.
    """
    chance = random.Random(SEED)
    product = Product(users=2_000, seed=SEED, topics=topics)
    stray: list[float] = []
    with under_load(product, broker, events_a_second=300) as events:
        for _ in range(FREEZES):
            zombie = chance.choice(list(relays))
            calls = len(relays[zombie].heard_at)
            eventually(lambda: len(relays[zombie].heard_at) > calls + 5, "it sends", 60)  # noqa: B023
            time.sleep(chance.uniform(0, 1))
            zombie.signal(signal.SIGSTOP)
            time.sleep(FROZEN_SECONDS)
            woken_at = time.time()
            zombie.signal(signal.SIGCONT)
            assigned_at = eventually(lambda: next_assignment(zombie, woken_at), "it is back", 60)  # noqa: B023
            stray += [at for at in relays[zombie].heard_at if woken_at <= at < assigned_at]
    all_in_step(product.truth, fleet.chat, seconds=300)
    all_settled(broker, topics, sources)

    show("frozen for longer than the session", freezes=FREEZES, events=events(), sent_by_zombies=len(stray))
    assert stray == []


def next_assignment(replica: Replica, after: float) -> float | None:
    """The moment (epoch seconds) of its first assignment after that moment."""
    for line in replica.lines():
        at = datetime.fromisoformat(line["timestamp"]).timestamp()
        if line["action"] == "assigned" and at > after:
            return at
    return None
