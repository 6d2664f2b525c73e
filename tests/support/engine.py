"""A container engine that answers, and the images of this project and of Kafka on it.

Docker, where it runs. Elsewhere, as root on Debian, podman with a storage of its own in the cache folder, on
base images made from Debian's packages: no image registry is needed.
"""

import functools
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
import pytest
from docker.errors import DockerException

from tests.support import podman
from tests.support.local_kafka import BrokerUnavailableError, kafka_version

ROOT: Final = Path(__file__).parents[2]
REVISION: Final = "0123456789abcdef0123456789abcdef01234567"
"""The commit that the build of the tested image is told."""
BUILT_AT: Final = 1_700_000_000
"""The time that it is told, in epoch seconds."""


class EngineUnavailableError(Exception):
    """No container engine can be had on this machine; the message names what is missing."""


@dataclass(frozen=True)
class Engine:
    """The images to start, on the engine that DOCKER_HOST or Docker's default names."""

    image: str
    """This project's image, made from the tree as it is."""

    kafka_image: str
    """One that is configured by KAFKA_ variables, as the public apache/kafka is."""


@functools.cache
def docker_answers() -> bool:
    """Whether Docker, or what DOCKER_HOST names, runs here.

    Asked once, before an engine of ours could answer.
    """
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if address.startswith("unix://") and not _listens(address.removeprefix("unix://")):
        return False  # not left to the client, which forgets to close the socket it could not connect
    try:
        client = docker.from_env(timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, OSError):
        return False


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(path)
        except OSError:
            return False
        return True


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine with both images, and testcontainers set to it. Raises EngineUnavailableError."""
    if docker_answers():
        yield _with_docker()
        return
    if missing := podman.missing():
        raise EngineUnavailableError(f"no Docker answers, and podman cannot be prepared: {missing}")
    try:
        image, kafka_image = podman.images(ROOT, _build())
    except (podman.PodmanError, BrokerUnavailableError) as error:
        raise EngineUnavailableError(str(error)) from error
    with podman.service() as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address)
        _set_testcontainers(patch)
        yield Engine(image=image, kafka_image=kafka_image)


def _with_docker() -> Engine:
    image = "audience-sync:test"
    built = subprocess.run(
        [ROOT / "image" / "build.sh"],
        env=os.environ | _build() | {"IMAGE": image},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert built.returncode == 0, (built.stdout + built.stderr)[-3000:]
    return Engine(image=image, kafka_image=f"apache/kafka:{kafka_version()}")


def _build() -> dict[str, str]:
    """What image/build.sh is told, whatever git knows: so an image that is there stays good for another commit."""
    return {"REVISION": REVISION, "SOURCE_DATE_EPOCH": str(BUILT_AT)}


def _set_testcontainers(patch: pytest.MonkeyPatch) -> None:
    """Ports are those of this host. No reaper, whose image cannot be pulled: tests remove their own."""
    from testcontainers.core.config import ConnectionMode, testcontainers_config  # here: slow, for few tests

    patch.setattr(testcontainers_config, "tc_host_override", "127.0.0.1")
    patch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
    patch.setattr(testcontainers_config, "ryuk_disabled", True)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A container engine with this project's image and Kafka's; the first preparation takes some minutes."""
    try:
        with running_engine() as found:
            yield found
    except EngineUnavailableError as error:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_ENGINE") == "1":
            pytest.fail(f"a container engine is required here: {error}")
        pytest.skip(f"needs Docker, or root on Debian with podman: {error}")
