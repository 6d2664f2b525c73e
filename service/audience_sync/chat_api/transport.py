"""Connections to the Chat API, and what is said when one breaks: nothing that holds an address with its signature."""

import functools
import ssl
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from audience_sync.chat_api.errors import NO_ANSWER, NotReached, TryAgain

IDLE_SECONDS: Final = 4.0
"""A connection unused for this long is closed by us. Ours: below the 5 s of common servers.

Otherwise a request could meet a connection that is just being closed, and nobody could say if it was applied.
"""


def connections(most: int) -> httpx.AsyncBaseTransport:
    """A pool of up to *most* connections on aiohttp: nothing from the environment, no cookies."""
    context = _trusted()
    return AiohttpTransport(verify=context, trust_env=False, client=lambda: _session(most, context))


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Who is trusted: read once, for it takes longer than many calls."""
    return httpx.create_ssl_context(trust_env=False)


def _session(most: int, context: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=most, keepalive_timeout=IDLE_SECONDS, ssl=context),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


FOREIGN: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, aiohttp.ClientError, OSError)
"""What a call raises when it does not end with an answer. Their texts may hold the address."""


def failure(endpoint: str, error: Exception) -> TryAgain:
    """*error* as one of ours: its kind, and whether a connection came about; not its text.

    httpx's own class is not enough: httpx-aiohttp turns every broken connection, also one that breaks after
    the request was written, into ConnectTimeout. The cause tells them apart.
    """
    match cause := error.__cause__ or error:
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            connected = False
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            connected = False
        case _:
            connected = True
    kind = type(cause).__name__
    if connected:
        return TryAgain(endpoint, NO_ANSWER, f"the connection broke ({kind})")
    return NotReached(endpoint, NO_ANSWER, f"no connection ({kind})")
