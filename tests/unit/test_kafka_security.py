"""The security of a connection: what must be given, what each library is told, and that nothing leaks."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from faststream.kafka import KafkaBroker
from faststream.kafka.security import parse_security
from faststream.security import SASLOAuthBearer
from pydantic import SecretStr

from audience_sync.events.protection import Protection
from audience_sync.events.security import (
    KafkaSecurity,
    KafkaSecurityError,
    Mechanism,
    Protocol,
    tls_context,
    token_from,
)
from audience_sync.events.security_parameters import faststream_parameters, kafka_python_parameters

SECRET = "planted-password"


def sasl(mechanism: Mechanism, protocol: Protocol = Protocol.SASL_SSL) -> KafkaSecurity:
    return KafkaSecurity(protocol=protocol, mechanism=mechanism, username="svc", password=SecretStr(SECRET))


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({"protocol": Protocol.SASL_SSL}, r"SASL_SSL also needs sasl_mechanism \(one of PLAIN, "),
        (
            {"protocol": Protocol.SASL_PLAINTEXT, "mechanism": Mechanism.PLAIN},
            "with PLAIN also needs sasl_username and sasl_password",
        ),
        (
            {"protocol": Protocol.SASL_SSL, "mechanism": Mechanism.SCRAM_SHA_256, "username": "a"},
            "also needs sasl_password",
        ),
        (
            {"protocol": Protocol.SASL_SSL, "mechanism": Mechanism.OAUTHBEARER},
            "with OAUTHBEARER also needs sasl_token_file",
        ),
        ({"protocol": Protocol.SSL, "cert_file": Path("c")}, "SSL also needs ssl_key_file"),
        ({"protocol": Protocol.SSL, "key_file": Path("k")}, "SSL also needs ssl_certificate_file"),
    ],
)
def test_what_is_missing_is_named(given: dict[str, Any], needed: str) -> None:
    """A client library would say so when the first connection fails, in its own words, or not at all."""
    with pytest.raises(KafkaSecurityError, match=needed):
        KafkaSecurity(**given)


@pytest.mark.parametrize("mechanism", [Mechanism.PLAIN, Mechanism.SCRAM_SHA_256, Mechanism.SCRAM_SHA_512])
@pytest.mark.parametrize("protocol", [Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL])
def test_both_libraries_are_told_the_same(mechanism: Mechanism, protocol: Protocol) -> None:
    """One is used before reading and one for it: a preflight over another way would prove nothing."""
    security = sasl(mechanism, protocol)

    aiokafka = parse_security(faststream_parameters(Protection(security))["security"])
    kafka_python = kafka_python_parameters(security)

    names = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    assert [aiokafka[name] for name in names] == [protocol.value, mechanism.value, "svc", SECRET]
    assert [kafka_python[name] for name in names] == [aiokafka[name] for name in names]
    assert isinstance(kafka_python.get("ssl_context"), ssl.SSLContext) is (protocol is Protocol.SASL_SSL)


@pytest.mark.parametrize("protocol", [Protocol.PLAINTEXT, Protocol.SSL])
def test_without_sasl_only_the_protocol_is_told(protocol: Protocol) -> None:
    parameters = parse_security(
        faststream_parameters(Protection(KafkaSecurity(protocol=protocol)))["security"]
    )

    assert parameters["security_protocol"] == protocol.value
    assert (parameters["ssl_context"] is not None) is (protocol is Protocol.SSL)


async def test_the_token_is_read_again_at_each_use(tmp_path: Path) -> None:
    """Whatever renews the token only writes the file; nothing has to be restarted."""
    file = tmp_path / "token"
    file.write_text("first\n")
    security = KafkaSecurity(
        protocol=Protocol.SASL_SSL, mechanism=Mechanism.OAUTHBEARER, token=token_from(file)
    )
    parameters = faststream_parameters(Protection(security))
    provider = parameters["sasl_oauth_token_provider"]
    other_provider: Any = kafka_python_parameters(security)["sasl_oauth_token_provider"]

    first = await provider.token()
    file.write_text("second")

    assert isinstance(parameters["security"], SASLOAuthBearer)
    assert [first, await provider.token(), other_provider.token()] == ["first", "second", "second"]


@pytest.mark.parametrize(
    ("content", "why"), [(None, "can't be read"), (b"", "is empty"), (b"\xff", "can't be read")]
)
def test_a_token_file_that_holds_none_is_told_before_anything_connects(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    security = KafkaSecurity(
        protocol=Protocol.SASL_SSL, mechanism=Mechanism.OAUTHBEARER, token=token_from(file)
    )

    with pytest.raises(KafkaSecurityError, match=f"sasl_token_file {file} {why}"):
        kafka_python_parameters(security)


def test_a_tls_context_verifies_the_broker_and_its_name() -> None:
    """The library's own default takes a broker without a certificate."""
    context = tls_context(KafkaSecurity(protocol=Protocol.SSL))

    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_certificate_and_key_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_text("none")
    key.write_text("none")

    with pytest.raises(
        KafkaSecurityError, match=r"ssl_certificate_file .*cert\.pem and ssl_key_file .*key\.pem"
    ):
        tls_context(KafkaSecurity(protocol=Protocol.SSL, cert_file=cert, key_file=key))


def test_the_password_is_in_nothing_that_is_printed() -> None:
    security = sasl(Mechanism.PLAIN)
    parameters = kafka_python_parameters(security)

    shown = f"{security} {security!r} {parameters} {parameters['sasl_plain_password']}"

    assert SECRET not in shown


async def test_faststream_takes_the_parameters() -> None:
    """A keyword that a new version no longer knows would show only in production."""
    for security in (KafkaSecurity(), sasl(Mechanism.SCRAM_SHA_512)):
        assert KafkaBroker("127.0.0.1:1", **faststream_parameters(Protection(security))) is not None
