"""Neither the signature nor the key is in what is logged, raised or shown, also when others try hard."""

import asyncio
import gc
import logging
import traceback
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from urllib.parse import quote

import aiohttp
import httpx
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from audience_sync.chat_api.errors import ChatApiError
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.verdicts import Refusal
from tests.unit.chat_api.calls import KEY, Connections, client, read_request, says, signature, socket

REQUEST = Request(Endpoint.ADD_TAGS, {UserId("alice"): ["vip"]})
SIGNATURE = signature().current().get_secret_value()
FORMS = [
    KEY,
    SIGNATURE,
    quote(SIGNATURE, safe=""),
    quote(SIGNATURE, safe="").replace("%2A", "%2a"),
    SIGNATURE[8:40],  # a part of it, as a cut line would show
]


def assert_hidden(shown: str) -> None:
    for form in FORMS:
        assert form not in shown


def told(error: BaseException) -> str:
    """All that a log could make of *error*: text, representation, chain, the values on its stack."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain = [repr(error), repr(vars(error)), repr(error.__context__), repr(error.__cause__)]
    return "\n".join([*report.format(), *chain])


def test_the_signature_of_this_test_has_what_is_escaped() -> None:
    """Otherwise raw and escaped would be one form."""
    assert "*" in SIGNATURE


def with_address(make: Callable[[str], Exception]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        raise make(str(request.url))

    return fail


def response_error(address: str) -> Exception:
    info = aiohttp.RequestInfo(URL(address), "POST", CIMultiDictProxy(CIMultiDict()), URL(address))
    return aiohttp.ClientResponseError(info, (), message=f"bad answer of {address}")


@pytest.mark.parametrize(
    "make",
    [
        lambda address: httpx.ConnectError(f"cannot reach {address}"),
        lambda address: httpx.InvalidURL(f"{address} is no address"),
        lambda address: aiohttp.InvalidURL(address),
        lambda address: OSError(22, f"bad {address}", address),
        response_error,
    ],
)
async def test_a_foreign_error_that_tells_the_address_is_not_quoted(
    make: Callable[[str], Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with client(Connections(with_address(make))) as chat_api:
        with pytest.raises(ChatApiError) as caught:
            await chat_api.send(REQUEST)

    assert_hidden(told(caught.value))
    assert_hidden(caplog.text)


@pytest.mark.parametrize(
    "form", [SIGNATURE, quote(SIGNATURE, safe=""), quote(SIGNATURE, safe="").replace("%2A", "%2a")]
)
async def test_an_answer_that_repeats_the_address_is_not_quoted(form: str) -> None:
    """Gateways do that when they cannot read an address."""
    info = f"cannot read ?usersig={form}&random=1"
    async with client(Connections(says({"ErrorCode": 60002, "ErrorInfo": info}))) as chat_api:
        with pytest.raises(ChatApiError) as caught:
            await chat_api.send(REQUEST)
    assert caught.value.info == "cannot read ?usersig=***&random=1"
    assert_hidden(str(caught.value))

    named = {"ErrorCode": 0, "ErrorList": [{"To_Account": "alice", "ErrorCode": 91000, "ErrorInfo": info}]}
    async with client(Connections(says(named))) as chat_api:
        refused = await chat_api.send(REQUEST)
    assert refused == {"alice": Refusal(91000, "cannot read ?usersig=***&random=1", again=True)}


@pytest.mark.parametrize("status", [200, 302, 404, 502])
async def test_no_library_logs_the_address(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """The client of httpx would, at INFO; its transport does not. Real connections, every logger at DEBUG."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "aiohttp", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        path = (await read_request(reader)).split(b" ")[1]
        writer.write(b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 2\r\n\r\n{}" % (status, path))
        await writer.drain()

    asyncio.get_running_loop().set_debug(True)
    async with socket(answer) as base_url, client(base_url=base_url) as chat_api:
        with pytest.raises(ChatApiError) as caught:
            await chat_api.send(REQUEST)

    assert "asyncio" in caplog.text, "no library says anything of a connection; look again"
    assert_hidden(told(caught.value))
    assert_hidden(caplog.text)


async def test_a_cancelled_call_leaves_nothing_behind_that_speaks(caplog: pytest.LogCaptureFixture) -> None:
    """Responses that nobody closed are reported by aiohttp, with their address."""
    caplog.set_level(logging.DEBUG)
    begun = asyncio.Event()

    async def stall(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"Error')
        await writer.drain()
        begun.set()
        await reader.read()

    async with socket(stall) as base_url, client(base_url=base_url) as chat_api:
        call = asyncio.create_task(chat_api.send(REQUEST))
        await begun.wait()
        call.cancel()
        await asyncio.wait([call])
        gc.collect()

    assert call.cancelled()
    assert_hidden(caplog.text)


async def test_the_client_shows_nothing() -> None:
    async with client(Connections(says({}))) as chat_api:
        assert_hidden(repr(chat_api) + repr(vars(chat_api)))
