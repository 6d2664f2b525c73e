"""What stands in for `events.stream.Stream`: the polling loop of FastStream's subscriber, and the dead letters."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import KafkaConnectionError, KafkaError

from audience_sync.events.stream import StreamOptions
from tests.simulation.letters import LetterTopic
from tests.simulation.link import Link
from tests.simulation.member import Consumer, Coordinator

AFTER_AN_ERROR_SECONDS: Final = 5.0
"""FastStream's pause after a poll that failed."""


class SimulatedStream:
    """Batches in through *take*, dead letters out through `publish`. Takes what `Stream` takes.

    begin_member: makes this process's member of the group, with the listener that it calls.
    """

    def __init__(
        self,
        options: StreamOptions,
        *,
        listener: ConsumerRebalanceListener,
        take: Callable[[Sequence[Any]], Awaitable[None]],
        failed: Callable[[BaseException], None],
        begin_member: Callable[[StreamOptions, ConsumerRebalanceListener], tuple[Coordinator, Consumer]],
        link: Link,
        letters: LetterTopic,
        **_: object,
    ) -> None:
        self._options = options
        self._take = take
        self._failed = failed
        self._link = link
        self._letters = letters
        self._coordinator, self._consumer = begin_member(options, listener)
        self._running: list[asyncio.Task[None]] = []
        self.broker = None

    @property
    def kafka(self) -> Consumer:
        """The consumer below."""
        return self._consumer

    async def start(self) -> None:
        """Connect and join; returns when partitions were assigned. Raises KafkaError."""
        if not self._link.is_up:
            await asyncio.sleep(1.0)
            raise KafkaConnectionError("no broker answers")
        coordinating = asyncio.create_task(self._coordinator.run())
        self._running.append(coordinating)
        await self._coordinator.first_assignment.wait()
        self._running.append(asyncio.create_task(self._poll()))

    async def stop(self) -> None:
        """Leave the group and disconnect. Commits nothing."""
        running, self._running = self._running, []
        self._consumer.close()
        for polling in running[1:]:
            polling.cancel()
        if running:
            await self._coordinator.close(running[0])
        self._link.restored = lambda: None

    async def publish(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Write a dead letter. Raises OSError if the broker may not have it."""
        await self._letters.publish(topic, key, value, link=self._link)

    async def _poll(self) -> None:
        while True:
            try:
                records: Mapping[Any, list[Any]] = await self._consumer.getmany(
                    max_records=self._options.max_batch_records
                )
            except KafkaError:
                await asyncio.sleep(AFTER_AN_ERROR_SECONDS)
                continue
            if not records:
                return
            try:
                await self._take(tuple(chain(*records.values())))
            except Exception as error:  # as `Stream` does it
                self._failed(error)
