"""The security of a connection, as each of the client libraries wants to be told it."""

from asyncio import to_thread
from collections.abc import Callable
from typing import Any, TypedDict

from aiokafka.abc import AbstractTokenProvider
from faststream.kafka.security import parse_security
from faststream.security import (
    BaseSecurity,
    SASLOAuthBearer,
    SASLPlaintext,
    SASLScram256,
    SASLScram512,
)
from pydantic import SecretStr

from audience_sync.events.protection import Protection, log_in_as_told_last
from audience_sync.events.security import KafkaSecurity, Mechanism, tls_context


class BrokerParameters(TypedDict, total=False):
    """What FastStream's KafkaBroker is given."""

    security: BaseSecurity
    sasl_oauth_token_provider: AbstractTokenProvider


def faststream_parameters(protection: Protection) -> BrokerParameters:
    """Keyword arguments for FastStream's KafkaBroker, and so for aiokafka: each connection asks what counts then."""
    log_in_as_told_last()
    security, context = protection.security, protection.context
    if not security.uses_sasl:
        return {"security": BaseSecurity(ssl_context=context)}
    if security.mechanism is Mechanism.OAUTHBEARER:
        assert security.token is not None, "checked when the security was made"
        provider = _AsyncTokens(security.token)
        return {"security": SASLOAuthBearer(ssl_context=context), "sasl_oauth_token_provider": provider}
    kinds = {
        Mechanism.PLAIN: SASLPlaintext,
        Mechanism.SCRAM_SHA_256: SASLScram256,
        Mechanism.SCRAM_SHA_512: SASLScram512,
    }
    assert security.mechanism is not None, "checked when the security was made"
    assert security.username is not None, "checked when the security was made"
    login = kinds[security.mechanism](security.username, protection.password, ssl_context=context)
    return {"security": login}


def aiokafka_parameters(protection: Protection) -> dict[str, Any]:
    """Keyword arguments for clients of aiokafka, as FastStream would give them."""
    told = faststream_parameters(protection)
    provider = told.get("sasl_oauth_token_provider")
    tokens = {} if provider is None else {"sasl_oauth_token_provider": provider}
    return {**parse_security(told["security"]), **tokens}


def kafka_python_parameters(security: KafkaSecurity) -> dict[str, object]:
    """Keyword arguments for the clients of kafka-python-ng. Reads files: it blocks.

    Raises KafkaSecurityError for a certificate or token that can't be used.
    """
    parameters: dict[str, object] = {"security_protocol": security.protocol.value}
    if security.uses_tls:
        parameters["ssl_context"] = tls_context(security)
    if not security.uses_sasl:
        return parameters
    assert security.mechanism is not None, "checked when the security was made"
    parameters["sasl_mechanism"] = security.mechanism.value
    if security.mechanism is Mechanism.OAUTHBEARER:
        assert security.token is not None, "checked when the security was made"
        security.token()  # the library would hide that there is none
        parameters["sasl_oauth_token_provider"] = _Tokens(security.token)
    else:
        username, password = _named(security)
        parameters |= {"sasl_plain_username": username, "sasl_plain_password": _Unprinted(password)}
    return parameters


class _AsyncTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types that hold
    """Tokens for aiokafka."""

    def __init__(self, token: Callable[[], SecretStr]) -> None:
        self._token = token

    async def token(self) -> str:
        return (await to_thread(self._token)).get_secret_value()


class _Tokens:
    """Tokens for kafka-python-ng, which asks for a method of this name and no more."""

    def __init__(self, token: Callable[[], SecretStr]) -> None:
        self._token = token

    def token(self) -> str:
        return self._token().get_secret_value()


class _Unprinted(str):
    """A password for kafka-python-ng, which writes its whole configuration to its log at DEBUG."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'"

    __str__ = __repr__


def _named(security: KafkaSecurity) -> tuple[str, str]:
    assert security.username is not None, "checked when the security was made"
    assert security.password is not None, "checked when the security was made"
    return security.username, security.password.get_secret_value()
