"""What a topic holds, as readers see it who wait for transactions to be committed."""

from confluent_kafka import Consumer, Message, TopicPartition

from tests.support.fleet import eventually


def committed_records(broker: str, topic: str) -> list[Message]:
    """Every record of a topic that a transaction has made visible, each partition's in its order."""
    reader = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "nobody",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        numbers = reader.list_topics(topic, timeout=10).topics[topic].partitions
        reader.assign([TopicPartition(topic, number, 0) for number in numbers])
        records: list[Message] = []
        ended: set[int | None] = set()

        def all_ended() -> bool:
            message = reader.poll(1.0)
            if message is not None and message.error() is not None:
                ended.add(message.partition())
            elif message is not None:
                records.append(message)
            return len(ended) == len(numbers)

        eventually(all_ended, f"{topic} is read to its end", 120, pause_seconds=0)
        return sorted(records, key=lambda each: (each.partition() or 0, each.offset() or 0))
    finally:
        reader.close()
