"""What who has an SDK writes: a consumer, and a call of the Chat API for each event.

python -m benchmarks.contestants.one_call_per_event BROKER GROUP ADDRESS TOPIC...
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from benchmarks.contestants.by_hand import Folded, tell
from benchmarks.contestants.chat_address import chat_address
from benchmarks.contestants.contestant import Command, Task


class OneCallPerEvent:
    """aiokafka and httpx."""

    name = "one call per event"
    configuration = (
        "aiokafka and httpx's AsyncClient. Events of a partition are sent one after another, for a user's must not "
        "overtake each other; partitions (24 of them) side by side. Up to 500 events are polled at a time, and "
        "committed when all of them were answered."
    )
    commits_what_is_confirmed = True
    slow = True

    def prepare(self, *, patient: bool) -> None:
        """It is all here."""

    def command(self, task: Task) -> Command:
        """How to start it."""
        program = [sys.executable, "-m", "benchmarks.contestants.one_call_per_event"]
        return Command(argv=[*program, task.broker, task.group, chat_address(task), *task.topics.values()])


async def run(broker: str, group: str, address: str, topics: Sequence[str]) -> None:
    """Work until cancelled."""
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=broker,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer, httpx.AsyncClient(timeout=30) as client:

        async def send(records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
            for record in records:
                event = Folded()
                event.add(json.loads(record.value or b""))
                for command, body in event.requests():
                    tell(command, (await client.post(address.replace("COMMAND", command), json=body)).content)

        while True:
            polled = await consumer.getmany(timeout_ms=1000, max_records=500)
            await asyncio.gather(*(send(records) for records in polled.values()))
            if polled:
                await consumer.commit()


async def until_stopped(broker: str, group: str, address: str, *topics: str) -> None:
    """Work until SIGTERM."""
    work = asyncio.ensure_future(run(broker, group, address, topics))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    asyncio.run(until_stopped(*sys.argv[1:]))
