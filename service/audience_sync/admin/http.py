"""What the operator's page hears and says over HTTP: a request, an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

MOST_BODY_BYTES: Final = 256 * 1024
"""A form or a JSON object with the ids of some letters."""


class TooLongError(Exception):
    """The body is longer than anything that is meant here."""


@dataclass(frozen=True)
class Request:
    """One request, read whole."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    is_https: bool

    def form(self) -> dict[str, list[str]]:
        """The fields of a form; of one that is no UTF-8 what can be read."""
        fields: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True):
            fields.setdefault(name, []).append(value)
        return fields


@dataclass(frozen=True)
class Answer:
    """What is said in return."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


async def read_request(scope: Any, receive: Any) -> Request:
    """The request that an ASGI server hands over. Raises TooLongError."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BODY_BYTES:
            raise TooLongError
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    is_https = "https" in (scope.get("scheme"), headers.get("x-forwarded-proto"))
    return Request(scope["method"], scope["path"], query, headers, bytes(body), is_https)


async def send_answer(send: Any, answer: Answer) -> None:
    """Say it. Nothing of it is kept anywhere on the way."""
    headers = (
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        *answer.headers,
    )
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
