"""Replicas that come and go every few seconds, as in a rollout that never ends, under load."""

import random
import signal
import time
from typing import Final

import pytest

from tests.support.fleet import Fleet
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.product import Product

pytestmark = pytest.mark.broker

CHANGES: Final = 60 if FULL else 5
LONGEST_PAUSE_SECONDS: Final = 4.0
SEED: Final = 20261122


def test_replicas_that_come_and_go_all_the_time_lose_nothing(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending under load.

    Every few seconds one joined, or a random one left in order, so that the group was hardly ever at rest.
    Every user was in step at the end, no value had gone back, no user was in two requests at once, and each
    replica that left ended with 0.
    """
    chance = random.Random(SEED)
    product = Product(users=2_000, seed=SEED, topics=topics)
    fleet.start_three()
    leavers = []
    with under_load(product, broker, events_a_second=300) as events:
        for _ in range(CHANGES):
            staying = [replica for replica in fleet.running if replica not in leavers and replica.ready()]
            if len(staying) < 2 or (len(staying) < 4 and chance.random() < 0.5):
                fleet.start()
            else:
                leavers.append(chance.choice(staying))
                leavers[-1].signal(signal.SIGTERM)
            time.sleep(chance.uniform(1, LONGEST_PAUSE_SECONDS))
    assert [replica.wait() for replica in leavers] == [0] * len(leavers)
    all_in_step(product.truth, fleet.chat, seconds=300)
    all_settled(broker, topics, sources)

    counters = fleet.chat.counters()
    show(
        "coming and going",
        joined=len(fleet.all) - 3,
        left=len(leavers),
        events=events(),
        assignments=sum(line["action"] == "assigned" for replica in fleet.all for line in replica.lines()),
        requests=sum(counters["calls"].values()),
        went_back_over_rebalances=counters["went_back_count"],
        overlaps=counters["overlaps_count"],
    )
