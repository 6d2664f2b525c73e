"""A service's life: look around, connect, work, drain, leave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError

from audience_sync.admin.server import AdminServer
from audience_sync.admin.status import Status
from audience_sync.events.stream import Stream, missing_codecs

COMMIT_TIMEOUT_SECONDS: Final = 2.0
"""A commit that takes longer is not worth waiting for: the next one says the same, or more."""


class StreamError(Exception):
    """Kafka could not be worked with; the message says what to look at."""


class Service:
    """The whole service, assembled. `run` does its work until it is stopped.

    chat: opened before the first request, closed after the last.
    preflight: raises where the work can't begin.
    parts: what waits and works, each until it is cancelled.
    drain: sends what waits, settles, commits and gives up what is ours; returns how many users were left.
    failure: gets the error after which reading must not go on.
    """

    def __init__(
        self,
        *,
        chat: contextlib.AbstractAsyncContextManager[object],
        admin: AdminServer,
        status: Status,
        preflight: Callable[[], Awaitable[None]],
        stream: Stream,
        parts: Sequence[Callable[[], Awaitable[None]]],
        drain: Callable[[], Awaitable[int]],
        failure: asyncio.Future[None],
        totals: Callable[[], dict[str, int]],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._chat = chat
        self._admin = admin
        self._status = status
        self._preflight = preflight
        self._stream = stream
        self._parts = parts
        self._drain = drain
        self._failure = failure
        self._totals = totals
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop* is set, then drain and leave.

        Raises KafkaAdminError, NamesDoNotFitError, PortTakenError or StreamError if the work can't begin or go on.
        """
        if missing := missing_codecs():
            raise StreamError(f"codecs are missing: {', '.join(missing)}; install the package cramjam")
        listener = self._admin.listen()
        async with self._chat, asyncio.TaskGroup() as tasks:
            served = tasks.create_task(self._admin.serve(listener))
            try:
                self._log.info("starting", admin_port=listener.getsockname()[1])
                if await self._looked_around(stop):
                    async with self._working():
                        await self._until_stopped(stop)
            finally:
                self._admin.stop()
            await served
        self._log.info("stopped", **self._totals())

    async def _looked_around(self, stop: asyncio.Event) -> bool:
        """Whether the work can begin; False if *stop* was set before: the preflight may wait for long."""
        stopped, looking = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._preflight())
        try:
            await _first_of(stopped, looking)
            if looking.done():
                looking.result()
            return not stop.is_set()
        finally:
            stopped.cancel()
            looking.cancel()

    @contextlib.asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        """The parts that wait, for as long as there is something to wait for."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_until_cancelled(part)) for part in self._parts]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    async def _until_stopped(self, stop: asyncio.Event) -> None:
        stopped = asyncio.ensure_future(stop.wait())
        starting = asyncio.ensure_future(self._stream.start())
        try:
            await _first_of(stopped, starting, self._failure)
            if starting.done():
                starting.result()
                self._status.started = True
                await _first_of(stopped, self._failure)
            if self._failure.done():
                self._failure.result()
            self._status.draining = True
            self._log.info("draining")
            self._log.info("drained", users_left_to_the_next_owner=await self._drain())
        except KafkaError as error:
            raise StreamError(f"Kafka: {type(error).__name__}: {error}") from error
        finally:
            stopped.cancel()
            starting.cancel()
            await self._stream.stop()


async def _until_cancelled(part: Callable[[], Awaitable[None]]) -> None:
    await part()


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
