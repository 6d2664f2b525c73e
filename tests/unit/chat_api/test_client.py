"""Each way in which a call can end, on a function in place of connections, or on sockets that misbehave."""

import asyncio
import json
import re
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator
from socket import SO_LINGER, SOL_SOCKET, create_server

import aiohttp
import httpx
import pytest

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.errors import (
    BY_CODE,
    NO_ANSWER,
    BrokenLimit,
    ChatApiError,
    NotAllowed,
    NotReached,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
    Withheld,
)
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.verdicts import Refusal
from tests.unit.chat_api.calls import (
    ADMIN,
    APP_ID,
    MOMENT,
    Connections,
    client,
    read_request,
    says,
    signature,
    socket,
)

ALICE, BOB = UserId("alice"), UserId("bob")
OK = {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0}
REQUEST = Request(Endpoint.ADD_TAGS, {ALICE: ["vip"], BOB: ["vip"]})


async def end_of(connections: httpx.AsyncBaseTransport) -> ChatApiError:
    """What a call on *connections* raises."""
    async with client(connections) as chat_api:
        with pytest.raises(ChatApiError) as caught:
            await chat_api.send(REQUEST)
    return caught.value


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (
            lambda chat_api: chat_api.add_tags({ALICE: ["vip"]}),
            "im_add_tag",
            {"UserTags": [{"To_Account": "alice", "Tags": ["vip"]}]},
        ),
        (
            lambda chat_api: chat_api.remove_tags({ALICE: ["vip"]}),
            "im_remove_tag",
            {"UserTags": [{"To_Account": "alice", "Tags": ["vip"]}]},
        ),
        (lambda chat_api: chat_api.remove_all_tags([ALICE]), "im_remove_all_tags", {"To_Account": ["alice"]}),
        (
            lambda chat_api: chat_api.set_attributes({ALICE: {"city": "Shenzhen"}}),
            "im_set_attr",
            {"UserAttrs": [{"To_Account": "alice", "Attrs": {"city": "Shenzhen"}}]},
        ),
        (
            lambda chat_api: chat_api.remove_attributes({ALICE: ["city"]}),
            "im_remove_attr",
            {"UserAttrs": [{"To_Account": "alice", "Attrs": ["city"]}]},
        ),
    ],
)
async def test_each_method_calls_its_endpoint(
    call: Callable[[ChatApi], Awaitable[dict[UserId, Refusal]]], path: str, body: object
) -> None:
    connections = Connections(says(OK))
    async with client(connections) as chat_api:
        assert await call(chat_api) == {}

    (request,) = connections.requests
    assert (request.method, request.url.host) == ("POST", "chat.test")
    assert request.url.path == f"/v4/all_member_push/{path}"
    assert request.headers["host"] == "chat.test"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["content-length"] == str(len(request.content))
    assert "transfer-encoding" not in request.headers
    assert json.loads(request.content) == body


async def test_the_query_is_as_documented() -> None:
    """Five parts; the random number is fresh each time and fits 32 bits; nothing is escaped twice."""
    connections, signed = Connections(says(OK)), signature()
    async with client(connections, signature=signed) as chat_api:
        for _ in range(50):
            await chat_api.send(REQUEST)

    numbers = {int(query.pop("random")) for query in connections.queries}
    assert len(numbers) == 50
    assert all(0 <= number < 2**32 for number in numbers)
    query = {
        "sdkappid": str(APP_ID),
        "identifier": ADMIN,
        "usersig": signed.current().get_secret_value(),
        "contenttype": "json",
    }
    assert {name: value for name, value in connections.queries[0].items() if name != "random"} == query


async def test_users_refused_by_name_are_returned_and_the_others_are_confirmed() -> None:
    """Code 0 does not mean that everybody was served."""
    listed = [
        {"To_Account": "bob", "ErrorCode": 70107, "ErrorInfo": "not there"},
        {"To_Account": "alice", "ErrorCode": 0},
    ]
    async with client(Connections(says(OK | {"ErrorList": listed}))) as chat_api:
        assert await chat_api.send(REQUEST) == {BOB: Refusal(70107, "not there", again=False)}


async def test_a_refusal_of_somebody_else_is_an_error_of_the_whole() -> None:
    """Somebody in the request is meant; taking all for confirmed would lose a change."""
    listed = [{"To_Account": "Alice", "ErrorCode": 70107, "ErrorInfo": "not there"}]
    error = await end_of(Connections(says(OK | {"ErrorList": listed})))

    assert (type(error), error.code) == (Refused, 70107)


async def test_an_error_keeps_the_users_that_it_names() -> None:
    """So that whoever narrows the request down may begin with them."""
    listed = [{"To_Account": "bob", "ErrorCode": 70107}]
    error = await end_of(Connections(says({"ErrorCode": 90001, "ErrorList": listed})))

    assert type(error) is Refused
    assert error.named == {BOB: Refusal(70107, "", again=False)}


@pytest.mark.parametrize(
    "code", [code for code in BY_CODE if BY_CODE[code].error is not RenewSignature] + [12345]
)
async def test_each_code_becomes_its_class(code: int) -> None:
    """An unknown one is refused."""
    answer = {"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": "why"}
    error = await end_of(Connections(says(answer)))

    assert type(error) is (BY_CODE[code].error if code in BY_CODE else Refused)
    assert (error.endpoint, error.code, error.info) == ("add_tag", code, "why")


@pytest.mark.parametrize(
    ("response", "expected", "code", "ambiguous"),
    [
        (httpx.Response(502, html="<html>"), TryAgain, 502, True),
        (httpx.Response(500, json=OK), TryAgain, 500, True),  # a proxy's word counts more than a stale body
        (httpx.Response(408), TryAgain, 408, True),
        (httpx.Response(429), SlowDown, 429, False),
        (httpx.Response(404, html="<html>"), NotAllowed, 404, False),
        (httpx.Response(302, headers={"location": "https://elsewhere.test/"}), NotAllowed, 302, False),
        (httpx.Response(403, json=OK), NotAllowed, 403, False),
        (httpx.Response(400, json={"ErrorCode": 60007}), SlowDown, 60007, False),
        (httpx.Response(200, html="<html>"), TryAgain, NO_ANSWER, True),
        (httpx.Response(200, content=b""), TryAgain, NO_ANSWER, True),
        (httpx.Response(200, content=b'{"ErrorCode":'), TryAgain, NO_ANSWER, True),
        (httpx.Response(200, json={"message": "hello"}), TryAgain, NO_ANSWER, True),
        (httpx.Response(200, json={"ActionStatus": "FAIL", "ErrorCode": 0}), TryAgain, 0, True),
        (
            httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
            TryAgain,
            NO_ANSWER,
            True,
        ),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, httpx.Response) else None,
)
async def test_what_is_not_the_apis_word_is_judged_by_status_and_shape(
    response: httpx.Response, expected: type[ChatApiError], code: int, ambiguous: bool
) -> None:
    error = await end_of(Connections(lambda _request: response))

    assert (type(error), error.code, error.ambiguous) == (expected, code, ambiguous)


def raised(error: Exception, cause: Exception | None = None) -> Callable[[httpx.Request], httpx.Response]:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error from cause

    return fail


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        (httpx.ConnectError("no"), None, NotReached),
        (httpx.ConnectTimeout("no"), None, NotReached),
        (httpx.PoolTimeout("no"), None, NotReached),
        (httpx.ConnectTimeout("no"), aiohttp.ServerDisconnectedError(), TryAgain),
        (httpx.ConnectTimeout("no"), aiohttp.ClientOSError(104, "reset"), TryAgain),
        (httpx.ConnectTimeout("no"), aiohttp.ConnectionTimeoutError(), NotReached),
        (httpx.ReadTimeout("no"), aiohttp.SocketTimeoutError(), TryAgain),
        (httpx.ReadError("no"), None, TryAgain),
        (httpx.RemoteProtocolError("no"), None, TryAgain),
        (httpx.InvalidURL("no"), None, TryAgain),
        (aiohttp.ClientPayloadError("no"), None, TryAgain),
        (ConnectionResetError("no"), None, TryAgain),
        (TimeoutError(), None, TryAgain),
    ],
)
async def test_foreign_errors_become_ours(
    error: Exception, cause: Exception | None, expected: type[ChatApiError]
) -> None:
    """Definite is only a connection that never came about. The foreign error is neither cause nor context."""
    ours = await end_of(Connections(raised(error, cause)))

    assert type(ours) is expected
    assert (ours.__cause__, ours.__context__) == (None, None)


async def test_an_expired_signature_is_renewed_and_the_call_repeated_once() -> None:
    moments: Iterator[float] = iter([MOMENT, MOMENT + 1, MOMENT + 2, MOMENT + 3])
    answers = iter([{"ErrorCode": 70001}, OK])
    connections = Connections(lambda _request: httpx.Response(200, json=next(answers)))
    async with client(connections, signature=signature(clock=lambda: next(moments))) as chat_api:
        assert await chat_api.send(REQUEST) == {}

    first, second = connections.queries
    assert first["usersig"] != second["usersig"]
    assert connections.requests[0].content == connections.requests[1].content


async def test_a_new_signature_that_is_refused_too_needs_a_person() -> None:
    """A clock is wrong; repeating for ever would not put it right."""
    connections = Connections(says({"ErrorCode": 70001, "ErrorInfo": "expired"}))
    error = await end_of(connections)

    assert type(error) is RenewSignature
    assert isinstance(error, NotAllowed)
    assert len(connections.requests) == 2


async def test_a_broken_limit_is_seen_before_anything_is_sent() -> None:
    connections = Connections(says(OK))
    async with client(connections) as chat_api:
        with pytest.raises(BrokenLimit, match="user 'alice': the tag"):
            await chat_api.add_tags({ALICE: ["x" * 51]})

    assert connections.requests == []


@pytest.mark.parametrize(
    "base_url",
    [
        "chat.test",
        "ftp://chat.test",
        "https://",
        "https://chat.test/v4",
        "https://chat.test?usersig=x",
        "https://a:b@chat.test",
    ],
)
def test_a_base_url_is_a_scheme_and_a_host(base_url: str) -> None:
    with pytest.raises(ValueError, match="address must be a scheme and a host"):
        client(Connections(says(OK)), base_url=base_url)


async def hold(reader: StreamReader, _writer: StreamWriter) -> None:
    """Take a request and never answer it."""
    await read_request(reader)
    await reader.read()


async def test_the_whole_call_is_bounded() -> None:
    """A server that takes the request and never answers may have applied it."""
    async with socket(hold) as base_url, client(base_url=base_url, request_timeout_seconds=0.2) as chat_api:
        with pytest.raises(TryAgain, match=re.escape("not within 0.2 seconds")) as caught:
            async with asyncio.timeout(10):  # only an unbounded call meets it
                await chat_api.send(REQUEST)

    assert caught.value.ambiguous


async def test_waiting_for_a_connection_counts_and_is_definite() -> None:
    """With one connection that is taken, the second request was certainly not sent."""
    async with (
        socket(hold) as base_url,
        client(base_url=base_url, request_timeout_seconds=1.0, connection_count=1) as chat_api,
    ):
        first = asyncio.create_task(chat_api.send(REQUEST))
        await asyncio.sleep(0)  # it asks for the connection first
        with pytest.raises(NotReached):
            await chat_api.send(REQUEST)
        with pytest.raises(TryAgain, match=re.escape("not within 1 seconds")):
            await first


async def test_a_request_that_may_no_longer_leave_is_not_written() -> None:
    """Whoever sends it is asked last, when the connection is there: of it and of the headers no byte is sent."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: StreamReader, _writer: StreamWriter) -> None:
        heard.set_result(await reader.read())

    async with socket(listen) as base_url:
        async with client(base_url=base_url) as chat_api:
            with pytest.raises(Withheld) as caught:
                await chat_api.send(REQUEST, may_leave=lambda: False)
        assert await asyncio.wait_for(heard, 10) == b""

    assert not caught.value.ambiguous
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_whether_a_request_may_leave_is_asked_after_all_that_takes_time() -> None:
    """A connection can take seconds, and a frozen process any time: an earlier yes says nothing any more."""
    connected = False

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal connected
            await asyncio.sleep(0)
            connected = True
            await request.aread()
            return httpx.Response(200, json=OK)

    async with client(Slow()) as chat_api:
        with pytest.raises(Withheld):
            await chat_api.send(REQUEST, may_leave=lambda: not connected)


async def test_a_repeat_with_a_new_signature_may_leave_or_not_by_itself() -> None:
    """The first answer said that nothing was applied; so the end is definite."""
    asked = iter([True, False])
    connections = Connections(says({"ErrorCode": 70001}))
    async with client(connections) as chat_api:
        with pytest.raises(Withheld):
            await chat_api.send(REQUEST, may_leave=lambda: next(asked))

    assert len(connections.requests) == 1


async def test_nobody_listening_is_definite() -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with client(base_url=f"http://127.0.0.1:{port}") as chat_api:
        with pytest.raises(NotReached, match="no connection"):
            await chat_api.send(REQUEST)


async def close(reader: StreamReader, _writer: StreamWriter) -> None:
    await read_request(reader)


async def reset(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


async def half(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"ErrorCode":0')
    await writer.drain()


async def gibberish(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize("behave", [close, reset, half, gibberish])
async def test_a_connection_that_breaks_after_the_request_is_ambiguous(
    behave: Callable[[StreamReader, StreamWriter], Awaitable[None]],
) -> None:
    """The request arrived whole; what became of it nobody knows. Nothing is repeated behind our back."""
    connections = 0

    async def counted(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await behave(reader, writer)

    async with socket(counted) as base_url, client(base_url=base_url) as chat_api:
        with pytest.raises(TryAgain) as caught:
            await chat_api.send(REQUEST)

    assert caught.value.ambiguous
    assert connections == 1


async def test_connections_are_kept_and_no_cookie_is() -> None:
    """Ten calls, one connection; what a server sets in a cookie is not sent back."""
    seen: list[bytes] = []
    connections = 0

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(10):
            seen.append(await read_request(reader))
            body = json.dumps(OK).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()

    async with socket(answer) as base_url:
        named = base_url.replace("127.0.0.1", "localhost")  # cookies belong to names, not to numbers
        async with client(base_url=named) as chat_api:
            for _ in range(10):
                assert await chat_api.send(REQUEST) == {}

    assert connections == 1
    assert len(seen) == 10
    assert not any(b"cookie" in request.lower() for request in seen)
    assert signature().current().get_secret_value().encode() in seen[0].replace(b"%2A", b"*")


async def test_cancelling_a_call_is_passed_on() -> None:
    """Stopping is not an error of the API."""
    started, never = asyncio.Event(), asyncio.Event()

    async def wait(_request: httpx.Request) -> httpx.Response:
        started.set()
        await never.wait()
        raise AssertionError("nobody sets it")

    async with client(Connections(wait)) as chat_api:
        call = asyncio.create_task(chat_api.send(REQUEST))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
