"""Faults as a client meets them on its connection; what is put off; streams; the end of it all."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from audience_sync.emulator.faults import FaultSettings
from audience_sync.emulator.server import Emulator, serve
from tests.support.emulator import SETTINGS, call, path_of, query
from tests.unit.emulator.given import tags


async def post(client: httpx.AsyncClient, emulator: Emulator, user: str) -> httpx.Response:
    address = emulator.url + path_of("im_add_tag")
    return await client.post(address, params=query(), json=tags(user, "t"))


async def applied(emulator: Emulator, user: str) -> None:
    async with asyncio.timeout(30):
        while "t" not in emulator.user(user).tags:  # noqa: ASYNC110 - the emulator tells nobody when it applies
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("kind", "is_applied"), [("reset", True), ("reset_before", False)])
async def test_a_reset_connection(chat_api: Emulator, kind: str, is_applied: bool) -> None:
    """The client sees the same, whether anything was done or not."""
    async with httpx.AsyncClient() as client:
        chat_api.fail_next(kind)
        with pytest.raises(httpx.ReadError):
            await post(client, chat_api, "a")
        assert (chat_api.user("a").tags == ["t"]) is is_applied
        assert (await post(client, chat_api, "a")).json()["ErrorCode"] == 0


async def test_half_an_answer(chat_api: Emulator) -> None:
    """The headers promise all of it; then the connection ends."""
    async with httpx.AsyncClient() as client:
        chat_api.fail_next("half")
        address = chat_api.url + path_of("im_add_tag")
        async with client.stream("POST", address, params=query(), json=tags("a", "t")) as answer:
            received = await until_cut(answer)
        assert len(received) == int(answer.headers["content-length"]) // 2
        assert chat_api.user("a").tags == ["t"]
        assert chat_api.requests()[-1].answered is None
        assert (await post(client, chat_api, "a")).json()["ErrorCode"] == 0


async def until_cut(answer: httpx.Response) -> bytes:
    received = b""
    try:
        async for chunk in answer.aiter_raw():
            received += chunk
    except httpx.TransportError:
        return received
    raise AssertionError("the answer came to its end")


async def test_an_answer_that_is_no_json(chat_api: Emulator) -> None:
    """Though status and headers say so."""
    async with httpx.AsyncClient() as client:
        chat_api.fail_next("garbage")
        answer = await post(client, chat_api, "a")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert chat_api.user("a").tags == ["t"]


async def test_what_is_put_off_is_applied_though_its_caller_has_left(chat_api: Emulator) -> None:
    """The worst that a client can meet after its own time-out; it is no overlap, for nobody waits."""
    chat_api.fail_next("delay:0.3")
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(
                chat_api.url + path_of("im_add_tag"), params=query(), json=tags("a", "t"), timeout=0.1
            )
        assert chat_api.user("a").tags == []
        assert (await call(client, chat_api, "im_remove_tag", tags("a", "t")))["ErrorCode"] == 0
        await applied(chat_api, "a")


async def test_what_is_put_off_ends_with_the_emulator(caplog: pytest.LogCaptureFixture) -> None:
    """At once, unapplied, and without a complaint."""
    caplog.set_level(logging.WARNING)
    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
        async with serve(SETTINGS) as emulator:
            emulator.fail_next("delay:600")
            held = group.create_task(failing(post(client, emulator, "a")))
            async with asyncio.timeout(30):
                while not emulator.counters.faults:  # noqa: ASYNC110 - the emulator tells nobody of a strike
                    await asyncio.sleep(0.001)
        async with asyncio.timeout(1):
            await held
    assert emulator.user("a").tags == []
    assert caplog.records == []


async def failing(answer: object) -> None:
    with pytest.raises(httpx.TransportError):
        await answer  # type: ignore[misc]  # a coroutine


@asynccontextmanager
async def lines_of(emulator: Emulator, path: str, **headers: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of a stream as they come, without the empty ones and the heartbeat."""
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", f"{emulator.url}/{path}", headers=headers) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"

        async def said() -> AsyncIterator[str]:
            async for line in answer.aiter_lines():
                if line.strip(":"):
                    yield line

        yield said()


async def test_a_stream_tells_deliveries_as_they_happen(chat_api: Emulator) -> None:
    """Those since the number asked for, then each new one, with its number as the event's."""
    for _ in range(2):
        chat_api.login("a")
    async with httpx.AsyncClient() as client:
        await push(client, chat_api, 1)
        async with lines_of(chat_api, "control/deliveries/stream?after=0") as lines:
            assert [await anext(lines) for _ in range(2)] == ["event: delivery", "id: 1"]
            assert '"user":"a"' in await anext(lines)
            chat_api.login("b")
            assert [await anext(lines) for _ in range(2)] == ["event: delivery", "id: 2"]
            assert '"user":"b"' in await anext(lines)


async def push(client: httpx.AsyncClient, emulator: Emulator, random: int) -> None:
    text = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}
    emulator.import_accounts("a", "b")
    body = {"MsgRandom": random, "MsgLifeTime": 60, "MsgBody": [text]}
    assert (await call(client, emulator, "im_push", body))["ErrorCode"] == 0


async def test_a_stream_without_a_number_begins_now(chat_api: Emulator) -> None:
    """Who asks late is not told what was before; who reconnects says what he had last."""
    chat_api.login("a")
    async with httpx.AsyncClient() as client:
        await push(client, chat_api, 1)
    async with lines_of(chat_api, "control/deliveries/stream") as lines:
        chat_api.login("b")
        assert [await anext(lines) for _ in range(2)] == ["event: delivery", "id: 2"]
    async with lines_of(chat_api, "control/deliveries/stream?after=0", **{"Last-Event-ID": "1"}) as lines:
        assert [await anext(lines) for _ in range(2)] == ["event: delivery", "id: 2"]


async def test_streams_end_with_the_emulator(caplog: pytest.LogCaptureFixture) -> None:
    """Though nobody closes them, and without a complaint."""
    caplog.set_level(logging.WARNING)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group, serve(SETTINGS) as emulator:
        begun = [asyncio.Event(), asyncio.Event()]
        for path, event in zip(("live", "control/deliveries/stream"), begun, strict=True):
            group.create_task(listen(emulator, path, event))
        for event in begun:
            await event.wait()
    assert caplog.records == []


async def listen(emulator: Emulator, path: str, begun: asyncio.Event) -> None:
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("GET", f"{emulator.url}/{path}") as answer,
    ):
        begun.set()
        await until_cut(answer)


async def test_a_request_goes_to_the_app_that_it_names() -> None:
    """With its key, its users and its faults; the others see nothing of it."""
    other = replace(SETTINGS, app_id=1400000001, key="another key", attribute_names=())
    async with serve(replace(SETTINGS, more_apps=(other,))) as first, httpx.AsyncClient() as client:
        second = first.app(1400000001)
        second.set_faults(FaultSettings(chance={"code_after:91000": 1.0}))
        assert (await call(client, first, "im_add_tag", tags("a", "t")))["ErrorCode"] == 0
        assert (await call(client, second, "im_add_tag", tags("b", "t")))["ErrorCode"] == 91000
        assert (list(first.state()), list(second.state())) == (["a"], ["b"])
