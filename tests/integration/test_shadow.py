"""`audience-sync run --shadow` beside production: it counts what would be sent, and leaves no trace."""

import signal
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, ask
from audience_sync.events.onlooker import Reading, onlooker
from audience_sync.events.security import KafkaSecurity
from tests.support.fleet import APP_ID, EmulatedChat, Fleet, Process, emulated_chat, eventually
from tests.support.load import all_in_step
from tests.support.product import CITY, TOPICS, Feed, Product, rules_for
from tests.support.secrecy import SIGNING_KEY

pytestmark = pytest.mark.broker

EVENTS = 300


async def trace(broker: str, topics: str, chat: EmulatedChat) -> dict[str, Any]:
    """Everything that a program could have changed: positions, dead letters, topics, calls."""
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity(), timeout_seconds=30.0)
    dead = Reading(
        address=address,
        topics=[f"{topics}dead-letters"],
        isolation_level="read_uncommitted",
        client_id="test",
    )
    async with onlooker(dead) as kafka:
        ends = await kafka.ends()
    return {
        "committed": ask(address, lambda kafka: kafka.committed(topics)),
        "topics": {name for name in ask(address, lambda kafka: kafka.topics()) if name.startswith(topics)},
        "dead letters": ends,
        "calls": chat.counters()["calls"],
    }


async def test_a_rehearsal_counts_what_would_be_sent_and_changes_nothing(tmp_path: Path, broker: str) -> None:
    """It has all that production has: key, rights, unread records, unusable ones. The group finds its work undone."""
    topics = f"{uuid4().hex[:8]}-"
    environment = {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.3",
    }
    product, feed = Product(users=100, seed=1, topics=topics), Feed(broker)
    with (
        emulated_chat(tmp_path) as chat,
        Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet,
    ):
        production = fleet.start()
        fleet.wait_until_ready()
        for event in product.events(EVENTS):
            feed.send(*event)
        feed.flush()
        all_in_step(product.truth, chat)
        production.signal(signal.SIGTERM)
        assert production.wait() == 0
        for event in product.events(EVENTS):
            feed.send(*event)
        feed.send(topics + CITY, b"u", b"no JSON")
        feed.flush()
        before = await trace(broker, topics, chat)

        (tmp_path / "key").write_text(SIGNING_KEY)
        shadow = Process(
            *("run", "--shadow", "--from", "group", "--every", "1"),
            log=tmp_path / "shadow.log",
            environment=environment
            | {
                "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": broker,
                "AUDIENCE_SYNC_KAFKA__CREATE_TOPICS": "true",
                "AUDIENCE_SYNC_CHAT__BASE_URL": chat.url,
                "AUDIENCE_SYNC_CHAT__APP_ID": str(APP_ID),
                "AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE": str(tmp_path / "key"),
                "AUDIENCE_SYNC_ADMIN__BIND_HOST": "127.0.0.1",
                "AUDIENCE_SYNC_ADMIN__BIND_PORT": "0",
            },
        )
        try:
            rehearsed = eventually(lambda: _rehearsed(shadow), "all records are rehearsed, and nobody waits")
            scraped = _scraped(shadow)
            shadow.signal(signal.SIGTERM)
            assert shadow.wait() == 0
        finally:
            shadow.end()

        assert sum(line["records"] for line in rehearsed) == EVENTS + 1
        assert sum(line["dead_letters"] for line in rehearsed) == 1
        calls = sum(sum(line["calls"].values()) for line in rehearsed)
        assert 3 <= calls < sum(line["calls_one_by_one"] for line in rehearsed) / 5
        assert f'audience_sync_events_total{{outcome="unusable",topic="{topics}{CITY}"}} 1.0' in scraped
        assert "audience_sync_ready 1.0" in scraped
        assert await trace(broker, topics, chat) == before
        assert len(before["committed"]) >= len(TOPICS)

        fleet.start()
        all_in_step(product.truth, chat)


async def test_a_rehearsal_that_begins_at_the_end_leaves_out_what_was_there(
    tmp_path: Path, broker: str
) -> None:
    """And needs no account."""
    topics = f"{uuid4().hex[:8]}-"
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity(), timeout_seconds=30.0)

    def create(kafka: KafkaAdmin) -> None:
        for topic in TOPICS:
            kafka.create(topics + topic, partitions=1, replication=1, configuration={})

    ask(address, create)
    event, feed = b'{"kind": "city-changed", "user_id": "u", "city": "A"}', Feed(broker)
    feed.send(topics + CITY, b"u", event)
    feed.flush()
    shadow = Process(
        *("run", "--shadow", "--every", "1"),
        log=tmp_path / "shadow.log",
        environment={
            "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": broker,
            "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
            "AUDIENCE_SYNC_ADMIN__BIND_PORT": "0",
        },
    )
    try:
        eventually(lambda: [line for line in shadow.lines() if line["action"] == "rehearsed"], "it rehearses")
        feed.send(topics + CITY, b"u", event)
        feed.flush()
        rehearsed = eventually(
            lambda: [line for line in shadow.lines() if line.get("users_sent")],
            "the new record would be sent",
        )
    finally:
        shadow.end()
    assert [line["calls"] for line in rehearsed] == [{"set_attr": 1}]
    assert sum(line["records"] for line in shadow.lines() if line["action"] == "rehearsed") == 1


def _rehearsed(shadow: Process) -> list[dict[str, Any]] | None:
    """Its lines, once it has read everything and nobody waits."""
    lines = [line for line in shadow.lines() if line["action"] == "rehearsed"]
    done = sum(line["records"] for line in lines) > EVENTS and lines[-1]["waiting_users"] == 0
    return lines if done else None


def _scraped(shadow: Process) -> str:
    [port] = [line["admin_port"] for line in shadow.lines() if line["action"] == "rehearsing"]
    return _text(f"http://127.0.0.1:{port}/metrics")


def _text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
