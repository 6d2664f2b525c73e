"""Containers wired as they would be in production: Kafka, the emulated Chat API, the service."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.support.local_kafka import CONFIGURATION

START_SECONDS: Final = 120.0
"""How long anything in a container may take to come up; a few seconds are usual."""
HOST_LISTENER: Final = 9094
LOCKED_DOWN: Final = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
"""How a cluster would run the image of this project: with a folder of memory at /tmp, and no other."""


@contextmanager
def kafka_container(image: str, network: Network) -> Iterator[str]:
    """Kafka, as `kafka:9092` inside *network* and at the address given from here."""
    with socket.socket() as free:  # the address that a broker advertises must be known before it starts
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    container = DockerContainer(image).with_network(network).with_network_aliases("kafka")
    container.with_bind_ports(HOST_LISTENER, port)
    host = container.get_docker_client().host()
    configuration = CONFIGURATION | {
        "listeners": f"PLAINTEXT://:9092,HOST://:{HOST_LISTENER},CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://kafka:9092,HOST://{host}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": "1@localhost:9093",
    }
    for key, value in configuration.items():
        container.with_env(f"KAFKA_{key.replace('.', '_').upper()}", value)
    with container:
        wait_until(lambda: "Kafka Server started" in logs(container), "Kafka serves", container)
        yield f"{host}:{port}"


def locked_down(image: str, network: Network, alias: str) -> DockerContainer:
    """The image of this project as a cluster would run it: nothing to write to but /tmp, no privilege."""
    container = DockerContainer(image).with_network(network).with_network_aliases(alias)
    container.with_kwargs(**LOCKED_DOWN)
    return container.with_tmpfs_mount("/tmp")


def address(container: DockerContainer, port: int) -> str:
    """Where a port of the container is reached from here."""
    return f"http://{container.get_container_host_ip()}:{container.get_exposed_port(port)}"


def logs(container: DockerContainer) -> str:
    """Everything that the container has printed."""
    output, errors = container.get_logs()
    return (output + errors).decode(errors="replace")


def wait_until(holds: Callable[[], bool], what: str, *containers: DockerContainer) -> None:
    """Return as soon as *holds*; after START_SECONDS fail, with the end of the containers' logs."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            tails = "\n---\n".join(logs(container)[-3000:] for container in containers)
            raise AssertionError(f"waited {START_SECONDS:.0f} s and still not: {what}\n{tails}")
        time.sleep(0.2)
