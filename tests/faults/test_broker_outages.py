"""A broker that is killed with -9 and comes back on its data, under load."""

import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.broker import needed
from tests.support.fleet import FAST_TAKEOVER, Fleet, eventually
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.local_kafka import LocalKafka, local_kafka
from tests.support.product import Product

pytestmark = pytest.mark.broker

OUTAGES_SECONDS: Final = (3, 20, 60) if FULL else (8,)
"""Shorter and longer than the session time-out of 6 s and the lease of 2.4 s."""

LEASE_SECONDS: Final = float(FAST_TAKEOVER["AUDIENCE_SYNC_KAFKA__LEASE_SECONDS"])
LAST_CALL_SECONDS: Final = 1.0
"""What a busy machine may take from a look at the lease to the call's arrival."""

USERS, EVENTS_A_SECOND = 3_000, 900
"""So many that users are always waiting for their turn."""


@pytest.fixture
def calls_per_second() -> float:
    """One for each replica, so that work is left at any moment."""
    return 3


@pytest.fixture
def kafka() -> Iterator[LocalKafka]:
    """A broker of this test's own, for it is killed."""
    with needed("a broker that can be killed"), local_kafka() as kafka:
        yield kafka


@pytest.fixture
def broker(kafka: LocalKafka) -> str:
    """Its address."""
    return kafka.bootstrap


def test_a_broker_that_is_killed_and_comes_back_is_waited_for(
    kafka: LocalKafka, fleet: Fleet, topics: str, sources: list[str]
) -> None:
    """Three replicas were sending under load.

    The only broker was killed with -9 and started again on its data, after a few seconds and after a minute.
    When the lease had run out nothing more was sent, though users were waiting, until the broker was back; no replica
    ended, and nothing was given up; afterwards every user was in step, and no value had gone back.
    """
    product = Product(users=USERS, seed=4, topics=topics)
    fleet.start_three()
    waiting = []
    with under_load(product, kafka.bootstrap, events_a_second=EVENTS_A_SECOND) as events:
        for seconds in OUTAGES_SECONDS:
            goes_on(fleet)
            time.sleep(5)
            kafka.kill()
            gone_at = time.monotonic()
            if seconds > LEASE_SECONDS + LAST_CALL_SECONDS:
                time.sleep(LEASE_SECONDS + LAST_CALL_SECONDS)
                before = calls(fleet)
                time.sleep(max(0.0, gone_at + seconds - time.monotonic()))
                assert calls(fleet) == before, "it was no longer certain whose the users are"
                waiting.append(round(least_waiting(fleet)))
            else:
                time.sleep(seconds)
            kafka.start()
    back_at = time.monotonic()
    all_in_step(product.truth, fleet.chat, seconds=300)
    in_step_after_seconds = time.monotonic() - back_at
    all_settled(kafka.bootstrap, topics, sources)

    counters = fleet.chat.counters()
    show(
        "broker killed",
        outages_seconds=OUTAGES_SECONDS,
        events=events(),
        least_ready_users_of_a_replica_meanwhile=waiting,
        in_step_after_seconds=round(in_step_after_seconds, 1),
        went_back=counters["went_back_count"],
        overlaps=counters["overlaps_count"],
    )
    assert min(waiting) > 0, "each would have had something to send"
    assert len(fleet.running) == 3
    assert sum(replica.metric("audience_sync_dead_letters_total") for replica in fleet.running) == 0


def calls(fleet: Fleet) -> int:
    """All that the API was called so far."""
    return int(sum(fleet.chat.counters()["calls"].values()))


def goes_on(fleet: Fleet) -> None:
    """Wait until users are sent."""
    before = calls(fleet)
    eventually(lambda: calls(fleet) > before + 5, "somebody sends", 90)


def least_waiting(fleet: Fleet) -> float:
    """Ready users of the replica that has the fewest."""
    return min(replica.metric("audience_sync_ready_users") for replica in fleet.running)
