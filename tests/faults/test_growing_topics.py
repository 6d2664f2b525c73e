"""Topics that get more partitions while replicas run; what to do is in docs/operations.md, Growing topics."""

import signal
from collections.abc import Sequence
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from tests.support.fleet import Fleet, eventually
from tests.support.load import FULL, all_in_step, all_settled, feed, show
from tests.support.product import CITY, Product

pytestmark = pytest.mark.broker

GROWN: Final = 12
"""Partitions, from 8."""

NOTICED_SECONDS: Final = 330.0
"""Clients look for new partitions every five minutes by default."""


def test_topics_that_grow_together_while_producers_pause_lose_nothing(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were running, and producers had paused until everything was settled.

    All topics of the rules got more partitions, the replicas were restarted one by one, and producers went on.
    Every user was in step, every partition was settled to its end, old and new, and nothing was given up.
    """
    product = Product(users=500, seed=8, topics=topics)
    fleet.start_three()
    feed(product, broker, 2_000)
    all_settled(broker, topics, sources)
    read = [*sources, f"{topics}dead-letters-replay"]
    grow(broker, read)
    for replica in fleet.running:
        replica.signal(signal.SIGTERM)
        assert replica.wait() == 0
        fleet.start()
    fleet.wait_until_ready()
    feed(product, broker, 2_000)
    all_in_step(product.truth, fleet.chat)
    all_settled(broker, topics, sources)

    partitions = sum(replica.metric("audience_sync_partitions") for replica in fleet.running)
    show("topics grown together", partitions=partitions)
    assert partitions == GROWN * len(read)


def test_a_topic_that_grows_alone_is_told_and_loses_nothing(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """A replica was running, and producers did not pause.

    One topic got more partitions than the others, and the others got as many only later.
    Meanwhile no replica started, and each said why; afterwards all was read from its beginning, every user was in
    step, and nothing was given up.
    """
    product = Product(users=500, seed=9, topics=topics)
    running = fleet.start()
    fleet.wait_until_ready()
    feed(product, broker, 2_000)
    grow(broker, [topics + CITY])
    feed(product, broker, 2_000)  # also into partitions that nobody reads
    refused = fleet.start()
    assert refused.wait() == 3
    assert topics + CITY in refused.text()
    if FULL:
        eventually(
            lambda: "partitions_incomplete" in running.text(), "the running one tells", NOTICED_SECONDS
        )
        assert not running.ready()

    grow(broker, [topic for topic in sources if topic != topics + CITY])
    if not FULL:  # in full size the running one has to notice by itself
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
        fleet.start()
    all_in_step(product.truth, fleet.chat, seconds=NOTICED_SECONDS)
    all_settled(broker, topics, sources)
    show("a topic grown alone", dead_letters=0)
    assert sum(replica.metric("audience_sync_dead_letters_total") for replica in fleet.running) == 0


def grow(broker: str, topics: Sequence[str]) -> None:
    """Let these topics have more partitions."""
    admin = AdminClient({"bootstrap.servers": broker})
    for future in admin.create_partitions([NewPartitions(topic, GROWN) for topic in topics]).values():
        future.result()
