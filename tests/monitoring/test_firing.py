"""Each alert seen pending, then firing, in a real Prometheus that scrapes the service while its fault is there.

Rules and thresholds are the shipped ones; only their durations are shorter, by the same factor. All faults are
injected at once, each into a stage of its own: topics, an emulator, and a replica.
"""

import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from tests.support.fleet import FAST_TAKEOVER, EmulatedChat, Fleet, Replica, eventually
from tests.support.load import feed, under_load
from tests.support.product import CITY, Product, rules_for
from tests.support.prometheus import ALERTS, Prometheus, faster, running_prometheus, shipped_rules

pytestmark = pytest.mark.broker

TIMES: Final = 30
"""A minute of the shipped rules is two seconds here."""

MOST_SECONDS: Final = 180.0
"""Until each alert must fire. The longest takes 60, and all processes share a machine of two cores."""

SHIPPED: Final = [rule["alert"] for rule in shipped_rules()]

FAULTS: Final[Mapping[str, frozenset[str]]] = {
    "nobody": frozenset({"AudienceSyncGone"}),
    "api-away": frozenset({"AudienceSyncNoProgress", "AudienceSyncPositionHeld", "AudienceSyncLagGrows"}),
    "wrong-key": frozenset({"AudienceSyncStopped", "AudienceSyncNotReady", "AudienceSyncSignatureRefused"}),
    "lower-limit": frozenset({"AudienceSyncRateLimited"}),
    "bad-input": frozenset(
        {
            "AudienceSyncCredentialsOutdated",
            "AudienceSyncDeadLetters",
            "AudienceSyncOrderNotCertain",
            "AudienceSyncRecordsLost",
            "AudienceSyncRulesOutdated",
            "AudienceSyncSchemasWanted",
        }
    ),
    "broker-refuses": frozenset({"AudienceSyncDeadLettersNotWritten", "AudienceSyncRekeyingFails"}),
}
"""{stage: the alerts that its fault must cause}. It may cause others besides."""

WELL: Final = "well"
"""The stage where nothing is wrong."""

MORE_RULES: Final = """
  - {{topic: {topics}profiles, format: avro}}
  - {{topic: {topics}orders, format: json, type: order, rekey: true}}
rules:
  - {{name: profile, event: Profile, topic: "{topics}profiles", user: "{{user}}", changes: [{{add_tag: seen}}]}}
  - {{name: order, event: order, topic: "{topics}orders", user: "{{user}}", changes: [{{add_tag: ordered}}]}}
"""
"""Besides the shipped ones: a source that needs a schema, and one that is re-keyed."""


class Stage:
    """One deployment: topics, a group, an emulator and a replica of its own."""

    def __init__(self, name: str, folder: Path, broker: str) -> None:
        self.name, self.broker = name, broker
        self.topics = f"{uuid4().hex[:8]}-"
        self.product = Product(users=500, seed=1, topics=self.topics)
        folder.mkdir()
        self.signing_key = folder / "signing-key"
        self.rules = rules_for(self.topics, folder)
        more = MORE_RULES.format(topics=self.topics)
        self.rules.write_text(self.rules.read_text().replace("\nrules:\n", more, 1))
        limit = 2 if name == "lower-limit" else 100
        self.chat = EmulatedChat(folder, calls_per_second=limit)
        self.fleet = Fleet(
            folder,
            broker=broker,
            chat=self.chat,
            environment=FAST_TAKEOVER
            | {
                "AUDIENCE_SYNC_KAFKA__GROUP_ID": self.topics,
                "AUDIENCE_SYNC_KAFKA__REKEYED_TOPIC": f"{self.topics}rekeyed",
                "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{self.topics}dead-letters",
                "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5",
                "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": "1",
                "AUDIENCE_SYNC_DEBOUNCE__MAX_WAITING_USERS": "100",
                "AUDIENCE_SYNC_REGISTRY__URL": "http://127.0.0.1:1",  # nobody is there
                "AUDIENCE_SYNC_RULES_FILE": str(self.rules),
                "AUDIENCE_SYNC_RULES_RELOAD_SECONDS": "1",
            },
        )

    @property
    def replica(self) -> Replica:
        """The one that runs."""
        return self.fleet.running[0]

    def address_when_told(self) -> str:
        """Where Prometheus finds it."""
        url = eventually(lambda: self.replica.admin_url, "it tells its address")
        return url.removeprefix("http://")

    def write(self, topic: str, key: bytes, value: bytes, *, seconds_ago: float = 0.0) -> None:
        """Write one record, which came about so long ago."""
        producer = Producer({"bootstrap.servers": self.broker})
        at = int((time.time() - seconds_ago) * 1000)
        producer.produce(self.topics + topic, key=key, value=value, timestamp=at)
        assert producer.flush(30) == 0

    def limit_records(self, topic: str, *, size_bytes: int) -> None:
        """From now on a topic takes no larger records."""
        resource = ConfigResource(
            ConfigResourceType.TOPIC, self.topics + topic, {"max.message.bytes": str(size_bytes)}
        )
        admin = KafkaAdminClient(bootstrap_servers=self.broker)
        try:
            admin.alter_configs([resource])
        finally:
            admin.close()

    def lose_records(self) -> None:
        """Let events happen while nobody reads, and let the topics delete them."""
        self.replica.signal(signal.SIGTERM)
        self.fleet.all[-1].wait()
        feed(self.product, self.broker, 200)
        admin = AdminClient({"bootstrap.servers": self.broker})
        everything = [TopicPartition(self.topics + CITY, number, -1) for number in range(8)]  # -1: to the end
        for done in admin.delete_records(everything).values():
            done.result(30)
        self.fleet.start()

    def end(self) -> None:
        """Nothing of it is left."""
        for replica in self.fleet.all:
            replica.end()
        self.chat.end()


def break_api_away(stage: Stage) -> None:
    stage.chat.end()
    stage.write(
        CITY, b"old", b'{"kind": "city-changed", "user_id": "old", "city": "Shenzhen"}', seconds_ago=1000
    )


def break_wrong_key(stage: Stage) -> None:
    stage.chat.set_faults({"fail_next": [{"kind": "code:70009", "for_seconds": 600}]})


def break_lower_limit(stage: Stage) -> None:
    """Its emulator allows two calls a second from the beginning."""


def break_bad_input(stage: Stage) -> None:
    stage.write(CITY, b"alice", b"no JSON")
    stage.write(CITY, b"not-bob", b'{"kind": "city-changed", "user_id": "bob", "city": "Shenzhen"}')
    stage.write("profiles", b"alice", bytes([0, 0, 0, 0, 7]) + b"as schema 7 says")
    stage.rules.write_text("rules: none")
    stage.signing_key.write_text("")


def break_broker_refuses(stage: Stage) -> None:
    for topic in ("dead-letters", "rekeyed"):
        stage.limit_records(topic, size_bytes=20)
    stage.write(CITY, b"alice", b"no JSON")
    stage.write("orders", b"1", b'{"user": "alice"}')


BREAK: Final = {
    "api-away": break_api_away,
    "wrong-key": break_wrong_key,
    "lower-limit": break_lower_limit,
    "bad-input": break_bad_input,
    "broker-refuses": break_broker_refuses,
}


class Seen:
    """{(alert, stage): its states in the order in which they were seen}, looked at twice a second."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._over = threading.Event()
        self.states: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            for alert in self._prometheus.alerts():
                labels = alert["labels"]
                states = self.states[labels["alertname"], labels.get("job", "nobody")]
                if alert["state"] not in states:
                    states.append(alert["state"])

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._looking.join(30)


@pytest.fixture(scope="module")
def seen(prometheus: str, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """What a Prometheus sees while all faults are there, and where nothing is wrong."""
    folder = tmp_path_factory.mktemp("alerts")
    rules = folder / "alerts.yaml"
    rules.write_text(faster(ALERTS.read_text(), times=TIMES))
    with ExitStack() as ends:
        server = ends.enter_context(running_prometheus(prometheus, folder, rules=[rules]))
        looked = Seen(server)
        ends.callback(looked.stop)
        stages = {}
        for name in (*BREAK, WELL):
            stages[name] = stage = Stage(name, folder / name, broker)
            ends.callback(stage.end)
            stage.fleet.start()
        for stage in stages.values():
            stage.fleet.wait_until_ready(120)
            feed(stage.product, broker, 300)
        fired(looked, "AudienceSyncGone", "nobody")  # nobody was scraped so far
        stages["bad-input"].lose_records()
        server.scrape({name: stage.address_when_told() for name, stage in stages.items()})
        for name in ("lower-limit", WELL):
            ends.enter_context(under_load(stages[name].product, broker, events_a_second=250))
        eventually(lambda: stages["bad-input"].replica.ready(), "it reads on after the loss", 60)
        time.sleep(4)  # scraped while all was well
        for name, break_it in BREAK.items():
            break_it(stages[name])
            if name != "api-away":
                feed(stages[name].product, broker, 50)
        away = stages["api-away"]
        eventually(lambda: away.replica.status()["waiting_users"], "the old event is read")
        ends.enter_context(under_load(away.product, broker, events_a_second=250))
        yield looked


def fired(seen: Seen, alert: str, stage: str) -> None:
    """Wait until it is seen firing, and see that it was pending before."""
    eventually(
        lambda: "firing" in seen.states[alert, stage],
        f"{alert} fires for {stage}; seen so far: {dict(seen.states)}",
        MOST_SECONDS,
        pause_seconds=0.5,
    )
    assert seen.states[alert, stage] == ["pending", "firing"]


@pytest.mark.parametrize("alert", SHIPPED)
def test_each_alert_is_pending_and_then_fires_when_its_fault_is_there(seen: Seen, alert: str) -> None:
    """Seven deployments ran beside each other, scraped by one Prometheus.

    Each but one was given its fault.
    The fault's alerts were pending first, and then fired.
    """
    [stage] = [name for name, alerts in FAULTS.items() if alert in alerts]
    fired(seen, alert, stage)


def test_no_alert_fires_where_nothing_is_wrong(seen: Seen) -> None:
    """The last one worked under load all the while.

    All others had their alerts.
    Of it there was none.
    """
    assert {
        alert for (alert, stage), states in seen.states.items() if stage == WELL and "firing" in states
    } == set()
    assert {alert for alert, _ in seen.states} >= set(SHIPPED)
