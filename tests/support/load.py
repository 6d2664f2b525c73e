"""Load for tests on a real broker: events that go on while something breaks, and how it must end."""

import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from math import ceil
from pathlib import Path
from threading import Event as Flag
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from tests.support.fleet import EmulatedChat, Fleet, eventually
from tests.support.product import Event, Feed, Product, Truth, out_of_step

FULL: Final = os.environ.get("AUDIENCE_SYNC_TEST_FULL") == "1"
"""Whether tests run in full size, as `make faults` does."""

SEEN: Final = Path(__file__).parents[2] / "docs" / "reliability-seen.json"
"""The figures that docs/reliability.md shows."""

STEP_SECONDS: Final = 0.1


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
    steps = int(seconds / STEP_SECONDS)

    def flow() -> None:
        out = Feed(broker)
        for events in batched(product.events(number), ceil(number / steps)):
            for event in events:
                out.send(*event)
            time.sleep(STEP_SECONDS)
        out.flush()

    with ThreadPoolExecutor(1) as pool:
        flow_ends = pool.submit(flow)
        yield
        flow_ends.result()


@contextmanager
def under_load(product: Product, broker: str, *, events_a_second: int) -> Iterator[Callable[[], int]]:
    """Let events happen beside the block, until its end; gives how many there were so far."""
    ended = Flag()
    count = 0

    def flow() -> None:
        nonlocal count
        out = Feed(broker)
        while not ended.wait(STEP_SECONDS):
            for event in product.events(ceil(events_a_second * STEP_SECONDS)):
                out.send(*event)
                count += 1
        out.flush()

    with ThreadPoolExecutor(1) as pool:
        flow_ends = pool.submit(flow)
        try:
            yield lambda: count
        finally:
            ended.set()
        flow_ends.result()


def batched(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    """The events in lists of this size, the last one maybe shorter."""
    while batch := list(islice(events, size)):
        yield batch


def all_in_step(truth: Mapping[str, Truth], chat: EmulatedChat, *, seconds: float = 180) -> None:
    """Wait until every user's attributes and tags are as the events say."""
    eventually(
        lambda: not out_of_step(dict(truth), chat.state()),
        "every user is in step",
        seconds,
        pause_seconds=1,
    )  # seldom: the emulator answers nobody else while it tells the state of all users


def all_settled(broker: str, group: str, topics: Collection[str], *, seconds: float = 120) -> None:
    """Wait until the group has committed the end of every partition: nothing is unread, and nothing waits."""
    reader = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        eventually(
            lambda: not unsettled(reader, topics), "every partition is settled", seconds, pause_seconds=0.5
        )
    finally:
        reader.close()


def unsettled(reader: Consumer, topics: Collection[str]) -> dict[tuple[str, int], int]:
    """{partition: records after what the reader's group has committed}, of those that have any."""
    left = {}
    known = reader.list_topics(timeout=10).topics
    every = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]
    for at in reader.committed(every, timeout=10):
        first, end = reader.get_watermark_offsets(at, timeout=10)
        if end > max(at.offset, first):
            left[at.topic, at.partition] = end - max(at.offset, first)
    return left


def calls_against_minimum(chat: EmulatedChat) -> tuple[int, int]:
    """The fewest calls that could have carried the parts that were sent, and the calls there were."""
    counters = chat.counters()
    return sum(ceil(parts / 100) for parts in counters["user_parts"].values()), sum(
        counters["calls"].values()
    )


def answers_above_a_second(fleet: Fleet) -> int:
    """How many took so long that their requests may have been counted later than the pace makes good for."""
    name = "audience_sync_request_seconds"
    return int(
        sum(
            replica.metric(f"{name}_count") - replica.metric(f"{name}_bucket", le="1.0")
            for replica in fleet.running
        )
    )


def show(what: str, **figures: object) -> None:
    """Print what was measured; pytest shows it with -s, and when the test fails. In full size it may be kept, too."""
    print(f"\n{what}: " + ", ".join(f"{name}={value}" for name, value in figures.items()))
    if FULL and os.environ.get("AUDIENCE_SYNC_TEST_WRITE_PAGES") == "1":
        kept = json.loads(SEEN.read_text()) if SEEN.exists() else {}
        kept[what] = {"on": str(datetime.now(UTC).date()), "cores": os.cpu_count(), "figures": figures}
        SEEN.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n")
