"""The preflight on a real broker: topics that are there, missing, created, uneven, or kept too briefly."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, KafkaAdminError, ask
from audience_sync.events.preflight import KeySample, check_topics, sample_keys, topics_there
from audience_sync.events.security import KafkaSecurity, Protocol
from audience_sync.events.topics import DEAD_LETTER_TOPIC
from audience_sync.events.translator import Translator
from audience_sync.rules.file import load_rules, parse_rules
from tests.support.kafka_topics import a_topic, write_with_header

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
    create(address, dead, 1, **{"retention.ms": "1000000", "max.message.bytes": "16777216"})

    [warning] = check_topics(address, sources=[topic], dead_letters=dead).warnings

    assert "retention.ms=1000000" in warning


def test_dead_letters_that_may_be_lost_are_refused_where_that_is_asked_for(address: KafkaAddress) -> None:
    topic, dead = names(2)
    create(address, topic, 1)
    create(address, dead, 1, **{"retention.ms": "1000000"})

    with pytest.raises(KafkaAdminError, match=r"retention.ms=1000000.*dead_letters.unsafe_topic"):
        check_topics(address, sources=[topic], dead_letters=dead, refuse_unsafe=True)


def test_the_topic_of_replays_is_created_with_as_many_partitions_as_the_sources(
    address: KafkaAddress,
) -> None:
    """Else one number would not be one owner's; and it is kept for ever, on the brokers' clock."""
    topic, dead, replays = names(3)
    create(address, topic, 5)

    checked = check_topics(address, sources=[topic], dead_letters=dead, replays=replays, create_partitions=2)

    assert checked.partitions == {topic: 5, replays: 5, dead: 1}
    configuration = ask(address, lambda kafka: kafka.configuration(replays))
    assert (configuration["retention.ms"], configuration["message.timestamp.type"]) == ("-1", "LogAppendTime")


def test_a_topic_of_replays_with_another_count_is_a_warning(address: KafkaAddress) -> None:
    """Events are applied all the same: whoever grows his topics must not be stopped by it."""
    topic, dead, replays = names(3)
    for name, partitions in ((topic, 3), (replays, 2), (dead, 1)):
        create(address, name, partitions, **DEAD_LETTER_TOPIC)

    [warning] = check_topics(address, sources=[topic], dead_letters=dead, replays=replays).warnings

    assert f"topic '{replays}' has 2 partitions and the topics of the rules have 3" in warning


async def test_what_a_group_has_committed_can_be_asked(address: KafkaAddress) -> None:
    """What it never committed is left out; a group that nobody knows has committed nothing."""
    [topic] = names(1)
    create(address, topic, 3)
    consumer = AIOKafkaConsumer(bootstrap_servers=address.bootstrap, group_id=topic, enable_auto_commit=False)
    partition = TopicPartition(topic, 1)
    consumer.assign([partition])
    await consumer.start()
    try:
        await consumer.commit({partition: 7})
    finally:
        await consumer.stop()

    assert ask(address, lambda kafka: kafka.committed(topic)) == {(topic, 1): 7}
    assert ask(address, lambda kafka: kafka.committed("nobody")) == {}


def test_a_topic_is_configured_and_its_copies_are_counted(address: KafkaAddress) -> None:
    [topic] = names(1)
    create(address, topic, 2)

    ask(address, lambda kafka: kafka.reconfigure(topic, {"retention.ms": "-1", "min.insync.replicas": "2"}))

    configuration = ask(address, lambda kafka: kafka.configuration(topic))
    assert (configuration["retention.ms"], configuration["min.insync.replicas"]) == ("-1", "2")
    assert ask(address, lambda kafka: kafka.copies(topic)) == 1
    with pytest.raises(KafkaAdminError, match=r"can't be configured.*by hand"):
        ask(address, lambda kafka: kafka.reconfigure(topic, {"retention.ms": "for ever"}))


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


async def test_a_header_whose_name_is_no_text_makes_the_sample_smaller_and_stops_no_start(
    broker: str, address: KafkaAddress
) -> None:
    """The library can't read such a record; the service itself can."""
    topic = a_topic(broker)
    await write_with_header(broker, topic, b"{}", name=b"\xff\xfe\xfd\xfc")

    samples = sample_keys(address, topics=[topic], translate=Translator(load_rules()).translate)

    assert samples[topic].records == 0
