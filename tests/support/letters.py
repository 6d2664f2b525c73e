"""All dead letters of a test, and whether they are what they should be."""

from collections import Counter
from collections.abc import Collection, Mapping

import msgspec
from confluent_kafka import Consumer, TopicPartition

from audience_sync.events.dead_letters import DeadLetter
from tests.support.product import Truth


def dead_letters(broker: str, topic: str) -> list[DeadLetter]:
    """All that stand in the topic now, each partition's in its order; none if there is no such topic."""
    reader = Consumer({"bootstrap.servers": broker, "group.id": "nobody", "enable.partition.eof": True})
    try:
        metadata = reader.list_topics(topic, timeout=10).topics[topic]
        found: list[DeadLetter] = []
        for number in metadata.partitions:
            first, end = reader.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            if end > first:
                reader.assign([TopicPartition(topic, number, first)])
                found += _until(reader, end)
        return found
    finally:
        reader.close()


def _until(reader: Consumer, end: int) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    while True:
        message = reader.poll(30)
        assert message is not None, "the broker has records, and does not tell them"
        if message.error() is not None:
            return found
        found.append(msgspec.json.decode(message.value() or b"", type=DeadLetter))
        if (message.offset() or 0) + 1 >= end:
            return found


def missing_last_words(letters: Collection[DeadLetter], truth: Mapping[str, Truth]) -> list[str]:
    """What was said last of these users and stands in no letter: `user: name=value` or `user: tag`."""
    kept = {(letter.user, *change) for letter in letters for change in letter.changes}
    attributes = [
        f"{user}: {name}={value}"
        for user, known in truth.items()
        for name, value in known.attributes.items()
        if (user, "SetAttribute", name, value) not in kept
    ]
    tags = [
        f"{user}: {tag}"
        for user, known in truth.items()
        for tag in known.tags
        if (user, "AddTag", tag) not in kept
    ]
    return attributes + tags


def repeats(letters: Collection[DeadLetter]) -> int:
    """How many letters have an id that another one has, too."""
    return sum(count - 1 for count in Counter(letter.id for letter in letters).values())
