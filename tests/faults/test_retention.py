"""Topics that delete records before they were read."""

import re
import signal
import time
from collections.abc import Sequence
from typing import Final

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from audience_sync.commands.stop import ExitCode
from tests.support.fleet import Fleet, Replica, eventually
from tests.support.load import all_settled, feed, show
from tests.support.product import Product

pytestmark = pytest.mark.broker

EVENTS: Final = 2_400


def test_records_that_retention_deleted_before_they_were_read_are_told_and_counted(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """A replica had stopped, and events went on.

    The topics deleted half of what nobody had read.
    A replica that may lose nothing ended with an error that tells the range, and committed nothing beyond it; the
    next one, which may, counted exactly these records as lost, told their range, and went on with what was left.
    """
    product = Product(users=500, seed=6, topics=topics)
    first = fleet.start()
    fleet.wait_until_ready()
    feed(product, broker, EVENTS)
    all_settled(broker, topics, sources)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    feed(product, broker, EVENTS)
    lost = cut(broker, topics, sources)
    left_at = positions(broker, topics, sources)
    strict = fleet.start(AUDIENCE_SYNC_KAFKA__LOST_RECORDS="stop")
    code, said = strict.wait(), strict.text().splitlines()[-1]

    assert positions(broker, topics, sources) == left_at, "so that nobody can overlook it"
    second = fleet.start()
    all_settled(broker, topics, sources)
    show("retention while nobody reads", lost=lost, told=lost_and_told(second))
    assert lost > 0
    assert code == ExitCode.UNAVAILABLE
    assert re.search(r"partition \d+: records \d+ to \d+ were deleted before they were read", said)
    assert "Traceback" not in strict.text()
    assert lost_and_told(second) == (lost, lost)
    assert second.metric("audience_sync_events_total") == EVENTS - lost


def test_records_that_retention_deletes_while_reading_is_paused_are_told_and_counted(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """A replica was running and had paused reading, because the app's feature was off.

    The topics deleted half of what it had not read.
    Once the feature was on it counted as lost whatever it could not read any more, told its range, and went on.
    """
    product = Product(users=500, seed=7, topics=topics)
    replica = fleet.start(AUDIENCE_SYNC_KAFKA__MAX_UNSETTLED_RECORDS="100")
    fleet.wait_until_ready()
    fleet.chat.control("feature", {"on": False})
    feed(product, broker, EVENTS)
    eventually(lambda: replica.status()["reason"], "it is stopped")
    settle_down(replica)
    feed(product, broker, 10 * EVENTS)
    deleted = cut(broker, topics, sources, of_unread_by=replica)
    fleet.chat.control("feature", {"on": True})

    all_settled(broker, topics, sources)
    lost = 11 * EVENTS - int(
        replica.metric("audience_sync_events_total")
    )  # what was polled before is not lost
    show("retention while reading is paused", deleted=deleted, lost=lost, told=lost_and_told(replica))
    assert lost > 0
    assert lost_and_told(replica) == (lost, lost)


def settle_down(replica: Replica) -> None:
    """Wait until it takes in nothing more."""
    before = -1.0
    while (now := replica.metric("audience_sync_events_total")) != before:
        before = now
        time.sleep(2)


def lost_and_told(replica: Replica) -> tuple[int, int]:
    """Records that it has counted as lost, and those in the ranges that it has told."""
    told = [line for line in replica.lines() if line["action"] == "records_lost_to_retention"]
    return int(replica.metric("audience_sync_lost_records_total")), sum(
        line["last_lost"] - line["first_lost"] + 1 for line in told
    )


def cut(broker: str, group: str, topics: Sequence[str], *, of_unread_by: Replica | None = None) -> int:
    """Delete the first half of what was not committed, or not read, in each partition; returns how many were lost."""
    admin = AdminClient({"bootstrap.servers": broker})
    reader = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        at = committed(reader, topics) if of_unread_by is None else read_by(of_unread_by)
        ends = {
            (topic, number): reader.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1]
            for topic, number in at
        }
    finally:
        reader.close()
    cuts = {key: (position + ends[key]) // 2 for key, position in at.items()}
    asked = [TopicPartition(*key, position) for key, position in cuts.items()]
    for future in admin.delete_records(asked).values():
        future.result()
    return sum(cuts[key] - position for key, position in at.items())


def positions(broker: str, group: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """Where a group stands."""
    reader = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        return committed(reader, topics)
    finally:
        reader.close()


def committed(reader: Consumer, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """Where the group stands."""
    known = reader.list_topics(timeout=10).topics
    every = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]
    return {(at.topic, at.partition): max(at.offset, 0) for at in reader.committed(every, timeout=10)}


def read_by(replica: Replica) -> dict[tuple[str, int], int]:
    """Where a replica stands."""
    return {
        (each["topic"], each["partition"]): each["read_position"] for each in replica.status()["partitions"]
    }
