"""A schema registry as far as it is asked for schemas, over HTTP, written from Confluent's documented API.

What a real one in the tests can't do: refuse credentials, answer nonsense, and serve Protobuf serialised.
"""

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class RegistryServer:
    """Schemas by id and by subject and version, and what is wrong just now."""

    def __init__(self) -> None:
        self.schemas: dict[int, dict[str, Any]] = {}
        self.versions: dict[tuple[str, int], dict[str, Any]] = {}
        self.serialised: dict[str, str] = {}
        """The serialised form of a Protobuf schema, by its text."""
        self.credentials: str | None = None
        self.broken: tuple[int, bytes] | None = None
        self.asked: list[str] = []
        self.url = ""

    def answer(self, path: str, authorization: str | None) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(path)
        if self.broken is not None:
            return self.broken
        if self.credentials is not None and authorization != basic(self.credentials):
            return 401, b'{"error_code": 401, "message": "Unauthorized"}'
        parts = urlsplit(path)
        match [unquote(part) for part in parts.path.strip("/").split("/")]:
            case ["schemas", "ids", number]:
                schema = self.schemas.get(int(number))
                missing = 40403, "Schema not found"
            case ["subjects", subject, "versions", number]:
                schema = self.versions.get((subject, int(number)))
                missing = 40402, "Version not found"
            case _:
                return 404, b"<html>no such page</html>"
        if schema is None:
            return 404, json.dumps({"error_code": missing[0], "message": missing[1]}).encode()
        if parse_qs(parts.query).get("format") == ["serialized"]:
            schema = schema | {"schema": self.serialised.get(schema["schema"], schema["schema"])}
        return 200, json.dumps(schema).encode()


def basic(credentials: str) -> str:
    """The header that carries `user:password`."""
    return f"Basic {b64encode(credentials.encode()).decode()}"


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[RegistryServer]:
    """A registry on a free port of loopback; over TLS with a *context*."""
    registry = RegistryServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer."""
            status, body = registry.answer(self.path, self.headers.get("Authorization"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    registry.url = f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
