"""What reading and decoding alone costs: FastStream's batch subscriber, msgspec's typed decoders, and a count.

No service that is built on FastStream can be faster, whatever it does with an event. It sends nothing.

    python -m benchmarks.contestants.ceiling BROKER GROUP COMMIT-MILLISECONDS MEMBERSHIP-TOPIC CITY-TOPIC STOCKS-TOPIC
"""

import asyncio
import logging
import signal
import sys
from typing import Any, Final

import msgspec
import uvloop
from aiokafka import ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from audience_sync.events.stream import BATCH_TIMEOUT_MILLISECONDS
from audience_sync.settings import KafkaSettings
from benchmarks.contestants.contestant import Command, Task
from benchmarks.workloads import CITY, KINDS, MEMBERSHIP, STOCKS

COMMIT_MILLISECONDS: Final = int(KafkaSettings().commit_interval_seconds * 1000)


class Tier(msgspec.Struct, gc=False):
    """A new tier."""

    user_id: str
    tier: str


class Symbol(msgspec.Struct, gc=False):
    """A stock."""

    user_id: str
    symbol: str


class MembershipChanged(msgspec.Struct, gc=False):
    """A whole event."""

    type: str
    time: str
    data: Tier


class StockFollowed(msgspec.Struct, gc=False):
    """A whole event, of unfollowing too."""

    type: str
    time: str
    data: Symbol


class CityChanged(msgspec.Struct, gc=False):
    """A whole event."""

    kind: str
    user_id: str
    city: str


class Ceiling:
    """The same options of aiokafka and the same batches as ours; it commits by itself, on a timer."""

    name = "ceiling"
    configuration = (
        "FastStream's batch subscriber alone, with our options of aiokafka and our batch size: decodes each event "
        "into a typed struct, counts it, and commits on aiokafka's timer. It folds nothing and sends nothing."
    )
    commits_what_is_confirmed = True

    def command(self, task: Task) -> Command:
        """How to start it."""
        commit = task.settings.get("AUDIENCE_SYNC_KAFKA__COMMIT_INTERVAL_SECONDS")
        milliseconds = COMMIT_MILLISECONDS if commit is None else int(float(commit) * 1000)
        topics = [task.topics[kind] for kind in KINDS]
        program = [sys.executable, "-m", "benchmarks.contestants.ceiling"]
        return Command(argv=[*program, task.broker, task.group, str(milliseconds), *topics])


async def run(broker_address: str, group: str, commit_milliseconds: int, topics: dict[str, str]) -> int:
    """Read until SIGTERM; returns how many events there were."""
    kafka = KafkaSettings()
    broker = KafkaBroker(broker_address, apply_types=False, logger=logging.getLogger("ceiling"))
    decoders: dict[str, msgspec.json.Decoder[Any]] = {
        topics[MEMBERSHIP]: msgspec.json.Decoder(MembershipChanged),
        topics[CITY]: msgspec.json.Decoder(CityChanged),
        topics[STOCKS]: msgspec.json.Decoder(StockFollowed),
    }
    count = 0

    async def untouched(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
        return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)

    async def undecoded(message: KafkaMessage) -> Any:
        return message.raw_message

    async def take(records: Any) -> None:
        nonlocal count
        for record in records:
            decoders[record.topic].decode(record.value)
            count += 1
        await asyncio.sleep(0)

    broker.subscriber(
        *topics.values(),
        batch=True,
        group_id=group,
        ack_policy=AckPolicy.ACK_FIRST,
        auto_commit_interval_ms=commit_milliseconds,
        auto_offset_reset="earliest",
        isolation_level=kafka.isolation_level,
        partition_assignment_strategy=[RangePartitionAssignor],
        session_timeout_ms=int(kafka.session_timeout_seconds * 1000),
        heartbeat_interval_ms=int(kafka.heartbeat_seconds * 1000),
        rebalance_timeout_ms=int(kafka.rebalance_timeout_seconds * 1000),
        batch_timeout_ms=BATCH_TIMEOUT_MILLISECONDS,
        max_records=kafka.max_batch_records,
        parser=untouched,
        decoder=undecoded,
    )(take)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await broker.start()
    await stopped.wait()
    await broker.stop()
    return count


def main() -> None:
    """Run it."""
    broker, group, milliseconds, *topics = sys.argv[1:]
    print(
        uvloop.run(run(broker, group, int(milliseconds), dict(zip(KINDS, topics, strict=True)))), flush=True
    )


if __name__ == "__main__":
    main()
