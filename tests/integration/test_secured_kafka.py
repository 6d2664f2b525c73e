"""A broker that asks for TLS and SCRAM, and grants no right that operations.md does not name."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Producer
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    NewTopic,
    ResourcePattern,
    ResourceType,
)

from tests.support.broker import needed
from tests.support.certificates import Authority, authority, written
from tests.support.fleet import FAST_TAKEOVER, EmulatedChat, Fleet, Replica, emulated_chat, eventually
from tests.support.load import all_in_step, feed
from tests.support.local_kafka import LocalKafka, local_kafka
from tests.support.product import TOPICS, Product, rules_for
from tests.support.secrecy import KEYS
from tests.support.start_messages import explanations_of

pytestmark = pytest.mark.broker

USER: Final = "audience-sync"
PASSWORD: Final = "a-password-of-tests"  # it opens nothing but this broker
KEYS.add(PASSWORD)

GRANTED: Final = (
    *((ResourceType.TOPIC, topic, each) for topic in TOPICS for each in ("READ", "DESCRIBE")),
    (ResourceType.GROUP, "audience-sync", "READ"),
    (ResourceType.TOPIC, "audience-sync-dead-letters-replay", "READ"),
    (ResourceType.TOPIC, "audience-sync-dead-letters-replay", "DESCRIBE"),
    (ResourceType.TOPIC, "audience-sync-dead-letters", "WRITE"),
    (ResourceType.TOPIC, "audience-sync-dead-letters", "DESCRIBE"),
    (ResourceType.TOPIC, "audience-sync-dead-letters", "DESCRIBE_CONFIGS"),
)
"""What docs/operations.md says that the service needs, for the shipped rules."""


@pytest.fixture(scope="module")
def trusted() -> Authority:
    """Who has signed the broker's certificate."""
    return authority("tests")


@pytest.fixture(scope="module")
def kafka(trusted: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A broker with the topics; whoever comes by TLS and SCRAM has the rights above, and no others."""
    folder = tmp_path_factory.mktemp("certificates")
    key = written(trusted.server(), folder / "broker.pem")

    def secured(port: int) -> Mapping[str, str]:
        listener = "listener.name.secured"
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            "listeners": f"SECURED://127.0.0.1:{port}",
            "advertised.listeners": f"SECURED://127.0.0.1:{port}",
            "listener.security.protocol.map": "SECURED:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(key),
            f"{listener}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            f"{listener}.scram-sha-512.sasl.jaas.config": login,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    with (
        needed("a broker of its own"),
        local_kafka(silent_seconds=30.0, more=secured, users={USER: PASSWORD}) as running,
    ):
        admin = KafkaAdminClient(bootstrap_servers=running.bootstrap)
        try:
            read = (*TOPICS, "audience-sync-dead-letters-replay")
            forever = NewTopic("audience-sync-dead-letters", 1, 1, topic_configs={"retention.ms": "-1"})
            admin.create_topics([forever, *(NewTopic(topic, 4, 1) for topic in read)])
            assert not admin.create_acls([right(*each) for each in GRANTED])["failed"]
        finally:
            admin.close()
        yield running


def right(kind: ResourceType, name: str, operation: str) -> ACL:
    """One right of the user."""
    allowed, pattern = ACLPermissionType.ALLOW, ResourcePattern(kind, name)
    return ACL(f"User:{USER}", "*", ACLOperation[operation], allowed, pattern)


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator."""
    with emulated_chat(tmp_path) as emulator:
        yield emulator


@pytest.fixture
def given(trusted: Authority, tmp_path: Path) -> dict[str, str]:
    """What the service is told of the connection."""
    return FAST_TAKEOVER | {
        "AUDIENCE_SYNC_KAFKA__CREATE_TOPICS": "false",
        "AUDIENCE_SYNC_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "AUDIENCE_SYNC_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
        "AUDIENCE_SYNC_KAFKA__SASL_USERNAME": USER,
        "AUDIENCE_SYNC_KAFKA__SASL_PASSWORD_FILE": str(written(PASSWORD, tmp_path / "password")),
        "AUDIENCE_SYNC_KAFKA__SSL_CA_FILE": str(written(trusted.pem(), tmp_path / "ca.pem")),
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5",
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for("", tmp_path)),
    }


def test_with_the_documented_rights_everything_is_in_step(
    kafka: LocalKafka, chat: EmulatedChat, given: dict[str, str], tmp_path: Path
) -> None:
    """The broker asks for TLS and SCRAM, and grants what the page names.

    Events came, one of them unreadable.
    Every user was in step, and the dead letter was written.
    """
    product = Product(users=50, seed=1)
    with Fleet(tmp_path, broker=kafka.secure_bootstrap, chat=chat, environment=given) as fleet:
        replica = fleet.start()
        fleet.wait_until_ready()
        feed(product, kafka.bootstrap, 300)
        spoilt(kafka)
        all_in_step(product.truth, chat, seconds=60)
        eventually(lambda: replica.metric("audience_sync_dead_letters_total") == 1, "the letter is written")
        assert replica.metric("audience_sync_commit_failures_total") == 0
        complaints = {line["action"] for line in replica.lines() if line["level"] in ("error", "warning")}
        assert complaints <= {"dead_letter", "preflight"}


def spoilt(kafka: LocalKafka) -> None:
    """An event that nobody can read."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(TOPICS[0], key=b"alice", value=b"no JSON")
    assert producer.flush(30) == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SASL_PASSWORD_FILE": "other"}, ("password",)),
        ({"SASL_MECHANISM": "SCRAM-SHA-256"}, ("does not take SCRAM-SHA-256, but SCRAM-SHA-512",)),
        ({"SSL_CA_FILE": "stranger"}, ("certificate",)),
        ({"SECURITY_PROTOCOL": "PLAINTEXT", "SASL": ""}, ("security_protocol",)),
    ],
    ids=["password", "mechanism", "authority", "no-tls"],
)
def test_a_connection_that_is_refused_ends_the_start_with_the_reason(
    wrong: dict[str, str],
    said: tuple[str, ...],
    kafka: LocalKafka,
    chat: EmulatedChat,
    given: dict[str, str],
    tmp_path: Path,
) -> None:
    """One thing was wrong about it.

    The service ended with exit code 3, was never ready, and named what to look at; no secret was in it.
    """
    changed = dict(given)
    for name, value in wrong.items():
        match name:
            case "SASL_PASSWORD_FILE":
                changed[f"AUDIENCE_SYNC_KAFKA__{name}"] = str(written(value, tmp_path / "wrong"))
            case "SSL_CA_FILE":
                stranger = authority("somebody else").pem()
                changed[f"AUDIENCE_SYNC_KAFKA__{name}"] = str(written(stranger, tmp_path / "wrong"))
            case "SASL":
                changed = {
                    key: each for key, each in changed.items() if "SASL_" not in key and "SSL_" not in key
                }
            case _:
                changed[f"AUDIENCE_SYNC_KAFKA__{name}"] = value
    replica = Replica(
        "wrong", tmp_path, broker=kafka.secure_bootstrap, chat_url=chat.url, environment=changed
    )
    try:
        assert replica.wait(90) == 3
    finally:
        replica.end()
    text = replica.text()
    assert kafka.secure_bootstrap in text
    assert "Traceback" not in text
    assert explanations_of(text, 3), "operations.md explains it"
    for word in said:
        assert word.lower() in text.lower(), text[-1500:]
