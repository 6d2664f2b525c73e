"""The log looked through for what is newer than a letter, on a real broker."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaProducer

from audience_sync.commands.dead_letters.looking import Looking
from audience_sync.commands.dead_letters.replaying import translate_by
from audience_sync.core.changes import SetAttribute, UserId
from audience_sync.core.event import Translated
from audience_sync.core.folding import folded
from audience_sync.core.ledger import Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.rules import Rules
from audience_sync.events.dead_letters import DeadLetter
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdminError
from audience_sync.events.log_reading import LogReader, Span
from audience_sync.events.rekeyed import rekeyed_bytes
from audience_sync.events.replay_evidence import Candidate
from audience_sync.events.security import KafkaSecurity
from audience_sync.rules.file import parse_rules
from tests.support.kafka_topics import a_topic, write, write_transactions

pytestmark = pytest.mark.broker


def rules_of(topic: str, *, more: str = "") -> Rules:
    """The topic's events set one attribute."""
    text = f"""
sources: [{{topic: {topic}, format: json, type: x{more}}}]
rules: [{{name: r, event: x, user: "{{u}}", changes: [set_attribute: {{name: a0, value: "{{v}}"}}]}}]
"""
    return parse_rules(text, file="rules.yaml")


def event(user: str, value: str) -> bytes:
    """An event."""
    return json.dumps({"u": user, "v": value}).encode()


def a_reader(broker: str) -> LogReader:
    """It sees what consumers see."""
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity(), timeout_seconds=30.0)
    return LogReader(address, isolation_level="read_committed")


def a_candidate(name: str, *origins: Origin, user: str = "alice") -> Candidate:
    """A letter that sets the attribute to `old`."""
    letter = DeadLetter(id=f"{user}", cause="", info="", user=user, origins=list(origins), given_up_at=1.0)
    return Candidate(letter, 1.0, UserId(user), folded([SetAttribute(name, "old")]))


async def test_newer_events_are_found_and_later_ones_at_the_next_look(broker: str) -> None:
    """What a transaction took back never was an event; a look goes on where the last one ended."""
    topic = a_topic(broker)
    await write(broker, topic, event("alice", "old"), event("bob", "new"))
    candidate = a_candidate("a0", Origin(topic, 0, 0, 0.0))
    rules = rules_of(topic)
    async with a_reader(broker) as reader:
        looking = Looking(reader, rules, translate_by(rules))
        await looking.begin([candidate])
        assert await looking.look() == {PartitionKey(topic, 0): 2}
        assert list(candidate.left.changes()) == [SetAttribute("a0", "old")]

        await write_transactions(
            broker, topic, ([event("alice", "never")], False), ([event("alice", "new")], True)
        )
        below = await looking.look()
        assert list(candidate.newer.changes()) == [SetAttribute("a0", "new")]
        assert below[PartitionKey(topic, 0)] == 6, "past both events and both markers"
        assert await looking.look() == below
    assert looking.too_old == set()


async def test_a_name_that_has_moved_is_looked_for_where_it_stands_now(broker: str) -> None:
    """From the moment of the letter's events on: positions of another topic say nothing."""
    former, present = a_topic(broker), a_topic(broker)
    await write(broker, present, event("alice", "older"))
    await asyncio.sleep(0.05)  # broker time, in whole milliseconds
    await write(broker, former, b"{}")
    rules = rules_of(present)
    async with a_reader(broker) as reader:
        [batch] = [records async for records in reader.read({PartitionKey(former, 0): Span(0, 1)})]
        candidate = a_candidate("a0", Origin(former, 0, 0, batch[0].timestamp / 1000))
        looking = Looking(reader, rules, translate_by(rules))
        await looking.begin([candidate])
        await looking.look()
        assert list(candidate.newer.changes()) == []

        await write(broker, present, event("alice", "new"))
        candidate = a_candidate("a0", Origin(former, 0, 0, batch[0].timestamp / 1000))
        await looking.begin([candidate])
        await looking.look()
    assert list(candidate.newer.changes()) == [SetAttribute("a0", "new")]


async def test_events_of_a_source_that_is_re_keyed_are_looked_for_where_they_are_applied(broker: str) -> None:
    """In the order of the copies, from the moment of the letter's events on, and with the replica of that number."""
    source, rekeyed = a_topic(broker), a_topic(broker, partitions=4)
    rules = rules_of(source, more=", rekey: true")
    newer = Translated(UserId("alice"), (SetAttribute("a0", "new"),), urgent=False, event_seconds=None)
    producer = AIOKafkaProducer(bootstrap_servers=broker)
    await producer.start()
    try:
        copy = rekeyed_bytes(newer, topic=source, partition=0, position=1)
        sent = await producer.send_and_wait(rekeyed, copy, key=b"alice", timestamp_ms=2000)
    finally:
        await producer.stop()
    candidate = a_candidate("a0", Origin(source, 0, 0, 1.0))
    async with a_reader(broker) as reader:
        translate = translate_by(rules, rekeyed_topic=rekeyed)
        looking = Looking(reader, rules, translate, rekeyed_topic=rekeyed)
        await looking.begin([candidate])
        below = await looking.look()
        number = await looking.number_of(candidate)

    assert list(candidate.newer.changes()) == [SetAttribute("a0", "new")]
    assert below == {PartitionKey(rekeyed, sent.partition): 1}
    assert number == sent.partition


async def test_a_user_whose_topic_has_grown_is_followed(broker: str) -> None:
    """His replay goes to the replica that has him now, and what is newer is looked for in both partitions."""
    topic = a_topic(broker, partitions=4)
    producer = AIOKafkaProducer(bootstrap_servers=broker)  # its partitioner is Kafka's own
    await producer.start()
    try:
        sent = {
            user: await producer.send_and_wait(topic, event(user, "new"), key=user.encode()) for user in "ab"
        }
    finally:
        await producer.stop()
    now = sent["a"].partition
    former = (now + 1) % 4
    rules = rules_of(topic)
    candidate = a_candidate("a0", Origin(topic, former, 0, 0.0), user="a")
    async with a_reader(broker) as reader:
        looking = Looking(reader, rules, translate_by(rules))
        await looking.begin([candidate])
        await looking.look()

        assert await looking.number_of(candidate) == now
        assert list(candidate.newer.changes()) == [SetAttribute("a0", "new")]
        assert [look.partition.number for look in candidate.looks] == [former, now]


async def test_where_keys_lie_elsewhere_the_origin_counts(broker: str) -> None:
    """Producers may choose partitions by another rule; then nobody knows where a grown topic has a user."""
    topic = a_topic(broker, partitions=4)
    producer = AIOKafkaProducer(bootstrap_servers=broker)
    await producer.start()
    try:
        for number in range(4):
            await producer.send_and_wait(topic, event("a", "x"), key=b"a", partition=number)
    finally:
        await producer.stop()
    rules = rules_of(topic)
    async with a_reader(broker) as reader:
        looking = Looking(reader, rules, translate_by(rules))
        for number in range(4):
            candidate = a_candidate("a0", Origin(topic, number, 0, 0.0), user="a")
            assert await looking.number_of(candidate) == number


async def test_what_the_log_has_no_longer_is_told(broker: str) -> None:
    """A topic that is gone, too; what is newer may be gone with it."""
    topic = a_topic(broker)
    rules = rules_of(topic)
    gone = a_candidate("a0", Origin("gone", 0, 0, 0.0), user="alice")
    there = a_candidate("a0", Origin(topic, 0, 0, 0.0), user="bob")
    async with a_reader(broker) as reader:
        looking = Looking(reader, rules, translate_by(rules))
        await looking.begin([gone, there])
        await looking.look()

    assert looking.too_old == {"alice"}


async def test_a_long_log_is_read_in_pieces(broker: str) -> None:
    """Memory holds one of them, however long it is."""
    topic = a_topic(broker)
    await write(broker, topic, *(b"%d" % number for number in range(5000)))
    async with a_reader(broker) as reader:
        [partition] = await reader.partitions(topic)
        pieces = [len(records) async for records in reader.read({partition: Span(10, 4990)})]

    assert sum(pieces) == 4980
    assert len(pieces) >= 3


async def test_a_broker_that_is_not_there_is_told() -> None:
    address = KafkaAddress(bootstrap="127.0.0.1:1", security=KafkaSecurity())
    with pytest.raises(KafkaAdminError, match=r"127.0.0.1:1"):
        async with LogReader(address, isolation_level="read_committed"):
            pass
