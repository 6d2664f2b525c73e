"""`audience-sync plan` on live topics: what it foretells is what the service then does, and nobody notices it."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from audience_sync.events.kafka_admin import KafkaAddress
from audience_sync.events.onlooker import Reading, onlooker
from audience_sync.events.security import KafkaSecurity
from tests.support.fleet import Fleet, emulated_chat
from tests.support.kafka_topics import a_topic, write, write_transactions, write_with_header
from tests.support.load import FULL, all_in_step, show
from tests.support.product import Feed, Product, rules_for

pytestmark = pytest.mark.broker

EVENTS, USERS = (100_000, 20_000) if FULL else (10_000, 2_000)
EVENTS_PER_SECOND: Final = 500.0
FILL_SECONDS: Final = 1.0
"""Longer than by default. A plan takes the service to be as timely as it is on a machine of its own. Beside other
tests it is later, by up to a tenth of a second: a small part of it only where requests wait for longer."""
ANSWER_SECONDS: Final = 0.01
"""How long the emulator next door takes."""


def planned(environment: Mapping[str, str], *options: str) -> dict[str, Any]:
    """What `audience-sync plan --json` prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "audience_sync", "plan", "--json", *options],
        env={name: value for name, value in os.environ.items() if not name.startswith("AUDIENCE_SYNC_")}
        | dict(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))


def happen(product: Product, broker: str) -> None:
    """Let all events happen, each at its own moment, by chance, as those of many users do."""
    feed = Feed(broker, linger_milliseconds=5)  # as producers do if they are told nothing
    chance, at = random.Random(2), time.monotonic()
    for event in product.events(EVENTS):
        at += chance.expovariate(EVENTS_PER_SECOND)
        time.sleep(max(0.0, at - time.monotonic()))
        feed.send(*event)
    feed.flush()


@pytest.mark.parametrize("calls_per_second", [100, 2], ids=["pace-is-ample", "pace-is-scarce"])
def test_the_calls_that_are_planned_are_made(tmp_path: Path, broker: str, calls_per_second: int) -> None:
    """Within 5 %, for the same events at the spacing at which they came, whether or not calls are scarce."""
    topics = f"{uuid4().hex[:8]}-"
    environment = {
        "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": broker,
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_KAFKA__CREATE_PARTITIONS": "4",
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__FILL_SECONDS": str(FILL_SECONDS),
        "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": str(calls_per_second),
    }
    product = Product(users=USERS, seed=1, topics=topics)
    with (
        emulated_chat(tmp_path) as chat,
        Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet,
    ):
        fleet.start()
        fleet.wait_until_ready()
        happen(product, broker)
        all_in_step(product.truth, chat)
        made = sum(chat.counters()["calls"].values())
    plan = planned(environment, "--last", str(EVENTS), "--answer-seconds", str(ANSWER_SECONDS))

    show(
        "plan",
        pace=calls_per_second,
        planned=plan["calls"]["planned"],
        made=made,
        delay=plan["delay_seconds"],
    )
    assert plan["events"]["read"] == EVENTS
    assert plan["calls"]["planned"] == pytest.approx(made, rel=0.05)
    assert plan["pace"]["calls_per_second"] == pytest.approx(0.97 * calls_per_second)


async def test_the_newest_records_are_found_by_their_time_over_all_partitions(broker: str) -> None:
    """Not equally many of each: a partition that was quiet lately has none among them."""
    old, new = a_topic(broker, partitions=2), a_topic(broker)
    await write(broker, old, *(b"old %d" % number for number in range(50)))
    await write(broker, new, *(b"new %d" % number for number in range(50)))
    async with onlooker(_reading(broker, old, new)) as kafka:
        ends = await kafka.ends()
        starts = await kafka.starts_of_last(20, ends=ends)
        found = await kafka.read(starts, ends)
        everything = await kafka.read(await kafka.starts_of_last(1000, ends=ends), ends)

    assert {record.partition.topic for record in found} == {new}
    assert [record.value for record in found][-20:] == [b"new %d" % number for number in range(30, 50)]
    assert len(everything) == 100


async def test_what_a_transaction_took_back_is_not_planned(broker: str) -> None:
    """As the service does not see it either; and markers do not keep the reading from its end."""
    topic = a_topic(broker)
    await write_transactions(broker, topic, ([b"kept"], True), ([b"taken back"], False))
    async with onlooker(_reading(broker, topic)) as kafka:
        ends = await kafka.ends()
        found = await kafka.read(await kafka.starts_of_last(100, ends=ends), ends)

    assert [record.value for record in found] == [b"kept"]


async def test_a_header_whose_name_is_no_text_stops_no_plan(broker: str) -> None:
    """Clients in C can write one; the service reads it, and so does whoever looks on."""
    topic = a_topic(broker)
    await write_with_header(broker, topic, b"{}", name=b"\xff\xfe\xfd\xfc")
    async with onlooker(_reading(broker, topic)) as kafka:
        ends = await kafka.ends()
        found = await kafka.read(await kafka.beginnings(), ends)

    assert [record.value for record in found] == [b"{}"]


def _reading(broker: str, *topics: str) -> Reading:
    return Reading(
        address=KafkaAddress(bootstrap=broker, security=KafkaSecurity(), timeout_seconds=30.0),
        topics=topics,
        isolation_level="read_committed",
        client_id="test",
    )
