"""The other end of one HTTP request: its body, its patience, and every way to answer it, good or bad.

Nothing here logs a query: addresses carry the signature.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from audience_sync.emulator.outcome import Cut, Outcome

Message = MutableMapping[str, Any]  # ASGI's own words: what is in it depends on its type
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

CLOSE_WITH_RESET: Final = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    """HTTP/1.1 that shows its transport to the application, and never logs an address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Take over a connection."""
        super().connection_made(transport)
        self.access_log = False
        self.app_state = {**self.app_state, "transport": transport}


class Caller:
    """Whoever sent the request of one ASGI scope."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.method = str(scope["method"])
        self.path = str(scope["path"])
        self.query = bytes(scope["query_string"]).decode("latin-1")
        self._headers: list[Header] = scope["headers"]
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._receive, self._send = receive, send

    def header(self, name: bytes) -> str:
        """The first header of this name, which is in small letters; empty if there is none."""
        return next((value.decode("latin-1") for each, value in self._headers if each == name), "")

    def has_left(self) -> bool:
        """Whether the connection is gone."""
        return self._transport.is_closing()

    def hang_up(self) -> None:
        """Cut the connection; who waits for anything on it goes on."""
        self._transport.abort()

    async def body(self, most_bytes: int) -> bytes | None:
        """The body; a longer one counts as empty. None if the connection ended before it was there."""
        chunks, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return None
            size += len(message["body"])
            if size <= most_bytes:
                chunks.append(message["body"])
            if not message["more_body"]:
                return b"".join(chunks) if size <= most_bytes else b""

    async def stays(self, seconds: float) -> bool:
        """Let time pass. Returns early, with False, if the connection ends."""
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self.gone()
            except TimeoutError:
                pass
        return not self.has_left()

    async def gone(self) -> None:
        """Wait for the end of the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def answer(self, outcome: Outcome) -> bool:
        """Send what was decided, as far as the outcome lets it. Returns whether all of it was sent."""
        if outcome.cut is Cut.INSTEAD:
            await self._reset()
            return False
        length = (b"content-length", str(len(outcome.body)).encode())
        others = [(name.encode(), value.encode()) for name, value in outcome.headers]
        await self._begin(outcome.status, outcome.content_type, [length, *others])
        if outcome.cut is Cut.HALFWAY:
            await self.more(outcome.body[: len(outcome.body) // 2])
            self._transport.close()  # once the half is out
            await self.gone()
            return False
        await self._send({"type": "http.response.body", "body": outcome.body})
        return True

    async def stream(self, content_type: str, *, headers: Sequence[Header] = ()) -> None:
        """Begin an answer whose end is open; `more` goes on with it."""
        await self._begin(200, content_type, headers)

    async def more(self, chunk: bytes) -> None:
        """The next part of the answer. Waits while the caller reads slowly."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _begin(self, status: int, content_type: str, headers: Sequence[Header]) -> None:
        every = [(b"content-type", content_type.encode()), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": every})

    async def _reset(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_WITH_RESET
        )
        self._transport.abort()
        await self.gone()
