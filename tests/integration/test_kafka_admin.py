"""The preflight on a real broker: topics that are there, missing, created, uneven, or kept too briefly."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, KafkaAdminError, ask
from audience_sync.events.preflight import KeySample, check_topics, sample_keys, topics_there
from audience_sync.events.security import KafkaSecurity, Protocol
from audience_sync.events.translator import Translator
from audience_sync.rules.file import parse_rules

pytestmark = pytest.mark.broker


@pytest.fixture
def address(broker: str) -> KafkaAddress:
    return KafkaAddress(bootstrap=broker, security=KafkaSecurity(), timeout_seconds=30.0)


def names(count: int) -> list[str]:
    return [f"preflight-{uuid4().hex}" for _ in range(count)]


def create(address: KafkaAddress, topic: str, partitions: int, **configuration: str) -> None:
    def question(kafka: KafkaAdmin) -> None:
        kafka.create(topic, partitions=partitions, replication=1, configuration=configuration)

    ask(address, question)


def test_topics_are_created_where_that_is_allowed_and_found_again(address: KafkaAddress) -> None:
    """Dead letters are kept for ever: the broker's default would delete them after a week."""
    one, other, dead = names(3)

    first = check_topics(address, sources=[one, other], dead_letters=dead, create_partitions=3)
    second = check_topics(address, sources=[one, other], dead_letters=dead)

    assert first.created == (one, other, dead)
    assert first.partitions == second.partitions == {one: 3, other: 3, dead: 1}
    assert (second.created, second.warnings) == ((), ())


def test_a_missing_topic_is_an_error_and_stays_missing(address: KafkaAddress) -> None:
    """To look for a topic by its name may create it, with whatever the broker's defaults are."""
    topic, dead = names(2)

    for _ in range(2):
        with pytest.raises(KafkaAdminError, match=f"has no topic '{topic}', '{dead}'"):
            check_topics(address, sources=[topic], dead_letters=dead)


def test_all_topics_are_found_for_patterns_but_our_own(address: KafkaAddress) -> None:
    """A pattern that matched the dead letters would read them again, for ever."""
    one, other, dead = names(3)
    for topic in (one, other, dead):
        create(address, topic, 1)

    assert topics_there(address, but=[dead]) & {one, other, dead} == {one, other}


def test_two_replicas_may_create_the_same_topic(address: KafkaAddress) -> None:
    [topic] = names(1)

    create(address, topic, 2)
    create(address, topic, 2)

    assert ask(address, lambda kafka: kafka.partitions([topic])) == {topic: 2}


def test_sources_of_different_partition_counts_are_an_error(address: KafkaAddress) -> None:
    one, other, dead = names(3)
    create(address, one, 2)
    create(address, other, 3)
    create(address, dead, 1)

    with pytest.raises(KafkaAdminError, match=rf"\({one}: 2, {other}: 3\).*Give all of them 3 partitions"):
        check_topics(address, sources=[one, other], dead_letters=dead)


def test_dead_letters_that_age_are_a_warning(address: KafkaAddress) -> None:
    topic, dead = names(2)
    create(address, topic, 1)
    create(address, dead, 1, **{"retention.ms": "1000000"})

    [warning] = check_topics(address, sources=[topic], dead_letters=dead).warnings

    assert "retention.ms=1000000" in warning


def test_a_topic_that_the_broker_refuses_is_told(address: KafkaAddress) -> None:
    [dead] = names(1)

    with pytest.raises(KafkaAdminError, match="topic 'no/name' can't be created: InvalidTopicError"):
        check_topics(address, sources=["no/name"], dead_letters=dead, create_partitions=1)


def test_tls_to_a_port_without_it_is_told(broker: str) -> None:
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity(protocol=Protocol.SSL))

    with pytest.raises(KafkaAdminError, match=f"Kafka at {broker}: TLS fails"):
        check_topics(address, sources=["a"], dead_letters="d")


async def test_the_last_keys_of_every_partition_are_compared(address: KafkaAddress) -> None:
    """At most as many records as asked for, the newest ones, and an empty partition holds nothing up."""
    topic, empty = names(2)
    create(address, topic, 3)
    create(address, empty, 2)
    rules = parse_rules(
        f"""
sources: [{{topic: {topic}, format: json, type: x}}, {{topic: {empty}, format: json, type: y}}]
rules: [{{name: one, event: x, user: "{{u}}", changes: [{{add_tag: t}}]}}]
""",
        file="rules.yaml",
    )
    producer = AIOKafkaProducer(bootstrap_servers=address.bootstrap)
    await producer.start()
    try:
        for number in range(40):
            key = b"other" if number >= 20 else b"alice"
            await producer.send(topic, b'{"u": "alice"}', key=key, partition=number % 2)
    finally:
        await producer.stop()

    samples = sample_keys(
        address, topics=[topic, empty], translate=Translator(rules).translate, records_per_topic=30
    )

    assert samples == {topic: KeySample(20, 20, 20), empty: KeySample(0, 0, 0)}
