"""Which part of the emulator answers a request: the API, the control address, or the page."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_urlsafe
from typing import Final

from audience_sync.emulator import control, page
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.caller import Caller, Message, Protocol, Receive, Send
from audience_sync.emulator.outcome import Later, Outcome, Stream

__all__ = ["Application", "Protocol"]

BODY_BYTES: Final = 1 << 20
"""A longer body counts as empty; 100 users with all that a request may say of them are below 200 KB."""

CONTROL_BYTES: Final = 1 << 26
"""The same for the control address: a million accounts can be imported at once."""

HEARTBEAT_SECONDS: Final = 15.0
"""A stream without news says at least so often that it is there."""

SHARE: Final = 0.05
"""Of its time, a stream may keep the emulator busy for so much; what takes long is looked at less often."""


class Application:
    """The ASGI callable in front of all apps."""

    def __init__(self, apps: Apps, clock: Callable[[], float]) -> None:
        self._apps, self._clock = apps, clock
        self._held: set[Caller] = set()
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller = Caller(scope, receive, send)
        if caller.path.startswith(control.PREFIX):
            await self._control(caller)
        elif caller.method == "GET" and (look := page.look_at(caller.path, caller.query)) is not None:
            nonce = token_urlsafe(16)
            await self._tell(caller, page.respond(self._apps, look, nonce=nonce, now=self._clock()))
        else:
            await self._call(caller)

    def stop_waiting(self) -> None:
        """Cut the connections whose answers are held back, and hold none back from now on."""
        self._stopping.set()
        for caller in self._held:
            caller.hang_up()

    async def _control(self, caller: Caller) -> None:
        body = await caller.body(CONTROL_BYTES)
        if body is None:
            return
        found = control.respond(
            self._apps,
            method=caller.method,
            path=caller.path,
            query=caller.query,
            body=body,
            last_event=caller.header(b"last-event-id"),
            now=self._clock(),
        )
        await self._tell(caller, found)

    async def _call(self, caller: Caller) -> None:
        api = self._apps.api_of(caller.query)
        arrival = api.arrive(caller.path, self._clock(), caller.has_left)
        answered = False
        try:
            body = await caller.body(BODY_BYTES)
            if body is None:
                return
            decided = api.decide(
                arrival, method=caller.method, query=caller.query, body=body, now=self._clock()
            )
            outcome = await self._later(caller, decided) if isinstance(decided, Later) else decided
            if outcome is not None:
                answered = await self._answer(caller, outcome)
        finally:
            api.leave(arrival, self._clock(), answered=answered)

    async def _later(self, caller: Caller, later: Later) -> Outcome | None:
        """Carry out what was put off, also for a caller who has left. None: the emulator stops before that."""
        with self._hold(caller):
            try:
                async with asyncio.timeout(later.wait_seconds):
                    await self._stopping.wait()
            except TimeoutError:
                return later.then(self._clock())
        caller.hang_up()
        await caller.gone()
        return None

    async def _answer(self, caller: Caller, outcome: Outcome) -> bool:
        if outcome.wait_seconds and not self._stopping.is_set():
            with self._hold(caller):
                await caller.stays(outcome.wait_seconds)
        if caller.has_left():
            await caller.gone()
            return False
        return await caller.answer(outcome)

    async def _tell(self, caller: Caller, found: Outcome | Stream) -> None:
        if isinstance(found, Outcome):
            await caller.answer(found)
            return
        with self._hold(caller):
            await caller.stream("text/event-stream", headers=((b"cache-control", b"no-store"),))
            await self._pour(caller, found)
        caller.hang_up()
        await caller.gone()

    async def _pour(self, caller: Caller, stream: Stream) -> None:
        """Send what is new, again and again. Between two parts, and from look to look, others have their turn."""
        time, quiet_since = asyncio.get_running_loop().time, 0.0
        while not self._stopping.is_set():
            busy, news = 0.0, stream.news(self._clock())
            while True:
                began = time()
                part = next(news, b"")
                busy += time() - began
                if not part and began - quiet_since >= HEARTBEAT_SECONDS:
                    part = b":\n\n"  # a comment
                if not part:
                    break
                quiet_since = time()
                await caller.more(part)
                await asyncio.sleep(0)
            if not await caller.stays(max(stream.pause_seconds, busy / SHARE)):
                return

    @contextmanager
    def _hold(self, caller: Caller) -> Iterator[None]:
        self._held.add(caller)
        try:
            yield
        finally:
            self._held.discard(caller)
