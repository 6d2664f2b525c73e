"""What Kafka is asked before anything is read: what is decided of the answers, and how a silent broker ends."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Producer
from kafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from pydantic import SecretStr

from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, KafkaAdminError, ask
from audience_sync.events.preflight import KeySample, check_topics, sample_keys
from audience_sync.events.reachability import host_and_port
from audience_sync.events.security import KafkaSecurity, Mechanism, Protocol
from audience_sync.events.topics import missing, small_dead_letters, uneven, unsafe_dead_letters
from audience_sync.events.translator import Translator
from audience_sync.rules.file import load_rules, parse_rules

PLAINTEXT = KafkaSecurity()
SASL = KafkaSecurity(
    protocol=Protocol.SASL_PLAINTEXT,
    mechanism=Mechanism.PLAIN,
    username="service",
    password=SecretStr("planted-password"),
)


def told(bootstrap: str, security: KafkaSecurity = PLAINTEXT) -> str:
    """What a person is told who starts the service with this address."""
    address = KafkaAddress(bootstrap=bootstrap, security=security, timeout_seconds=0.5)
    with pytest.raises(KafkaAdminError) as caught:
        check_topics(address, sources=["a"], dead_letters="d")
    assert caught.value.__cause__ is None, "a traceback of the library says nothing to an operator"
    return str(caught.value)


@contextmanager
def listener(*, closes: bool) -> Iterator[str]:
    """Address of a port that takes connections, and either closes them or says nothing."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(100):
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                if closes:
                    connection.close()
                else:
                    taken.append(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
    for connection in taken:
        connection.close()


@pytest.fixture
def mock_cluster() -> Iterator[tuple[Producer, str]]:
    """An embedded broker that speaks metadata, but no admin calls, and a producer to it."""
    producer = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    brokers = producer.list_topics(timeout=10).brokers.values()
    yield producer, ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    producer.flush(10)


def test_missing_topics_are_named_once_in_order() -> None:
    assert missing(["c", "a", "b", "c"], {"a": 1}) == ("c", "b")


def test_equal_counts_are_fine_and_the_dead_letters_do_not_count() -> None:
    assert uneven(["a", "b"], {"a": 4, "b": 4, "dead": 1}) is None


def test_unequal_counts_say_what_would_break_and_what_to_do() -> None:
    """One user's events would lie in partitions that two replicas own."""
    why = uneven(["a", "b"], {"a": 4, "b": 6})

    assert why is not None
    assert "(a: 4, b: 6)" in why
    assert "Give all of them 6 partitions" in why


KEPT: Final[dict[str, str | None]] = {"retention.ms": "-1", "min.insync.replicas": "2"}


@pytest.mark.parametrize(
    ("configuration", "copies", "told"),
    [
        (KEPT | {"cleanup.policy": "delete", "retention.bytes": "-1"}, 3, []),
        (KEPT, 3, []),
        (KEPT | {"retention.ms": "604800000"}, 3, ["retention.ms=604800000"]),
        ({}, 1, ["retention.ms=None"]),
        (KEPT | {"retention.bytes": "1000"}, 3, ["retention.bytes=1000"]),
        (KEPT | {"cleanup.policy": "compact"}, 3, ["compacted"]),
        (KEPT | {"min.insync.replicas": "1"}, 3, ["min.insync.replicas=1 of its 3 replicas"]),
        (KEPT | {"min.insync.replicas": None}, 2, ["min.insync.replicas=1 of its 2 replicas"]),
        (KEPT | {"min.insync.replicas": "1"}, 1, []),
        (
            {"retention.ms": "1", "cleanup.policy": "compact,delete"},
            3,
            ["retention.ms=1", "compacted", "of its 3"],
        ),
    ],
)
def test_each_way_to_lose_a_dead_letter_is_told(
    configuration: dict[str, str | None], copies: int, told: list[str]
) -> None:
    """A broker's default of seven days, or of one replica, is a loss that nobody notices."""
    found = unsafe_dead_letters("dead", configuration, copies=copies)

    assert len(found) == len(told)
    assert all(part in reason for part, reason in zip(told, found, strict=True))


@pytest.mark.parametrize(
    ("most_bytes", "told"), [(None, None), ("16777216", None), ("1048588", "max.message.bytes=1048588")]
)
def test_a_topic_that_takes_no_large_dead_letter_is_told(most_bytes: str | None, told: str | None) -> None:
    """A record of Kafka's largest size does not fit its own default once it is in base64."""
    found = small_dead_letters("dead", {"max.message.bytes": most_bytes})

    assert (found is None) if told is None else (found is not None and told in found)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("kafka:9093", ("kafka", 9093)),
        ("kafka", ("kafka", 9092)),
        ("[::1]:9093", ("::1", 9093)),
        ("[::1]", ("::1", 9092)),
    ],
)
def test_an_address_has_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert host_and_port(address) == parts


@pytest.mark.parametrize("address", ["", ":9092", "kafka:", "kafka:x", "kafka:0", "kafka:70000", "kafka:²"])
def test_a_malformed_address_is_told(address: str) -> None:
    assert "must be host:port" in told(address)


def test_a_port_where_nobody_listens_is_told_with_the_setting() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        message = told(f"127.0.0.1:{bound.getsockname()[1]}")

    assert "Connection refused; correct bootstrap_servers" in message


def test_a_broker_that_says_nothing_ends_in_time() -> None:
    """A frozen broker, or a port that wants TLS: the library alone would wait without end."""
    with listener(closes=False) as address:
        message = told(address)

    assert message.startswith(f"Kafka at {address} ")
    assert "security_protocol" in message


def test_a_port_that_closes_at_once_is_not_taken_for_a_missing_topic() -> None:
    with listener(closes=True) as address:
        message = told(address)

    assert "PLAINTEXT (security_protocol)" in message


def test_a_port_without_tls_is_told_as_that() -> None:
    with listener(closes=True) as address:
        message = told(address, KafkaSecurity(protocol=Protocol.SSL))

    assert "see whether that port speaks TLS" in message


def test_a_certificate_file_that_is_none_is_told_with_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")

    message = told("127.0.0.1:1", KafkaSecurity(protocol=Protocol.SSL, ca_file=file))

    assert f"ssl_ca_file {file} is no list of certificates" in message


def test_a_refused_login_names_the_settings_and_keeps_the_password(caplog: pytest.LogCaptureFixture) -> None:
    """The library writes its settings to its log at DEBUG, the password among them."""
    caplog.set_level(logging.DEBUG)
    for name in ("kafka", "kafka.consumer.group", "kafka.admin.client", "kafka.conn"):
        caplog.set_level(logging.DEBUG, logger=name)

    with listener(closes=True) as address:
        message = told(address, SASL)

    assert "sasl_mechanism" in message
    assert "planted-password" not in message
    assert "planted-password" not in caplog.text


def test_the_library_says_nothing_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """One clear message, and not one line a try to connect."""
    with listener(closes=True) as address:
        told(address)

    assert caplog.records == []


def test_a_topic_that_is_not_there_is_told_by_an_embedded_broker_too(
    mock_cluster: tuple[Producer, str],
) -> None:
    _, bootstrap = mock_cluster
    address = KafkaAddress(bootstrap=bootstrap, security=PLAINTEXT)

    with pytest.raises(KafkaAdminError, match=r"has no topic 'a', 'd'.*create_topics"):
        check_topics(address, sources=["a"], dead_letters="d")


def test_what_an_embedded_broker_cannot_be_asked_is_a_warning(mock_cluster: tuple[Producer, str]) -> None:
    """Not to be asked is not to be missing: such topics come into being when they are first written to."""
    producer, bootstrap = mock_cluster
    address = KafkaAddress(bootstrap=bootstrap, security=PLAINTEXT)

    before = check_topics(address, sources=["a"], dead_letters="d", create_partitions=4)
    for topic in ("a", "d"):
        producer.produce(topic, b"{}", key=b"alice")
    producer.flush(10)
    after = check_topics(address, sources=["a"], dead_letters="d", create_partitions=4)

    assert before.partitions == {}
    assert [warning.split(" topic ")[1] for warning in before.warnings] == ["'a'", "'d'"]
    assert after.partitions == {"a": 4, "d": 4}
    assert len(after.warnings) == 1
    assert "does not tell how long 'd' keeps dead letters" in after.warnings[0]


def test_keys_that_are_not_the_user_are_counted(mock_cluster: tuple[Producer, str]) -> None:
    """Events keyed by something else lie in partitions of several replicas, and lose their order."""
    producer, bootstrap = mock_cluster
    address = KafkaAddress(bootstrap=bootstrap, security=PLAINTEXT)
    city = b'{"kind": "city-changed", "user_id": "alice", "city": "x"}'
    for key, value in [(b"alice", city), (b"order-7", city), (None, city), (b"alice", b"unreadable")]:
        producer.produce("city-changed", value, key=key)
    producer.flush(10)

    samples = sample_keys(address, topics=["city-changed"], translate=Translator(load_rules()).translate)

    assert samples == {"city-changed": KeySample(records=4, with_changes=3, with_other_key=2)}


def test_a_key_can_be_only_one_of_several_users(mock_cluster: tuple[Producer, str]) -> None:
    """An event of two users is counted once, and told if its key is not all of them."""
    producer, bootstrap = mock_cluster
    rules = parse_rules(
        "sources: [{topic: teams, format: json, type: team}]\n"
        "rules: [{name: one, event: team, for_each: who, user: '{item}', changes: [add_tag: t]}]",
        file="rules.yaml",
    )
    for value in (b'{"who": ["alice"]}', b'{"who": ["alice", "bob"]}'):
        producer.produce("teams", value, key=b"alice")
    producer.flush(10)

    address = KafkaAddress(bootstrap=bootstrap, security=PLAINTEXT)
    samples = sample_keys(address, topics=["teams"], translate=Translator(rules).translate)

    assert samples == {"teams": KeySample(records=2, with_changes=2, with_other_key=1)}


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (TopicAuthorizationFailedError, "grant Read and Describe"),
        (GroupAuthorizationFailedError, "grant Read on it"),
    ],
)
def test_a_right_that_is_missing_is_told_as_that(
    mock_cluster: tuple[Producer, str], error: type[Exception], way_out: str
) -> None:
    """The library's own names are for programmers."""
    address = KafkaAddress(bootstrap=mock_cluster[1], security=PLAINTEXT)

    def refused(_: KafkaAdmin) -> None:
        raise error

    with pytest.raises(KafkaAdminError, match=f"this user may not .*{way_out}"):
        ask(address, refused)
