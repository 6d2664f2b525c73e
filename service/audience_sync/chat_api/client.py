"""The Chat API's five writing endpoints: one async method each."""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx
import msgspec
from pydantic import SecretStr

from audience_sync.chat_api import transport as connection
from audience_sync.chat_api.errors import (
    NO_ANSWER,
    NotAllowed,
    RenewSignature,
    SlowDown,
    TryAgain,
    error_class,
    refusal,
)
from audience_sync.chat_api.signature import Signature
from audience_sync.chat_api.wire import Answer, Family, decode, encode, path
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.verdicts import Refusal

_INFO_CHARACTERS: Final = 300
"""Of the API's words, this much is kept. Ours: the texts in the documentation are below 50."""

_CONNECTING_SHARE: Final = 0.5
"""Of the time for a call, what connecting may take. Ours: that no connection came is a definite end."""


class ChatApi:
    """The writing calls of one app. An async context manager; leaving it closes the connections.

    Safe for many calls at once, but never two for one user: the API promises no order. Every call is safe to
    repeat (inferred: what it writes is absolute). Nothing is repeated in here, but for one call with a new
    signature when the old one has expired.
    """

    def __init__(
        self,
        *,
        base_url: str,
        app_id: int,
        signature: Signature,
        request_timeout_seconds: float,
        connections: int,
        random: random.Random,
        family: Family = Family.ALL_MEMBER_PUSH,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take the parts; *base_url* is scheme and host, *transport* replaces real connections in tests."""
        base = httpx.URL(base_url)
        is_plain = base.raw_path in {b"", b"/"} and not base.userinfo
        if base.scheme not in {"http", "https"} or not base.host or not is_plain:
            raise ValueError("base_url must be a scheme and a host, such as https://console.tim.qq.com")
        self._urls = {endpoint: base.join(path(family, endpoint)) for endpoint in Endpoint}
        self._query = f"sdkappid={app_id}&identifier={quote(signature.admin, safe='')}&contenttype=json"
        self._signature, self._random = signature, random
        self._timeout_seconds = request_timeout_seconds
        connecting_seconds = request_timeout_seconds * _CONNECTING_SHARE
        self._http = httpx.AsyncClient(
            transport=connection.SignedTransport(transport or connection.connections(connections)),
            timeout=httpx.Timeout(None, connect=connecting_seconds, pool=connecting_seconds),
            headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "audience-sync"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def add_tags(self, tags: Mapping[UserId, Sequence[str]]) -> dict[UserId, Refusal]:
        """Add tags to users; a user carries a tag or does not.

        Takes:  {user: [tag, ...]}; 1-100 users, 1-10 tags each, a tag 1-50 bytes of UTF-8.
        Source: docs/chat-api.md#im_add_tag. Returns, errors, waiting: as `send`.
        """
        return await self.send(Request(Endpoint.ADD_TAGS, tags))

    async def remove_tags(self, tags: Mapping[UserId, Sequence[str]]) -> dict[UserId, Refusal]:
        """Remove tags from users; one that is not there is no error (inferred).

        Takes:  {user: [tag, ...]}; the limits of adding (the number of tags is inferred).
        Source: docs/chat-api.md#im_remove_tag. Returns, errors, waiting: as `send`.
        """
        return await self.send(Request(Endpoint.REMOVE_TAGS, tags))

    async def remove_all_tags(self, users: Collection[UserId]) -> dict[UserId, Refusal]:
        """Leave users without tags.

        Takes:  1-100 users.
        Source: docs/chat-api.md#im_remove_all_tags. Returns, errors, waiting: as `send`.
        """
        return await self.send(Request(Endpoint.REMOVE_ALL_TAGS, dict.fromkeys(users, ())))

    async def set_attributes(self, attributes: Mapping[UserId, Mapping[str, str]]) -> dict[UserId, Refusal]:
        """Set attributes of users; those not named stay as they are.

        Takes:  {user: {name: value}}; 1-100 users, 1-10 attributes each, name and value 1-50 bytes of UTF-8.
                The app's administrator has defined the names.
        Source: docs/chat-api.md#im_set_attr. Returns, errors, waiting: as `send`.
        """
        return await self.send(Request(Endpoint.SET_ATTRIBUTES, attributes))

    async def remove_attributes(self, attributes: Mapping[UserId, Sequence[str]]) -> dict[UserId, Refusal]:
        """Leave users without a value of the attributes named; one without a value is no error (inferred).

        Takes:  {user: [name, ...]}; 1-100 users, 1-10 names each. The app's administrator has defined them.
        Source: docs/chat-api.md#im_remove_attr. Returns, errors, waiting: as `send`.
        """
        return await self.send(Request(Endpoint.REMOVE_ATTRIBUTES, attributes))

    async def send(self, request: Request) -> dict[UserId, Refusal]:
        """Send *request* to its endpoint. Safe to repeat.

        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Raises:  a subclass of ChatApiError, which says what to do next and whether the request may have been
                 applied; BrokenLimit before anything is sent. None holds the address or the signature.
        Waits:   at most `request_timeout_seconds`, connecting and a second try with a new signature included.
                 The caller holds a permit of the endpoint.
        """
        body = encode(request)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._exchange(request, body)
        except TimeoutError:
            failure = TryAgain(request.endpoint, NO_ANSWER, f"not within {self._timeout_seconds:g} seconds")
        except connection.FOREIGN as error:
            failure = connection.failure(request.endpoint, error)
        raise failure  # outside the handlers: the foreign exception holds the address and is no context of it

    async def _exchange(self, request: Request, body: bytes) -> dict[UserId, Refusal]:
        used = self._signature.current()
        answer = await self._post(request.endpoint, body, used)
        if answer.code is not None and error_class(answer.code) is RenewSignature:
            used = self._signature.renew(instead_of=used)
            answer = await self._post(request.endpoint, body, used)
        return _refusals(request, answer, used)

    async def _post(self, endpoint: Endpoint, body: bytes, signature: SecretStr) -> Answer:
        response = await self._http.post(
            self._urls[endpoint], content=body, extensions={connection.QUERY: self._signed(signature)}
        )
        status = response.status_code
        if status >= 500 or status == 408:
            raise TryAgain(endpoint, status, "the HTTP status says that the server gave up")
        if status == 429:
            raise SlowDown(endpoint, status, "the HTTP status says that calls come too fast")
        try:
            answer = decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = Answer()
        if answer.code is None or (answer.code == 0 and status >= 300):
            if status >= 300:
                raise NotAllowed(
                    endpoint, status, "the HTTP status says that this is not the Chat API, or closed"
                )
            raise TryAgain(endpoint, NO_ANSWER, "the body is not an answer of the Chat API")
        return answer

    def _signed(self, signature: SecretStr) -> SecretStr:
        usersig = quote(signature.get_secret_value(), safe="*")
        return SecretStr(f"{self._query}&random={self._random.getrandbits(32)}&usersig={usersig}")


def _refusals(request: Request, answer: Answer, signature: SecretStr) -> dict[UserId, Refusal]:
    """The users that *answer* refuses by name; or raise what it says of the whole request."""

    def safe(info: str | None) -> str:
        hidden, secret = info or "", signature.get_secret_value()  # an answer may repeat the address
        for form in (secret, secret.replace("*", "%2A"), secret.replace("*", "%2a")):
            hidden = hidden.replace(form, "***")
        return hidden[:_INFO_CHARACTERS]

    assert answer.code is not None, "an answer without a code is not taken for one"
    refused: dict[UserId, Refusal] = {}
    stranger: Refusal | None = None
    for entry in answer.named or ():
        if entry.code == 0:
            continue
        user, said = UserId(str(entry.user)), refusal(entry.code, safe(entry.info))
        if user in request.parts:
            refused[user] = said
        else:
            stranger = said
    if answer.code != 0:
        raise error_class(answer.code)(request.endpoint, answer.code, safe(answer.info), named=refused)
    if answer.status == "FAIL":
        raise TryAgain(request.endpoint, 0, "the answer says both FAIL and 0")
    if stranger:  # somebody of the request is meant, and nobody can say who
        info = f"{stranger.info} (said of a user who is not in the request)"
        raise error_class(stranger.code)(request.endpoint, stranger.code, info, named=refused)
    return refused
