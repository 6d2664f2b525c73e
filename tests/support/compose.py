"""deploy/compose.yaml as a reader would start it: by Docker's compose, or by podman-compose on images made here."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support import podman
from tests.support.engine import ROOT, Engine, docker_answers
from tests.support.local_kafka import free_ports

FILE: Final = ROOT / "deploy" / "compose.yaml"
PORTS: Final = {"KAFKA": 9094, "CHAT_API": 8090, "SERVICE": 8080, "PROMETHEUS": 9090}
"""What a reader has, unless he says otherwise; the tests take free ones."""
START_SECONDS: Final = 600


class Compose:
    """What compose.yaml describes, under a name and on ports of its own. Made by `composed`."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], ports: Mapping[int, int]
    ) -> None:
        self.command = [*command, "-p", f"audience-sync-{uuid.uuid4().hex[:8]}", "-f", str(FILE)]
        self.environment = dict(environment)
        self.ports = dict(ports)

    def run(self, *arguments: str, given: str = "") -> str:
        """What a subcommand prints. Fails with all of it, if it fails."""
        done = subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, (
            f"compose {' '.join(arguments)} ended with {done.returncode}:\n{said[-5000:]}"
        )
        return said

    def here(self, text: str) -> str:
        """The page's addresses in *text*, as they are in this run."""
        for usual, port in self.ports.items():
            text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{port}")
        return text


@contextmanager
def composed(engine: Engine, prometheus: str, services: Sequence[str]) -> Iterator[Compose]:
    """The *services* and what they need, started; all is removed at the end.

    prometheus: the program that is installed here, for machines without the public image.
    """
    ports = dict(zip(PORTS.values(), free_ports(len(PORTS)), strict=True))
    told = {"AUDIENCE_SYNC_IMAGE": engine.image}
    told |= {f"{name}_PORT": str(ports[usual]) for name, usual in PORTS.items()}
    if docker_answers():
        compose = Compose(["docker", "compose"], os.environ | told, ports)
    else:
        told |= {
            "KAFKA_IMAGE": engine.kafka_image,
            "PROMETHEUS_IMAGE": podman.prometheus_image(Path(prometheus)),
        }
        compose = Compose([sys.executable, "-m", "podman_compose"], podman.environment() | told, ports)
    try:
        compose.run("up", "--detach", "--no-build", *services)
        yield compose
    finally:
        compose.run("down", "--volumes", "--timeout", "10")
