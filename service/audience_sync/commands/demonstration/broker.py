"""The embedded Kafka broker: librdkafka's mock cluster, inside this process and on loopback.

A topic comes into being on first use, with four partitions. A partition keeps its last 5 MiB or 100,000
records or so: what is sent in all stays below that.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

ANSWER_SECONDS: Final = 10.0
"""How long a broker in the same process may take to answer: long enough for a machine that is busy."""

MOST_RECORDS: Final = 200_000
"""Over all partitions of a demo, at about 200 bytes each: below what the broker keeps of any of them."""


class NoBrokerError(Exception):
    """The embedded broker can't be had or does not answer; the message tells the way out."""


class EmbeddedBroker:
    """A broker with topics, and a producer to it. Made by `embedded_broker`."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._producer = client.Producer({"test.mock.num.brokers": 1, "log_level": 0})
        [broker] = self._producer.list_topics(timeout=ANSWER_SECONDS).brokers.values()
        self.bootstrap = f"{broker.host}:{broker.port}"
        self._lost: list[str] = []
        self._events = client.Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "linger.ms": 20,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",  # the Java client's: equal keys, equal partition numbers
                "log_level": 0,
            }
        )

    def create(self, topics: Iterable[str]) -> None:
        """Let topics come into being."""
        for topic in topics:
            self._producer.list_topics(topic, timeout=ANSWER_SECONDS)

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Queue a record; waits only if the queue is full."""
        while True:
            try:
                self._events.produce(topic, key=key, value=value, on_delivery=self._delivered)
            except BufferError:
                self._events.poll(0.05)
            else:
                self._events.poll(0)
                return

    def flush(self) -> None:
        """Wait until the broker has all that was sent. Raises NoBrokerError if it does not get it."""
        if left := self._events.flush(ANSWER_SECONDS):
            raise NoBrokerError(f"{left} records did not reach the embedded broker in {ANSWER_SECONDS:.0f} s")
        if self._lost:
            raise NoBrokerError(f"{len(self._lost)} records were not taken, the first: {self._lost[0]}")

    def count(self, topic: str) -> int:
        """Records in a topic, by its partitions' ends."""
        reader = self._client.Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": "demo", "log_level": 0}
        )
        try:
            there = reader.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
            partitions = [self._client.TopicPartition(topic, number) for number in there]
            return sum(reader.get_watermark_offsets(each, timeout=ANSWER_SECONDS)[1] for each in partitions)
        finally:
            reader.close()

    def close(self) -> None:
        """End both; what is queued is dropped."""
        self._events.purge()
        self._events.flush(0)
        self._producer.flush(0)

    def _delivered(self, error: Any, _: Any) -> None:
        if error is not None:
            self._lost.append(str(error))


@contextmanager
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """A broker with nothing in it, for as long as the block. Raises NoBrokerError."""
    try:
        client = import_module("confluent_kafka")
    except ImportError as error:
        raise NoBrokerError(
            "the demo needs an embedded broker, which is in the package confluent-kafka: "
            "pip install 'audience-sync[demo]', or `make demo` in the repository"
        ) from error
    try:
        broker = EmbeddedBroker(client)
    except client.KafkaException as error:
        raise NoBrokerError(f"the embedded broker does not start: {error}") from error
    try:
        yield broker
    except client.KafkaException as error:
        raise NoBrokerError(f"the embedded broker does not answer: {error}") from error
    finally:
        broker.close()
