"""What is made of a broker's answer to the question whether it takes a mechanism."""

import socket
import struct

import pytest

from audience_sync.events.sasl_handshake import mechanism_refused
from audience_sync.events.security import Mechanism


def answer(code: int, *mechanisms: bytes) -> bytes:
    """As the protocol guide has it."""
    names = b"".join(struct.pack(">h", len(name)) + name for name in mechanisms)
    body = struct.pack(">ihi", 0, code, len(mechanisms)) + names
    return struct.pack(">i", len(body)) + body


def made_of(said: bytes) -> tuple[str | None, bytes]:
    """What is told of this answer, and what had been asked."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(2)
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        told = mechanism_refused(ours, Mechanism.SCRAM_SHA_256)
        return told, theirs.recv(1000)


def test_a_mechanism_that_is_not_offered_is_told_with_those_that_are() -> None:
    """And with the setting."""
    told, _ = made_of(answer(33, b"SCRAM-SHA-512", b"PLAIN"))
    assert told == "the broker does not take SCRAM-SHA-256, but SCRAM-SHA-512, PLAIN; correct sasl_mechanism"


def test_a_port_without_sasl_is_told_as_that() -> None:
    """The mechanism is not what is wrong."""
    told, _ = made_of(answer(34))
    assert told == "that port asks nobody who he is; correct security_protocol, or the port"


@pytest.mark.parametrize(
    "said",
    [
        answer(0, b"SCRAM-SHA-256"),
        answer(35),
        b"",
        answer(33, b"PLAIN")[:-2],
        answer(33, b"\xff\xfe"),
        struct.pack(">i", 2**31 - 1),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=["taken", "other code", "closed", "cut off", "no text", "too long", "no Kafka"],
)
def test_what_says_nothing_of_the_mechanism_refuses_nothing(said: bytes) -> None:
    """What comes next tells more."""
    told, _ = made_of(said)
    assert told is None


def test_nothing_but_the_mechanism_is_sent() -> None:
    """No credentials, and no name of the user."""
    _, asked = made_of(b"")
    assert asked == b"\x00\x00\x00\x19\x00\x11\x00\x01\x00\x00\x00\x00\xff\xff\x00\x0dSCRAM-SHA-256"
