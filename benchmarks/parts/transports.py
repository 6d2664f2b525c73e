"""CPU a request of 100 users over three HTTP clients: httpx as it comes, ours (httpx on aiohttp), aiohttp alone.

The first two are the service's own client with its transport exchanged, signature and verdicts included; the third is
the least that a client in Python can do: encode, post, decode. They take turns in one process before one stub.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import httpx
import msgspec
import uvloop
from pydantic import SecretStr

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.hosts import Hosts
from audience_sync.chat_api.signature import Signature
from audience_sync.chat_api.transport import connections
from audience_sync.core.changes import Endpoint, Request, UserId
from benchmarks.contestants.contestant import ADMIN, APP_ID, SIGNING_KEY
from benchmarks.measuring import Spread, spread
from benchmarks.parts.size import Size
from benchmarks.rig import Rig

AT_ONCE: Final = 8
USERS: Final = 100

Send = Callable[[int], Awaitable[None]]
"""Sends one request; the number makes its users differ."""


class Figures(msgspec.Struct, frozen=True):
    """Milliseconds of CPU a request, and what ours is of the two others, turn by turn."""

    httpx_milliseconds: Spread
    ours_milliseconds: Spread
    aiohttp_milliseconds: Spread
    ours_per_httpx: Spread
    ours_per_aiohttp: Spread


def measure(rig: Rig, size: Size) -> Figures:
    """All three in turns."""
    requests, turns = size.of((200, 8), quick=(16, 2))
    with rig.chat() as chat:
        times = uvloop.run(_measured(chat.url, requests, turns))
        confirmed = chat.counters().parts
    assert confirmed == 3 * USERS * (requests * turns + AT_ONCE), "some requests were not confirmed"
    plain, ours, bare = ([turn[each] * 1000 for turn in times] for each in range(3))
    return Figures(
        spread(plain),
        spread(ours),
        spread(bare),
        spread([one / other for one, other in zip(ours, plain, strict=True)]),
        spread([one / other for one, other in zip(ours, bare, strict=True)]),
    )


async def _measured(url: str, requests: int, turns: int) -> list[tuple[float, float, float]]:
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with (
        _client(url, httpx.AsyncHTTPTransport(limits=limits)) as plain,
        _client(url, connections(AT_ONCE)) as ours,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session,
    ):
        senders: list[Send] = [_by_client(plain), _by_client(ours), _by_aiohttp(session, url)]
        for send in senders:  # connections are made, and what is built on first use
            await _cpu_seconds(send, AT_ONCE)
        found = []
        for _ in range(turns):
            first, second, third = [await _cpu_seconds(send, requests) for send in senders]
            found.append((first, second, third))
        return found


async def _cpu_seconds(send: Send, requests: int) -> float:
    """CPU a request, of this process."""
    numbers = iter(range(requests))

    async def work() -> None:
        for number in numbers:
            await send(number)

    begun = time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(work())
    return (time.process_time() - begun) / requests


def _client(url: str, transport: httpx.AsyncBaseTransport) -> ChatApi:
    signature = Signature(APP_ID, ADMIN, SecretStr(SIGNING_KEY), life_seconds=86_400, clock=time.time)
    return ChatApi(app_id=APP_ID, signature=signature, hosts=Hosts.at(url), transport=transport)


def _by_client(client: ChatApi) -> Send:
    async def send(number: int) -> None:
        parts = {UserId(f"user-{number}-{each}"): [f"tag-{each}"] for each in range(USERS)}
        assert not await client.send(Request(Endpoint.ADD_TAGS, parts))

    return send


def _by_aiohttp(session: aiohttp.ClientSession, url: str) -> Send:
    address = f"{url}/v4/all_member_push/im_add_tag?sdkappid={APP_ID}&identifier={ADMIN}&contenttype=json"

    async def send(number: int) -> None:
        parts = [{"To_Account": f"user-{number}-{each}", "Tags": [f"tag-{each}"]} for each in range(USERS)]
        async with session.post(address, data=msgspec.json.encode({"UserTags": parts})) as answer:
            assert msgspec.json.decode(await answer.read())["ErrorCode"] == 0

    return send
