"""HTTP in and out: an ASGI callable in front of one Api, and the protocol it needs.

Nothing here logs a query: addresses carry the signature.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from audience_sync.emulator import control
from audience_sync.emulator.api import Api, Outcome

Message = MutableMapping[str, Any]  # ASGI's own words: what is in it depends on its type
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_BYTES: Final = 1 << 20
"""A longer body counts as empty; 100 users with all that a request may say of them are below 200 KB."""

CONTROL_BYTES: Final = 1 << 26
"""The same for the control address: a million accounts can be imported at once."""

CLOSE_WITH_RESET: Final = struct.pack("ii", 1, 0)


class Application:
    """The ASGI callable in front of one Api."""

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api, self._clock = api, clock
        self._held: set[asyncio.Transport] = set()
        self._stops = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, query = str(scope["path"]), bytes(scope["query_string"]).decode("latin-1")
        if path.startswith(control.PREFIX):
            body = await _body(receive, CONTROL_BYTES)
            if body is not None:
                method = str(scope["method"])
                await _send(
                    send, control.respond(self._api, method=method, path=path, query=query, body=body)
                )
            return
        transport: asyncio.Transport = scope["state"]["transport"]
        arrival = self._api.arrive(path, self._clock(), transport.is_closing)
        answered = False
        try:
            body = await _body(receive, BODY_BYTES)
            if body is None:
                return
            outcome = self._api.decide(
                arrival, method=str(scope["method"]), query=query, body=body, now=self._clock()
            )
            if not await self._still_there(transport, receive, outcome.wait_seconds):
                await _gone(receive)
                return
            if outcome.resets:
                await _reset(transport, receive)
                return
            await _send(send, outcome)
            answered = True
        finally:
            self._api.leave(arrival, self._clock(), answered=answered)

    def stop_waiting(self) -> None:
        """Cut the connections whose answers are held back, and hold none back from now on."""
        self._stops = True
        for transport in self._held:
            transport.abort()

    async def _still_there(self, transport: asyncio.Transport, receive: Receive, seconds: float) -> bool:
        if seconds > 0 and not self._stops:
            self._held.add(transport)
            try:
                async with asyncio.timeout(seconds):
                    await _gone(receive)
            except TimeoutError:
                pass
            finally:
                self._held.discard(transport)
        return not transport.is_closing()


class Protocol(H11Protocol):
    """HTTP/1.1 that shows its transport to the application, and never logs an address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Take over a connection."""
        super().connection_made(transport)
        self.access_log = False
        self.app_state = {**self.app_state, "transport": transport}


async def _body(receive: Receive, most: int) -> bytes | None:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        size += len(message["body"])
        if size <= most:
            chunks.append(message["body"])
        if not message["more_body"]:
            return b"".join(chunks) if size <= most else b""


async def _send(send: Send, outcome: Outcome) -> None:
    headers = [
        (b"content-type", outcome.content_type.encode()),
        (b"content-length", str(len(outcome.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
    await send({"type": "http.response.body", "body": outcome.body})


async def _reset(transport: asyncio.Transport, receive: Receive) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_WITH_RESET)
    transport.abort()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
