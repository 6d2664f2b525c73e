"""Runs an emulator, inside a test or alone. The only module here with a clock."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import uvicorn

from audience_sync.emulator.api import Api, Seen
from audience_sync.emulator.application import Application, Protocol
from audience_sync.emulator.counters import BrokenLimit, Counters, WentBack
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.journal import Journal, JournalError
from audience_sync.emulator.overlaps import Overlap
from audience_sync.emulator.refusals import RefusedError
from audience_sync.emulator.requests import Write
from audience_sync.emulator.settings import Settings
from audience_sync.emulator.store import UserState

BACKLOG: Final = 2048
"""Connections that may wait to be taken; a load test opens many at once."""


class Emulator:
    """A running emulator, seen from the test that started it."""

    def __init__(self, api: Api, settings: Settings, url: str) -> None:
        self.api, self.settings, self.url = api, settings, url

    @property
    def counters(self) -> Counters:
        """What was called, refused and struck."""
        return self.api.counters

    @property
    def overlaps(self) -> list[Overlap]:
        """Users who were in two writing requests at the same time."""
        return self.api.overlaps.found

    @property
    def broken_limits(self) -> list[BrokenLimit]:
        """Requests that a careful client does not send."""
        return self.api.counters.broken_limits

    @property
    def went_back(self) -> list[WentBack]:
        """Attributes written with a lower version than before; empty without a version separator."""
        return self.api.counters.went_back

    def state(self) -> dict[str, UserState]:
        """All users who exist."""
        return self.api.store.users()

    def user(self, user: str) -> UserState:
        """One user; nobody has nothing."""
        return self.api.store.user(user)

    def attribute_names(self) -> dict[str, str]:
        """{slot: name}."""
        return self.api.store.attribute_names()

    def requests(self) -> list[Seen]:
        """The last requests that ended, oldest first."""
        return list(self.api.last)

    def most_calls_in_a_second(self) -> dict[str, int]:
        """{endpoint: calls in its busiest second}."""
        return self.api.most_calls_in_a_second()

    def fail_next(self, kind: str, *, endpoint: str | None = None, count: int = 1) -> None:
        """Let the next sound requests end in this way, instead of what was listed. Raises ValueError."""
        self.set_faults(FaultSettings(fail_next=[FailNext(kind, endpoint, count)]))

    def set_faults(self, settings: FaultSettings) -> None:
        """Change what goes wrong. Raises ValueError."""
        self.api.faults.change(settings)

    def import_accounts(self, *users: str) -> None:
        """Make users exist."""
        self.api.import_accounts(users)

    def reset_counters(self) -> None:
        """Forget what was counted and found; users and faults stay."""
        self.api.reset_counters()


@asynccontextmanager
async def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Emulator]:
    """Run an emulator in this event loop until the block ends; port 0 takes a free one.

    Raises OSError if the address is taken or the state cannot be written, ValueError or JournalError if the
    state and the settings do not fit.
    """
    with ExitStack() as resources:
        api = _api(settings, resources)
        listener = resources.enter_context(_listener(host, port))
        application = Application(api, _clock())
        server = _Server(application)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Emulator(api, settings, f"http://{_written(host)}:{listener.getsockname()[1]}")
        finally:
            application.stop_waiting()
            server.should_exit = True
            await running


def _api(settings: Settings, resources: ExitStack) -> Api:
    if settings.state is None:
        api = Api(settings)
    else:
        journal = resources.enter_context(Journal(settings.state))
        api = Api(settings, record=journal.record)
        for entry in journal.entries():
            _replay(api, entry, settings.state)
        api.reset_counters()
    if names := api.store.define_if_new(settings.attribute_names):
        api.apply(names)
    if settings.imported:
        api.import_accounts(settings.imported)
    return api


def _replay(api: Api, entry: Write, path: Path) -> None:
    try:
        api.store.apply(entry, creates_users=True)  # they existed when it was recorded
    except RefusedError as refused:
        raise JournalError(f"{path}: {refused}") from refused


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
