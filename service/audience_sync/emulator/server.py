"""Runs an emulator, inside a test or alone. The only module here with a clock."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, Final, cast

import uvicorn

from audience_sync.emulator.application import Application, Protocol
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.harness import Emulator
from audience_sync.emulator.journal import Journal, JournalError
from audience_sync.emulator.refusals import RefusedError
from audience_sync.emulator.settings import Settings

__all__ = ["Emulator", "serve"]

BACKLOG: Final = 2048
"""Connections that may wait to be taken; a load test opens many at once."""


@asynccontextmanager
async def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Emulator]:
    """Run an emulator in this event loop until the block ends; port 0 takes a free one.

    Raises OSError if the address is taken or the state cannot be written, ValueError or JournalError if the
    state and the settings do not fit.
    """
    with ExitStack() as resources:
        apps = _apps(settings, resources)
        listener = resources.enter_context(_listener(host, port))
        clock = _clock()
        application = Application(apps, clock)
        server = _Server(application)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://{_written(host)}:{listener.getsockname()[1]}"
        try:
            yield Emulator(apps, apps.first, url=url, clock=clock)
        finally:
            application.stop_waiting()
            server.should_exit = True
            await running


def _apps(settings: Settings, resources: ExitStack) -> Apps:
    if settings.state is None:
        apps = Apps(settings)
    else:
        journal = resources.enter_context(Journal(settings.state))
        apps = Apps(settings, record=journal.record)
        for entry in journal.entries():
            try:
                apps.replay(entry)
            except RefusedError as refused:
                raise JournalError(f"{settings.state}: {refused}") from refused
    apps.begin()
    return apps


class _Server(uvicorn.Server):
    """A server that leaves the signals of the process alone."""

    def __init__(self, application: Application) -> None:
        config = uvicorn.Config(
            cast("Any", application),  # uvicorn's types of ASGI are closed; ours name only what is used
            http=Protocol,
            ws="none",
            lifespan="off",
            backlog=BACKLOG,
            log_config=None,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
        config.load()
        config.loaded_app = cast(
            "Any", application
        )  # without the wrapper that logs whole addresses at level 5
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: whoever runs the emulator decides when it stops."""
        yield


def _clock() -> Callable[[], float]:
    started, first = time.time(), time.monotonic()
    return lambda: started + (time.monotonic() - first)  # unix seconds that never go back


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left out, asyncio would not switch Nagle's delay off, and each answer took 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
