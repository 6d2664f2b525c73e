"""A client whose connections are a function, and a real socket that misbehaves."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import httpx
from pydantic import SecretStr

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.hosts import Hosts
from audience_sync.chat_api.signature import Signature

APP_ID = 1400000000
ADMIN = "admin & co"  # must be escaped in an address
KEY = "the-signing-key-of-these-tests-10"  # its signature has the character that addresses escape
MOMENT = 1700000000.0

Answerer = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


class Connections(httpx.AsyncBaseTransport):
    """Hands each request to a function and keeps it. Its body is read when a connection is there: at once."""

    def __init__(self, answer: Answerer) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Keep *request*, and answer as the function says."""
        await request.aread()
        self.requests.append(request)
        answer = self._answer(request)
        return answer if isinstance(answer, httpx.Response) else await answer

    @property
    def queries(self) -> list[dict[str, str]]:
        """The query of each request."""
        return [
            {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
            for request in self.requests
        ]


def signature(*, clock: Callable[[], float] = lambda: MOMENT) -> Signature:
    """One that never changes, unless the clock moves."""
    return Signature(APP_ID, ADMIN, SecretStr(KEY), life_seconds=86400, clock=clock)


def client(
    connections: httpx.AsyncBaseTransport | None = None,
    *,
    base_url: str = "http://chat.test",
    signature: Signature = signature(),  # noqa: B008 - it is never altered by those who leave it out
    request_timeout_seconds: float = 5.0,
    connection_count: int = 8,
) -> ChatApi:
    """A client on *connections*, or on real ones to *base_url*."""
    return ChatApi(
        hosts=Hosts.at(base_url),
        app_id=APP_ID,
        signature=signature,
        request_timeout_seconds=request_timeout_seconds,
        connections=connection_count,
        random=random.Random(7),
        transport=connections,
    )


def says(body: object, *, status: int = 200) -> Answerer:
    """Always this JSON."""
    return lambda _request: httpx.Response(status, json=body)


@asynccontextmanager
async def socket(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The address of a server that treats each connection as *behave* says, then closes it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One whole HTTP request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return head + await reader.readexactly(length)
