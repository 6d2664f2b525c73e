"""Whether a broker takes a SASL mechanism, asked before any credentials are shown."""

import socket
import struct
from typing import Final

from audience_sync.events.security import Mechanism

_SASL_HANDSHAKE: Final = 17
_VERSION: Final = 1
_UNSUPPORTED_MECHANISM: Final = 33
_NO_SASL_HERE: Final = 34
_MOST_BYTES: Final = 65_536
"""Of an answer. A longer one is none of Kafka's."""


def mechanism_refused(connection: socket.socket, mechanism: Mechanism) -> str | None:
    """Why the broker does not take *mechanism*, with the way out.

    None if it does, or if nothing can be made of its answer: what comes next tells more. Waits as long as the
    connection's own time-out. Source of the numbers: Kafka's protocol guide, SaslHandshake and its error codes.
    """
    name = mechanism.encode()
    asked = struct.pack(f">hhihh{len(name)}s", _SASL_HANDSHAKE, _VERSION, 0, -1, len(name), name)
    try:
        connection.sendall(struct.pack(">i", len(asked)) + asked)
        (size,) = struct.unpack(">i", _read(connection, 4))
        if not 10 <= size <= _MOST_BYTES:
            return None
        code, offered = _understood(_read(connection, size))
    except (OSError, struct.error, UnicodeDecodeError):
        return None
    if code == _UNSUPPORTED_MECHANISM:
        return f"the broker does not take {mechanism}, but {', '.join(offered)}; correct sasl_mechanism"
    if code == _NO_SASL_HERE:
        return "that port asks nobody who he is; correct security_protocol, or the port"
    return None


def _understood(answer: bytes) -> tuple[int, list[str]]:
    """Code, and the mechanisms that the broker takes."""
    _, code, count = struct.unpack_from(">ihi", answer)
    offered, at = [], 10
    for _ in range(count):
        (length,) = struct.unpack_from(">h", answer, at)
        (name,) = struct.unpack_from(f">{length}s", answer, at + 2)
        offered.append(name.decode())
        at += 2 + length
    return code, offered


def _read(connection: socket.socket, size: int) -> bytes:
    """Exactly so many bytes. Raises ConnectionError if the other side ends before."""
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise ConnectionError
        got += more
    return got
