"""The main job under load on a real broker, with three replicas: what holds while nothing, or much, breaks.

Small by default; `make faults` runs it in full size.
"""

import signal
from typing import Final

import pytest

from tests.support.fleet import Fleet, eventually
from tests.support.load import (
    FULL,
    all_in_step,
    answers_above_a_second,
    calls_against_minimum,
    feed,
    flowing,
    show,
)
from tests.support.product import Product, out_of_step

pytestmark = pytest.mark.broker

EVENTS, USERS = (200_000, 20_000) if FULL else (20_000, 2_000)
CALLS_PER_SECOND: Final = 5
"""So few that the API is the bottleneck."""

SECONDS_A_RESTART: Final = 10 if FULL else 6
"""About what one takes, so that events flow all the while."""


@pytest.fixture
def calls_per_second() -> float:
    """What each endpoint takes."""
    return CALLS_PER_SECOND


@pytest.fixture
def product(topics: str) -> Product:
    """What the product services tell."""
    return Product(users=USERS, seed=20261122, topics=topics)


def test_three_replicas_keep_all_users_in_step_with_full_requests(
    fleet: Fleet, product: Product, broker: str
) -> None:
    """Three replicas were sending under load.

    The API's limit was the bottleneck.
    No call was wasted, none was above the limit, and no user was forgotten.
    """
    fleet.start_three()
    feed(product, broker, EVENTS)
    all_in_step(product.truth, fleet.chat)

    full = [
        sum(replica.metric(f"audience_sync_users_per_request_{what}", ready="many") for replica in fleet.all)
        for what in ("sum", "count")
    ]
    minimum, calls = calls_against_minimum(fleet.chat)
    most, late = fleet.chat.counters()["most_calls_in_a_second"], answers_above_a_second(fleet)
    show(
        "three replicas, nothing breaks",
        events=EVENTS,
        users=USERS,
        mean_users_a_request_while_100_were_ready=round(full[0] / full[1], 2),
        requests=calls,
        minimum=minimum,
        requests_over_minimum=round(calls / minimum, 3),
        refused=fleet.chat.counters()["refused"],
        most_calls_in_a_second=most,
        answers_above_a_second=late,
    )
    assert full[0] / full[1] >= 95
    assert calls / minimum < 1.5
    assert max(most.values()) <= CALLS_PER_SECOND or late, "with a delay like that it may be passed"


def test_a_rolling_restart_hands_over_clean(fleet: Fleet, product: Product, broker: str) -> None:
    """Three replicas were sending under load.

    One after another got SIGTERM, and another took its place.
    Each drained, committed, left the group and ended with 0; every user was in step, and no value had gone back.
    """
    fleet.start_three()
    leavers = list(fleet.running)
    with flowing(product, broker, EVENTS, seconds=len(leavers) * SECONDS_A_RESTART):
        for leaver in leavers:
            fleet.start()
            fleet.wait_until_ready()
            leaver.signal(signal.SIGTERM)
            assert leaver.wait() == 0
    all_in_step(product.truth, fleet.chat, seconds=300)
    for replica in fleet.running:
        replica.signal(signal.SIGTERM)
    assert [replica.wait() for replica in fleet.all] == [0] * len(fleet.all)

    read = sum(replica.stopped_totals()["records"] for replica in fleet.all)
    unclean = sum(line.get("after_unclean_end", False) for replica in fleet.all for line in replica.lines())
    show(
        "rolling restart",
        events=EVENTS,
        records_read=read,
        read_again_share=round(read / EVENTS - 1, 4),
        went_back_over_restarts=fleet.chat.counters()["went_back_count"],
    )
    assert unclean == 0


def test_the_last_change_of_a_stream_gone_idle_is_confirmed(
    fleet: Fleet, product: Product, broker: str
) -> None:
    """A replica had nothing to do.

    One event came, and nothing after it.
    The wall clock woke the delivery: it was confirmed all the same, after the quiet time.
    """
    fleet.start()
    fleet.wait_until_ready()
    feed(product, broker, 1)
    eventually(lambda: confirmed(fleet, "count"), "it is confirmed", 10)
    show("idle topic", quiet_seconds=1.0, confirmed_after_seconds=round(confirmed(fleet, "sum"), 3))
    assert confirmed(fleet, "count") == 1
    assert out_of_step(product.truth, fleet.chat.state()) == {}


def confirmed(fleet: Fleet, what: str) -> float:
    """The "count" of users whose changes are confirmed, or the "sum" of the seconds since their events."""
    return sum(replica.metric(f"audience_sync_delay_seconds_{what}") for replica in fleet.running)
