"""An API that is not there, that is broken behind its gateway, or whose feature is switched off, under load."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.support.fleet import Fleet, Replica, eventually
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.local_kafka import free_ports
from tests.support.product import Product

pytestmark = pytest.mark.broker

EVENTS_A_SECOND: Final = 300 if FULL else 600
BOUND: Final = "200"
"""Records a partition that may be unsettled: so few that reading has to pause during an outage of any length."""

GROWTH: Final = 1.15
"""By so much a replica's memory may grow from the time when reading pauses to the end of the outage: the metrics
of its requests, and what the allocator keeps."""


@pytest.fixture
def port() -> int:
    """Where the emulator is, also when it comes back."""
    [port] = free_ports(1)
    return port


@pytest.fixture
def emulator_options(tmp_path: Path, port: int) -> Sequence[str]:
    """It comes back with all that it has answered."""
    return ("--port", str(port), "--state", str(tmp_path / "state"))


@pytest.fixture
def settings() -> dict[str, str]:
    """Little is read ahead."""
    return {"AUDIENCE_SYNC_KAFKA__MAX_UNSETTLED_RECORDS": BOUND}


def test_an_api_that_is_gone_is_waited_for_with_flat_memory(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending under load.

    The API's process was killed with -9, for ten minutes, and came back with all that it had answered.
    Meanwhile memory stayed flat, the group as it was, and nothing was given up; afterwards every user was in step.
    """
    product = Product(users=2_000, seed=1, topics=topics)
    fleet.start_three()
    with under_load(product, broker, events_a_second=EVENTS_A_SECOND):
        wait_for_work(fleet)
        fleet.chat.end()
        figures = sit_out(fleet, seconds=600 if FULL else 24)
        fleet.chat.come_back()
    show("API gone", **figures, **recovery(product, fleet, broker, topics, sources))


def test_a_broken_gateway_is_waited_for_with_few_calls(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending under load.

    Every request was answered by a page with status 502, for ten minutes.
    Meanwhile memory stayed flat, the group as it was, few calls were made, and nothing was given up; afterwards
    every user was in step.
    """
    product = Product(users=2_000, seed=2, topics=topics)
    seconds = 600 if FULL else 8
    fleet.start_three()
    with under_load(product, broker, events_a_second=EVENTS_A_SECOND):
        wait_for_work(fleet)
        fleet.chat.set_faults({"fail_next": [{"kind": "http:502", "for_seconds": seconds}]})
        figures = sit_out(fleet, seconds=seconds)
    show("API answers 502", **figures, **recovery(product, fleet, broker, topics, sources))


def test_a_feature_that_is_off_stops_delivery_and_drops_nothing(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending under load.

    Push to all users was switched off for the app for a minute, so that every call was refused with 90045.
    Each replica was unready and said why, nothing was given up, and all went on by themselves; every user was in
    step.
    """
    product = Product(users=2_000, seed=3, topics=topics)
    seconds = 60 if FULL else 10
    fleet.start_three()
    with under_load(product, broker, events_a_second=EVENTS_A_SECOND):
        wait_for_work(fleet)
        fleet.chat.control("feature", {"on": False})
        off_at = time.monotonic()
        reasons = [
            eventually(lambda replica=replica: stopped(replica), "it says why")  # type: ignore[misc]  # mypy can't infer a lambda with a default
            for replica in fleet.running
        ]
        time.sleep(max(0.0, off_at + seconds - time.monotonic()))
        fleet.chat.control("feature", {"on": True})
        back_at = time.monotonic()
        fleet.wait_until_ready(90)
        ready_after_seconds = time.monotonic() - back_at
    all_in_step(product.truth, fleet.chat)
    all_settled(broker, topics, sources)
    show(
        "feature off",
        seconds=seconds,
        refused=fleet.chat.counters()["refused"],
        all_ready_after_seconds=round(ready_after_seconds, 1),
        dead_letters=given_up(fleet),
    )
    assert all("90045" in reason for reason in reasons)
    assert given_up(fleet) == 0


def wait_for_work(fleet: Fleet) -> None:
    """Every replica has sent something."""
    eventually(
        lambda: all(replica.metric("audience_sync_requests_total") > 3 for replica in fleet.running),
        "all of them send",
        60,
    )


def stopped(replica: Replica) -> str | None:
    """Why it is not ready, if it is stopped."""
    reason = replica.status()["reason"]
    return reason if reason and "stopped" in reason else None


def sit_out(fleet: Fleet, *, seconds: float) -> dict[str, object]:
    """Let an outage last for so long; what the replicas did meanwhile, and that it is as it should be."""
    assignments, requests = counted(fleet, "assignments"), counted(fleet, "requests")
    time.sleep(seconds / 2)
    half = [replica.resident_bytes for replica in fleet.running]
    time.sleep(seconds / 2)
    whole = [replica.resident_bytes for replica in fleet.running]
    assert counted(fleet, "assignments") == assignments, "nobody was thought dead"
    assert given_up(fleet) == 0
    assert len(fleet.running) == 3
    assert all(end <= GROWTH * start for start, end in zip(half, whole, strict=True)), (half, whole)
    return {
        "seconds": seconds,
        "requests": round(counted(fleet, "requests") - requests),
        "unread": round(sum(replica.metric("audience_sync_unread_records") for replica in fleet.running)),
        "megabytes_half_way": [each >> 20 for each in half],
        "megabytes_at_the_end": [each >> 20 for each in whole],
    }


def recovery(
    product: Product, fleet: Fleet, broker: str, topics: str, sources: Sequence[str]
) -> dict[str, object]:
    """Wait until every user is in step after an outage; the time and the calls that it took."""
    back_at, requests = time.monotonic(), counted(fleet, "requests")
    all_in_step(product.truth, fleet.chat)
    all_settled(broker, topics, sources)
    return {
        "in_step_after_seconds": round(time.monotonic() - back_at, 1),
        "requests_until_then": round(counted(fleet, "requests") - requests),
    }


def counted(fleet: Fleet, what: str) -> float:
    """The sum of this counter over all replicas."""
    return sum(replica.metric(f"audience_sync_{what}_total") for replica in fleet.running)


def given_up(fleet: Fleet) -> int:
    """Dead letters of all replicas."""
    return int(counted(fleet, "dead_letters"))
