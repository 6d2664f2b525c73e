"""A way to the Chat API that remembers when something passed: one a replica, to tell their requests apart."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import Final
from urllib.parse import urlsplit

PIECE_BYTES: Final = 65_536


class Relay:
    """Forwards connections on loopback; `heard_at` are the moments (epoch seconds) of what came from the caller."""

    def __init__(self, listener: socket.socket, to: tuple[str, int]) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._listener, self._to = listener, to
        self._lock = Lock()
        self._heard_at: list[float] = []
        self._open: set[socket.socket] = set()

    @property
    def heard_at(self) -> list[float]:
        """When the caller has said something, oldest first."""
        with self._lock:
            return list(self._heard_at)

    def run(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                Thread(target=self._serve, args=(caller,), daemon=True).start()

    def close(self) -> None:
        """Take no more, and break what is open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _serve(self, caller: socket.socket) -> None:
        with caller, suppress(OSError), socket.create_connection(self._to) as api:
            with self._lock:
                self._open |= {caller, api}
            back = Thread(target=self._forward, args=(api, caller), daemon=True)
            back.start()
            self._forward(caller, api, heard=True)
            back.join()
            with self._lock:
                self._open -= {caller, api}

    def _forward(self, come: socket.socket, go: socket.socket, *, heard: bool = False) -> None:
        with suppress(OSError):
            while piece := come.recv(PIECE_BYTES):
                if heard:
                    with self._lock:
                        self._heard_at.append(time.time())
                go.sendall(piece)
        for each in (come, go):  # one side has gone, so the other one is of no use
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay_to(url: str, *, port: int = 0) -> Iterator[Relay]:
    """A relay to the address for the block; on a free port, if none is given."""
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    listener = socket.create_server(("127.0.0.1", port))
    relay = Relay(listener, (address.hostname, address.port))
    Thread(target=relay.run, daemon=True).start()
    try:
        yield relay
    finally:
        relay.close()
