"""The admin port: /metrics, /livez, /readyz, /status, /operator; FastStream's ASGI application on uvicorn."""

import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any

import msgspec
import uvicorn
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry, make_asgi_app

from audience_sync.admin.operator_app import OperatorApp, is_ours
from audience_sync.admin.status import Status
from audience_sync.telemetry.health import not_live, not_ready


class PortTakenError(Exception):
    """The admin port can't be listened on."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: it would re-raise the signal, and close the port before the drain."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class AdminServer:
    """Serves until told to stop, which is after the drain: probes and metrics see it to its end."""

    def __init__(
        self,
        *,
        broker: KafkaBroker,
        registry: CollectorRegistry,
        status: Status,
        host: str,
        port: int,
        operator: OperatorApp | None = None,
    ) -> None:
        """Take the parts. operator: the page that a token opens; None: there is none."""

        @get
        async def livez(scope: Any) -> AsgiResponse:  # noqa: ARG001 - the framework's signature
            """Whether the process makes progress."""
            return _plain(not_live(status.state()))

        @get
        async def readyz(scope: Any) -> AsgiResponse:  # noqa: ARG001 - the framework's signature
            """Whether the service does its work, and why not."""
            return _plain(not_ready(status.state()))

        @get
        async def tell(scope: Any) -> AsgiResponse:  # noqa: ARG001 - the framework's signature
            """What the service is doing, as JSON."""
            return AsgiResponse(msgspec.json.encode(status.tell()), 200, {"Content-Type": "application/json"})

        app = AsgiFastStream(
            broker,
            asgi_routes=[
                ("/metrics", make_asgi_app(registry)),
                ("/livez", livez),
                ("/readyz", readyz),
                ("/status", tell),
            ],
            logger=logging.getLogger("audience_sync.faststream"),
        )
        self._host, self._port = host, port
        self._server = _Server(
            uvicorn.Config(
                app if operator is None else _with_operator(app, operator),
                lifespan="off",
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=2,
            )
        )

    def listen(self) -> socket.socket:
        """Take the port, and let callers queue on it. Raises PortTakenError."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(
            family, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # named: or Nagle delays answers
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
            listener.listen()  # who connects before `serve` waits
        except OSError as error:
            listener.close()
            raise PortTakenError(
                f"the admin port {self._host}:{self._port} can't be listened on: {error.strerror}; "
                "set AUDIENCE_SYNC_ADMIN__BIND_PORT to a free one"
            ) from error
        return listener

    async def serve(self, listener: socket.socket) -> None:
        """Answer on *listener* until `stop`."""
        await self._server.serve(sockets=[listener])

    def stop(self) -> None:
        """Let `serve` end; twice is harmless."""
        self._server.should_exit = True


def _with_operator(app: AsgiFastStream, operator: OperatorApp) -> Any:
    async def both(scope: Any, receive: Any, send: Any) -> None:
        ours = scope["type"] == "http" and is_ours(scope["path"])
        await (operator if ours else app)(scope, receive, send)

    return both


def _plain(reason: str | None) -> AsgiResponse:
    text = "ok" if reason is None else reason
    return AsgiResponse(f"{text}\n".encode(), 200 if reason is None else 503, {"Content-Type": "text/plain"})
