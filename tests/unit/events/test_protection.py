"""Login and certificates that change while a client of Kafka lives."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr

from audience_sync.events import protection
from audience_sync.events.protection import Protection
from audience_sync.events.security import KafkaSecurity, KafkaSecurityError, Mechanism, Protocol
from audience_sync.events.security_parameters import aiokafka_parameters
from tests.support.certificates import Authority, authority, written


def login(user: str, password: str) -> Protection:
    """What logs in so."""
    return Protection(
        KafkaSecurity(
            protocol=Protocol.SASL_PLAINTEXT,
            mechanism=Mechanism.PLAIN,
            username=user,
            password=SecretStr(password),
        )
    )


async def test_each_connection_logs_in_with_what_counts_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password of one generation, in a client of aiokafka that was made before."""
    shown: list[tuple[str, str]] = []

    async def refused(*_: Any, **options: Any) -> None:
        shown.append((options["sasl_plain_username"], options["sasl_plain_password"]))
        raise KafkaConnectionError

    monkeypatch.setattr(protection, "create_conn", refused)
    current = login("first", "one")
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1", **aiokafka_parameters(current))

    for changed in (None, login("second", "two"), login("second", "three")):
        if changed is not None:
            current.take(changed)
        with pytest.raises(KafkaConnectionError):
            await client.bootstrap()

    assert shown == [("first", "one"), ("second", "two"), ("second", "three")]
    assert all(type(password) is str for _, password in shown)


def test_the_password_shows_itself_in_no_list_of_parameters() -> None:
    """Whoever prints what a client was made with."""
    assert "planted" not in repr(aiokafka_parameters(login("svc", "planted")))


@pytest.mark.parametrize(("user", "password"), [("", "one"), ("first", "")])
def test_a_login_with_an_empty_part_is_none(user: str, password: str) -> None:
    """A file that is being written may be empty for a moment."""
    with pytest.raises(KafkaSecurityError, match="also needs sasl_"):
        login(user, password)


@asynccontextmanager
async def broker(trusted: Authority, folder: Path) -> AsyncIterator[int]:
    """Somebody at a port who has a certificate of *trusted*, and asks for one of it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=trusted.pem())
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(written(trusted.server(), folder / "broker.pem"))

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def certified(trusted: Authority, folder: Path) -> Protection:
    """What trusts an authority, and has a certificate of it."""
    own = written(trusted.server(), folder / "own.pem")
    ca = written(trusted.pem(), folder / "ca.pem")
    return Protection(KafkaSecurity(protocol=Protocol.SSL, ca_file=ca, cert_file=own, key_file=own))


async def greeted(port: int, context: ssl.SSLContext | None) -> bytes:
    """What is said to a connection with this context."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_each_connection_begins_with_the_certificates_that_count_then(tmp_path: Path) -> None:
    """The former authority is trusted no more, and the new one was not before."""
    first, second = authority("first"), authority("second")
    current = certified(first, tmp_path)
    context = aiokafka_parameters(current)["ssl_context"]

    async with broker(first, tmp_path) as port:
        assert await greeted(port, context) == b"hello"
    async with broker(second, tmp_path) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeted(port, context)
        current.take(certified(second, tmp_path))
        assert await greeted(port, context) == b"hello"
    async with broker(first, tmp_path) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeted(port, context)


def test_without_tls_there_is_no_context() -> None:
    assert aiokafka_parameters(Protection(KafkaSecurity()))["ssl_context"] is None
