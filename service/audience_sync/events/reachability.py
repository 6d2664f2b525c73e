"""Whether a broker can be reached: name, port, TLS and mechanism, each told apart. The client libraries don't."""

import socket
import ssl
import time

from audience_sync.events.sasl_handshake import mechanism_refused
from audience_sync.events.security import KafkaSecurity, tls_context

_KAFKA_PORT = 9092


def unreachable(bootstrap: str, security: KafkaSecurity, timeout_seconds: float) -> str | None:
    """Why none of the addresses takes a connection, with the way out; None as soon as one does.

    Raises KafkaSecurityError when a certificate can't be used. Sends TLS's own greeting and the mechanism's name,
    and no credentials. Looking up a name may take longer than *timeout_seconds*: the system decides.
    """
    context = tls_context(security)
    deadline = time.monotonic() + timeout_seconds
    reasons: list[str] = []
    for address in bootstrap.split(","):
        reason = _reason(address.strip(), security, context, deadline)
        if reason is None:
            return None
        reasons.append(reason)
    return "; ".join(reasons)


def _reason(
    address: str, security: KafkaSecurity, context: ssl.SSLContext | None, deadline: float
) -> str | None:
    where = f"Kafka at {address}"
    try:
        host, port = host_and_port(address)
    except ValueError as error:
        return f"{where}: {error}"
    try:
        with socket.create_connection((host, port), timeout=_left(deadline)) as connection:
            connection.settimeout(_left(deadline))
            why = _greeting_fails(connection, host, context, security)
            return None if why is None else f"{where}: {why}"
    except socket.gaierror:
        return f"{where}: the name {host!r} is not known; correct bootstrap_servers"
    except TimeoutError:
        return f"{where}: no answer in time; see bootstrap_servers, and what lies between (a firewall)"
    except OSError as error:
        return f"{where}: {error.strerror or error}; correct bootstrap_servers, or start the broker"


def _greeting_fails(
    connection: socket.socket, host: str, context: ssl.SSLContext | None, security: KafkaSecurity
) -> str | None:
    mechanism = security.mechanism if security.uses_sasl else None
    if context is None:
        return None if mechanism is None else mechanism_refused(connection, mechanism)
    try:
        with context.wrap_socket(connection, server_hostname=host) as secured:
            return None if mechanism is None else mechanism_refused(secured, mechanism)
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted: {error.verify_message}; see ssl_ca_file and the host's name"
    except OSError as error:  # a port that expects something else closes the connection, or waits
        why = getattr(error, "reason", None) or error.strerror or error
        return f"TLS fails ({why}); see whether that port speaks TLS, and wants a certificate (ssl_certificate_file)"


def _left(deadline: float) -> float:
    """Seconds until *deadline*; a little even after it, since 0 would mean not to wait at all."""
    return max(0.1, deadline - time.monotonic())


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of `host:port` or `[IPv6]:port`; without a port, Kafka's own. Raises ValueError."""
    host, separator, port = address.rpartition(":")
    if not separator or address.endswith("]"):
        host, port = address, str(_KAFKA_PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("bootstrap_servers must be host:port, several joined by commas")
    return host, int(port)
