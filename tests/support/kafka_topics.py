"""Topics of a test's own, and records in them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

from aiokafka import AIOKafkaProducer

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


async def write_transactions(broker: str, topic: str, *transactions: tuple[Sequence[bytes], bool]) -> None:
    """Write each transaction's records to partition 0, and commit or abort it."""
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


async def eventually(condition: Callable[[], T | None], what: str, *, seconds: float = 30.0) -> T:
    """The condition's first value that is not None or false; bounded."""
    for _ in range(int(seconds / 0.02)):
        if value := condition():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError(f"it did not come about that {what}")
