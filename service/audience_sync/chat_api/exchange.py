"""One call: a signed body to its path, and back an answer, or what the missing of one means."""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Final
from urllib.parse import quote

import httpx
import msgspec
from pydantic import SecretStr

from audience_sync.chat_api import transport as connection
from audience_sync.chat_api.answers import ANSWER, Answer
from audience_sync.chat_api.errors import (
    NO_ANSWER,
    ChatApiError,
    NotAllowed,
    NotReached,
    RenewSignature,
    SlowDown,
    TryAgain,
    Withheld,
    error_class,
)
from audience_sync.chat_api.hosts import Choice, Hosts
from audience_sync.chat_api.signature import Signature

_CONNECTING_SHARE: Final = 0.4
"""Of the time for a call, what connecting to one host may take. Ours: that no connection came is a definite end,
and there is time for a second host."""


_HEADERS: Final = (
    ("Content-Type", "application/json; charset=utf-8"),
    ("User-Agent", "audience-sync"),
    ("Accept-Encoding", "gzip, deflate"),
)


MayLeave = Callable[[], bool]
"""Is asked when a request is about to be written to its connection; if it says no, nothing is sent."""


def always() -> bool:
    """A request may leave whenever its turn comes."""
    return True


class Reply(msgspec.Struct, frozen=True):
    """What came back: what every answer says, with a code that may say anything; and the whole as it came."""

    answer: Answer
    body: bytes


class Exchange:
    """Calls of one app: where they go, who signs them, how long they may take.

    Requests go to httpx's transport, without the client before it: it would log each address, which holds the
    signature, keep cookies and follow redirects, none of which is wanted here, and cost as much as the rest.

    Nothing is repeated in here but what surely was not applied: once with a new signature when the old one has
    expired, once at the other host when the first could not be reached.
    """

    def __init__(
        self,
        *,
        app_id: int,
        signature: Signature,
        hosts: Hosts,
        timeout_seconds: float,
        random: Random,
        transport: httpx.AsyncBaseTransport,
    ) -> None:
        self._query = f"sdkappid={app_id}&identifier={quote(signature.admin, safe='')}&contenttype=json"
        self._signature, self._random = signature, random
        self._hosts = Choice(hosts)
        self._timeout_seconds = timeout_seconds
        connecting_seconds = timeout_seconds * _CONNECTING_SHARE
        self._transport = transport
        timeout = httpx.Timeout(None, connect=connecting_seconds, pool=connecting_seconds)
        self._extensions = {"timeout": timeout.as_dict()}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def call(self, name: str, path: str, body: bytes, *, may_leave: MayLeave = always) -> Reply:
        """Send *body* to *path*.

        Raises:  TryAgain, SlowDown, NotAllowed, called *name*, when no answer came; Withheld, when it may no
                 longer leave. None holds the address.
        Waits:   at most the time for a call, all that is repeated included.
        """
        content = _Body(body, may_leave)
        failure: ChatApiError
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._signed(name, path, content)
        except TimeoutError:
            failure = TryAgain(name, NO_ANSWER, f"not within {self._timeout_seconds:g} seconds")
        except connection.FOREIGN as error:
            failure = connection.failure(name, error)
        if content.withheld:
            failure = Withheld(name, NO_ANSWER, "it was not sent, for it may no longer leave")
        raise failure  # outside the handlers: the foreign exception holds the address and is no context of it

    async def _signed(self, name: str, path: str, body: "_Body") -> Reply:
        used = self._signature.current()
        reply = _reply(name, await self._reached(name, path, body, used), used)
        if reply.answer.code is not None and error_class(reply.answer.code) is RenewSignature:
            used = self._signature.renew(instead_of=used)
            reply = _reply(name, await self._reached(name, path, body, used), used)
        return reply

    async def _reached(self, name: str, path: str, body: "_Body", signature: SecretStr) -> httpx.Response:
        now = asyncio.get_running_loop().time
        host = self._hosts.first(now())
        try:
            return await self._post(host, path, body, signature)
        except connection.FOREIGN as error:
            reached = not isinstance(connection.failure(name, error), NotReached)
            other = None if reached else self._hosts.instead_of(host, now())
            if other is None:
                raise
        return await self._post(other, path, body, signature)

    async def _post(self, host: str, path: str, body: "_Body", signature: SecretStr) -> httpx.Response:
        usersig = quote(signature.get_secret_value(), safe="*")
        query = f"{self._query}&random={self._random.getrandbits(32)}&usersig={usersig}"
        address = f"{host.rstrip('/')}{path}?{query}"
        headers = (*_HEADERS, ("Content-Length", str(body.length)))
        request = httpx.Request("POST", address, headers=headers, content=body, extensions=self._extensions)
        response = await self._transport.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response


class _Body(httpx.AsyncByteStream):
    """What a request carries. It is fetched when the connection is there, and written with the headers at once.

    So this is the last moment that a request can be kept back. A process that is frozen wakes up anywhere: before
    it, it may no longer be the one to send; after it, only a few instructions and the socket's write are left.
    """

    def __init__(self, content: bytes, may_leave: MayLeave) -> None:
        self.length, self.withheld = len(content), False
        self._content, self._may_leave = content, may_leave

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not self._may_leave():
            self.withheld = True
            raise httpx.WriteError("it may no longer leave")
        yield self._content


def _reply(name: str, response: httpx.Response, signature: SecretStr) -> Reply:
    """The answer in *response*; it has a code. Raises what an HTTP status or a body that is none means."""
    status = response.status_code
    if status >= 500 or status == 408:
        raise TryAgain(name, status, "the HTTP status says that the server gave up")
    if status == 429:
        raise SlowDown(name, status, "the HTTP status says that calls come too fast")
    body = _without(signature, response.content)
    try:
        answer = ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = Answer()
    if answer.code is None or (answer.code == 0 and status >= 300):
        if status >= 300:
            raise NotAllowed(name, status, "the HTTP status says that this is not the Chat API, or closed")
        raise TryAgain(name, NO_ANSWER, "the body is not an answer of the Chat API")
    return Reply(answer, body)


def _without(signature: SecretStr, body: bytes) -> bytes:
    """*body* without the signature: an answer may repeat the address."""
    secret = signature.get_secret_value()
    for form in (secret, secret.replace("*", "%2A"), secret.replace("*", "%2a")):
        body = body.replace(form.encode(), b"***")
    return body
