"""Topics of a test's own, and records in them."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.util import calc_crc32c

from audience_sync.events.kafka_admin import KafkaAddress, ask
from audience_sync.events.security import KafkaSecurity

T = TypeVar("T")


def a_topic(broker: str, *, partitions: int = 1) -> str:
    """The name of a new topic."""
    topic = f"test-{uuid4().hex}"
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity(), timeout_seconds=30.0)
    ask(address, lambda kafka: kafka.create(topic, partitions=partitions, replication=1, configuration={}))
    return topic


async def write(
    broker: str, topic: str, *values: bytes, headers: Sequence[tuple[str, Any]] = (), **options: Any
) -> None:
    """Write records to partition 0, acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, **options)
    await producer.start()
    try:
        for value in values:
            await producer.send(topic, value, partition=0, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()


async def write_with_header(broker: str, topic: str, value: bytes, *, name: bytes) -> None:
    """Write a record to partition 0 with a header of any name of four bytes, as clients in C can."""
    producer = AIOKafkaProducer(bootstrap_servers=broker)
    await producer.start()
    try:
        batch = producer.create_batch()
        batch.append(key=None, value=value, timestamp=None, headers=[("zzzz", b"v")])
        batch.close()
        data = bytearray(batch._build())
        at = data.find(b"zzzz")
        data[at : at + 4] = name
        struct.pack_into(
            ">I", data, 17, calc_crc32c(memoryview(data)[21:])
        )  # where the format has its checksum
        batch._buffer = data
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


async def write_transactions(broker: str, topic: str, *transactions: tuple[Sequence[bytes], bool]) -> None:
    """Write each transaction's records to partition 0, and commit or abort it. Until consumers see its end."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, transactional_id=f"test-{uuid4().hex}")
    await producer.start()
    try:
        for values, committed in transactions:
            await producer.begin_transaction()
            for value in values:
                await producer.send_and_wait(topic, value, partition=0)
            if committed:
                await producer.commit_transaction()
            else:
                await producer.abort_transaction()
    finally:
        await producer.stop()
    await _ends_are_written(broker, TopicPartition(topic, 0))


async def _ends_are_written(broker: str, partition: TopicPartition) -> None:
    """A broker confirms the end of a transaction before its marker stands in the log."""
    async with (
        AIOKafkaConsumer(bootstrap_servers=broker, isolation_level="read_committed") as settled,
        AIOKafkaConsumer(bootstrap_servers=broker) as all_there_is,
    ):
        for _ in range(1500):
            if await settled.end_offsets([partition]) == await all_there_is.end_offsets([partition]):
                return
            await asyncio.sleep(0.02)
    raise AssertionError(f"{partition}: the ends of transactions are not written after half a minute")


async def eventually(condition: Callable[[], T | None], what: str, *, seconds: float = 30.0) -> T:
    """The condition's first value that is not None or false; bounded."""
    for _ in range(int(seconds / 0.02)):
        if value := condition():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError(f"it did not come about that {what}")
