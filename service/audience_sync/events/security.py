"""How a connection to Kafka is protected."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import SecretStr


class KafkaSecurityError(ValueError):
    """The security settings can't be used: the message names the setting and the way out, never a secret."""


class Protocol(StrEnum):
    """What lies between TCP and Kafka's own protocol; Kafka's names."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class Mechanism(StrEnum):
    """How the service proves who it is; Kafka's names."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"


_WITH_TLS: Final = frozenset({Protocol.SSL, Protocol.SASL_SSL})
_WITH_SASL: Final = frozenset({Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL})


@dataclass(frozen=True, kw_only=True)
class KafkaSecurity:
    """How to reach Kafka: protocol, and what it needs. Raises KafkaSecurityError when a part is missing.

    Certificates are read when a client is made. *token* is asked, in a thread, for each connection that
    authenticates with OAUTHBEARER.
    """

    protocol: Protocol = Protocol.PLAINTEXT
    mechanism: Mechanism | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    token: Callable[[], SecretStr] | None = None

    def __post_init__(self) -> None:
        missing = []
        if self.uses_sasl and self.mechanism is None:
            missing.append(f"sasl_mechanism (one of {', '.join(Mechanism)})")
        if self.uses_sasl and self.mechanism is Mechanism.OAUTHBEARER and self.token is None:
            missing.append("sasl_token_file")
        if self.uses_sasl and self.mechanism not in (None, Mechanism.OAUTHBEARER):
            has_password = self.password is not None and self.password.get_secret_value()
            given = {"sasl_username": self.username, "sasl_password": has_password}
            missing += [name for name, value in given.items() if not value]
        if (self.cert_file is None) != (self.key_file is None):
            missing.append("ssl_certificate_file" if self.cert_file is None else "ssl_key_file")
        if missing:
            way = f" with {self.mechanism}" if self.uses_sasl and self.mechanism else ""
            raise KafkaSecurityError(
                f"Kafka security {self.protocol}{way} also needs {' and '.join(missing)}"
            )

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol in _WITH_TLS

    @property
    def uses_sasl(self) -> bool:
        """Whether the service says who it is over SASL."""
        return self.protocol in _WITH_SASL


def token_from(token_file: Path) -> Callable[[], SecretStr]:
    """A token that is read from *token_file* at each use: whatever renews it only writes the file."""

    def token() -> SecretStr:
        try:
            text = token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KafkaSecurityError(
                f"sasl_token_file {token_file} can't be read: {_reason(error)}"
            ) from error
        if not text:
            raise KafkaSecurityError(
                f"sasl_token_file {token_file} is empty; it must hold the token and nothing else"
            )
        return SecretStr(text)

    return token


def tls_context(security: KafkaSecurity) -> ssl.SSLContext | None:
    """The TLS context, which verifies the broker and its name; None without TLS. Reads files: it blocks."""
    if not security.uses_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=security.ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise KafkaSecurityError(
            f"ssl_ca_file {security.ca_file} is no list of certificates: {_reason(error)}"
        ) from error
    if security.cert_file is not None and security.key_file is not None:
        try:
            # with no password given, OpenSSL would ask for that of an encrypted key on the terminal, and wait
            context.load_cert_chain(security.cert_file, security.key_file, password="")
        except (OSError, ValueError) as error:
            files = f"ssl_certificate_file {security.cert_file} and ssl_key_file {security.key_file}"
            raise KafkaSecurityError(
                f"{files} can't be used together: {_reason(error)}; both in PEM, the key not encrypted"
            ) from error
    return context


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
