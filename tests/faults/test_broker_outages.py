"""A broker that is killed with -9 and comes back on its data, under load."""

import os
import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.fleet import Fleet
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.local_kafka import BrokerUnavailableError, LocalKafka, local_kafka
from tests.support.product import Product

pytestmark = pytest.mark.broker

OUTAGES_SECONDS: Final = (3, 20, 60) if FULL else (8,)
"""Shorter and longer than the session time-out of 6 s and the lease of 2.4 s."""


@pytest.fixture
def kafka() -> Iterator[LocalKafka]:
    """A broker of this test's own, for it is killed."""
    try:
        with local_kafka() as kafka:
            yield kafka
    except BrokerUnavailableError as error:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_BROKER") == "1":
            pytest.fail(f"a broker is required here: {error}")
        pytest.skip(f"needs a broker that can be killed (Java and Maven): {error}")


@pytest.fixture
def broker(kafka: LocalKafka) -> str:
    """Its address."""
    return kafka.bootstrap


def test_a_broker_that_is_killed_and_comes_back_is_waited_for(
    kafka: LocalKafka, fleet: Fleet, topics: str, sources: list[str]
) -> None:
    """Three replicas were sending under load.

    The only broker was killed with -9 and started again on its data, after a few seconds and after a minute.
    No replica ended, and nothing was given up; afterwards every user was in step, and no value had gone back.
    """
    product = Product(users=2_000, seed=4, topics=topics)
    fleet.start_three()
    with under_load(product, kafka.bootstrap, events_a_second=200) as events:
        for seconds in OUTAGES_SECONDS:
            time.sleep(5)
            kafka.kill()
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
        in_step_after_seconds=round(in_step_after_seconds, 1),
        went_back=counters["went_back_count"],
        overlaps=counters["overlaps_count"],
    )
    assert len(fleet.running) == 3
    assert sum(replica.metric("audience_sync_dead_letters_total") for replica in fleet.running) == 0
