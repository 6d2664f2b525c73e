"""How connections to Kafka are protected from now on: login and certificates may change while a client lives.

aiokafka takes both when a client is made, and uses them for each connection until its end. So it is given a password
and a TLS context that ask, at each new connection, what counts then. Connections that stand are left alone.
"""

import ssl
from typing import Any, Final

from aiokafka import client
from aiokafka.conn import create_conn

from audience_sync.events.security import KafkaSecurity, tls_context


class Protection:
    """What each new connection is protected with. Reads the certificates: making one blocks."""

    def __init__(self, security: KafkaSecurity) -> None:
        """Take the first. Raises KafkaSecurityError for files that can't be used."""
        self.security = security
        self.tls = tls_context(security)

    def take(self, changed: "Protection") -> None:
        """Protect new connections like *changed*, login and certificates at once. The protocol stays as it is."""
        self.security, self.tls = changed.security, changed.tls

    @property
    def context(self) -> ssl.SSLContext | None:
        """A TLS context for a client that lives long; None without TLS."""
        return None if self.tls is None else _CurrentContext(self)

    @property
    def password(self) -> str:
        """A password for such a client of aiokafka: the one that counts now, which knows the ones that will."""
        return _CurrentPassword(self)


def log_in_as_told_last() -> None:
    """Let every client of aiokafka in this process log in with what counts when it connects. Safe to repeat."""
    client.create_conn = _connected


class _CurrentContext(ssl.SSLContext):
    """Begins each connection with the context that counts then. Event loops ask it for nothing else."""

    def __new__(cls, protection: Protection) -> "_CurrentContext":  # noqa: ARG004 - the base class wants a protocol
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, protection: Protection) -> None:
        self._protection = protection

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """As the context that counts now does it."""
        current = self._protection.tls
        assert current is not None, "the protocol stays as it is"
        return current.wrap_bio(*args, **options)


class _CurrentPassword(str):
    """The password that counted when a client was made; `login` has what counts now. It does not show itself."""

    __slots__ = ("_protection",)
    _protection: Protection

    def __new__(cls, protection: Protection) -> "_CurrentPassword":
        made = super().__new__(cls, _login(protection)[1])
        made._protection = protection
        return made

    @property
    def login(self) -> tuple[str, str]:
        """User and password, of one generation."""
        return _login(self._protection)

    def __repr__(self) -> str:
        return "'**********'"


_MADE_WITH: Final = ("sasl_plain_username", "sasl_plain_password")


async def _connected(*args: Any, **options: Any) -> Any:
    """A connection of aiokafka, with the login that counts now."""
    if isinstance(password := options.get("sasl_plain_password"), _CurrentPassword):
        options |= zip(_MADE_WITH, password.login, strict=True)
    return await create_conn(*args, **options)


def _login(protection: Protection) -> tuple[str, str]:
    security = protection.security
    assert security.username is not None, "checked when the security was made"
    assert security.password is not None, "checked when the security was made"
    return security.username, security.password.get_secret_value()
