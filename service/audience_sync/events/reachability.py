"""Whether a broker can be reached at all: name, port and TLS, each told apart. The client libraries don't."""

import socket
import ssl
import time

from audience_sync.events.security import KafkaSecurity, tls_context

_KAFKA_PORT = 9092


def unreachable(bootstrap: str, security: KafkaSecurity, timeout_seconds: float) -> str | None:
    """Why none of the addresses takes a connection, with the way out; None as soon as one does.

    Raises KafkaSecurityError when a certificate can't be used. Sends nothing but TLS's own greeting. Looking
    up a name may take longer than *timeout_seconds*: the system decides.
    """
    context = tls_context(security)
    deadline = time.monotonic() + timeout_seconds
    reasons: list[str] = []
    for address in bootstrap.split(","):
        reason = _reason(address.strip(), context, deadline)
        if reason is None:
            return None
        reasons.append(reason)
    return "; ".join(reasons)


def _reason(address: str, context: ssl.SSLContext | None, deadline: float) -> str | None:
    where = f"Kafka at {address}"
    try:
        host, port = host_and_port(address)
    except ValueError as error:
        return f"{where}: {error}"
    remaining = max(0.1, deadline - time.monotonic())
    try:
        with socket.create_connection((host, port), timeout=remaining) as connection:
            if context is not None:
                connection.settimeout(max(0.1, deadline - time.monotonic()))
                context.wrap_socket(connection, server_hostname=host).close()
    except socket.gaierror:
        return f"{where}: the name {host!r} is not known; correct the bootstrap address"
    except ssl.SSLCertVerificationError as error:
        return f"{where}: its certificate is not accepted: {error.verify_message}; see ca_file and host name"
    except ssl.SSLError as error:
        return (
            f"{where}: TLS fails ({error.reason or 'no reason given'}); see whether that port speaks "
            f"TLS, and whether it wants a client's certificate (cert_file, key_file)"
        )
    except TimeoutError:
        return f"{where}: no answer in time; see the bootstrap address, and what lies between (a firewall)"
    except OSError as error:
        return f"{where}: {error.strerror or error}; correct the bootstrap address, or start the broker"
    return None


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of `host:port` or `[IPv6]:port`; without a port, Kafka's own. Raises ValueError."""
    host, separator, port = address.rpartition(":")
    if not separator or address.endswith("]"):
        host, port = address, str(_KAFKA_PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("the bootstrap address must be host:port, several joined by commas")
    return host, int(port)
