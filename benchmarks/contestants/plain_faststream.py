"""What who knows FastStream writes in thirty lines: batches, folded in a dictionary, sent in hundreds.

python -m benchmarks.contestants.plain_faststream BROKER GROUP ADDRESS TOPIC...
"""

import asyncio
import sys
from typing import Any

import httpx
import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker

from benchmarks.contestants.by_hand import Folded, tell
from benchmarks.contestants.chat_address import chat_address
from benchmarks.contestants.contestant import Command, Task


class PlainFastStream:
    """FastStream and httpx."""

    name = "plain FastStream"
    configuration = (
        "A batch subscriber with FastStream's own decoding, on uvloop. Each batch of up to 10,000 events (larger "
        "ones take so long to decode that the group gives its partitions away) is folded in a dictionary and sent in "
        "requests of up to 100 users, eight at a time, with httpx's AsyncClient; then it is committed, or read again "
        "if there was an error (`AckPolicy.NACK_ON_ERROR`)."
    )
    commits_what_is_confirmed = True
    slow = False

    def prepare(self, *, patient: bool) -> None:
        """It is all here."""

    def command(self, task: Task) -> Command:
        """How to start it."""
        program = [sys.executable, "-m", "benchmarks.contestants.plain_faststream"]
        return Command(argv=[*program, task.broker, task.group, chat_address(task), *task.topics.values()])


async def run(servers: str, group: str, address: str, *topics: str) -> None:
    """Work until SIGTERM."""
    broker = KafkaBroker(servers, logger=None)

    @broker.subscriber(
        *topics,
        batch=True,
        max_records=10_000,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def take(events: list[dict[str, Any]]) -> None:
        folded = Folded()
        for event in events:
            folded.add(event)

        async def send(command: str, body: dict[str, Any]) -> None:
            async with at_a_time:
                tell(command, (await client.post(address.replace("COMMAND", command), json=body)).content)

        await asyncio.gather(*(send(*request) for request in folded.requests()))

    at_a_time = asyncio.Semaphore(8)
    async with httpx.AsyncClient(timeout=30) as client:
        await FastStream(broker).run()


if __name__ == "__main__":
    uvloop.run(run(*sys.argv[1:]))
