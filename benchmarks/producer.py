"""Events at a steady rate, from a process of its own: `python -m benchmarks.producer STREAM`, a `Stream` as JSON.

Each event has a moment at which it is due, and carries that moment, however late the producer is: who waits because
the machine is busy is not left out of the figures. What attribute values carry behind `~` is this moment, in
microseconds. The same stream is the same events wherever it is made, so whoever starts a producer knows them too.
"""

import random
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from confluent_kafka import Producer

from benchmarks.workloads import Events, Known, Record, Workload, users_of

TICK_SECONDS: Final = 0.005


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A workload's events, so many a second from a moment on (unix seconds)."""

    broker: str
    topics: dict[str, str]
    """{kind of event: its topic}."""

    workload: Workload
    events_per_second: float
    begins_at: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.workload.events / self.events_per_second


class Produced(msgspec.Struct, frozen=True):
    """How it went: by how much the latest event was late, and when the last one was acknowledged (unix seconds)."""

    late_seconds: float
    ended_at: float


class Due(NamedTuple):
    """An event, and the moment at which it happens (unix seconds)."""

    at: float
    record: Record


def events_of(stream: Stream) -> tuple[list[Due], Mapping[str, Known]]:
    """The events in order, and the truth that they add up to."""
    workload, truth = stream.workload, dict[str, Known]()
    moments = [stream.begins_at + index / stream.events_per_second for index in range(workload.events)]
    micros: Iterator[int] = iter(())
    events = Events(
        random.Random(workload.seed),
        truth,
        event_bytes=workload.event_bytes,
        version=lambda: next(micros),
    )
    kinds = random.Random(workload.seed + 1).choices(workload.kinds, k=workload.events)
    made = []
    for at, kind, user in zip(moments, kinds, users_of(workload), strict=False):
        micros = iter((round(at * 1e6),))
        made.append(Due(at, events.next(kind, user)))
    return made, truth


def produce(stream: Stream) -> Produced:
    """Write each event when it is due. Raises RuntimeError if the first is due before all are made."""
    producer = Producer(
        {
            "bootstrap.servers": stream.broker,
            "linger.ms": 2,
            "partitioner": "murmur2_random",
            "acks": "all",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for topic in stream.topics.values():
        producer.list_topics(topic, timeout=10)  # connected, and it knows the leaders
    events, _ = events_of(stream)
    if time.time() > stream.begins_at:
        raise RuntimeError("the stream was to begin before its events were made; let it begin later")
    late = 0.0
    for at, (kind, key, value) in events:
        while (now := time.time()) < at:
            producer.poll(min(TICK_SECONDS, at - now))
        late = max(late, now - at)
        producer.produce(stream.topics[kind], value, key, timestamp=int(at * 1000))
    if left := producer.flush(60):
        raise RuntimeError(f"{left} events were not taken by the broker within a minute")
    return Produced(late, time.time())


def main() -> None:
    """Produce, and print how it went."""
    print(msgspec.json.encode(produce(msgspec.json.decode(sys.argv[1], type=Stream))).decode(), flush=True)


if __name__ == "__main__":
    main()
