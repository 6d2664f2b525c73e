"""A real schema registry on the local Java: Apicurio, which speaks Confluent's protocol."""

import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from tests.support.broker import needed
from tests.support.cache import cache_folder, only_one
from tests.support.ending import end_with_us
from tests.support.local_kafka import BrokerUnavailableError, free_ports

FOLDER: Final = Path(__file__).parent / "registry"
START_SECONDS: Final = 120.0
"""How long a start may take before it counts as failed; 7 s are usual on two idle cores."""


class Apicurio:
    """A registry process. What it knows ends with it; its address stays."""

    def __init__(self, program: Path, log: Path) -> None:
        self._program, self._log = program, log
        [self._port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}/apis/ccompat/v7"
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, and return when it serves. Raises BrokerUnavailableError if it does not in time."""
        options = ["-Xmx384m", "-XX:TieredStopAtLevel=1", f"-Dquarkus.http.port={self._port}"]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                ["java", *options, "-Dquarkus.http.host=127.0.0.1", "-jar", str(self._program)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watcher = end_with_us(self._process.pid)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.2)
        self.kill()
        raise BrokerUnavailableError(
            f"Apicurio did not start:\n{self._log.read_text(errors='replace')[-3000:]}"
        )

    def kill(self) -> None:
        """End it. Safe to repeat."""
        if self._process is None or self._watcher is None:
            return
        self._watcher.kill()
        self._watcher.communicate()
        self._process.kill()
        self._process.wait(timeout=20)
        self._process = self._watcher = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5):
                return True
        except (OSError, urllib.error.URLError):
            return False


@contextmanager
def a_registry() -> Iterator[Apicurio]:
    """A running registry that knows nothing, ended at the end. Raises BrokerUnavailableError."""
    program = _program()
    if shutil.which("java") is None:
        raise BrokerUnavailableError("no `java` on the path; Apicurio needs Java 17 or later")
    with tempfile.TemporaryDirectory(prefix="audience-sync-registry-") as folder:
        apicurio = Apicurio(program, Path(folder) / "registry.log")
        apicurio.start()
        try:
            yield apicurio
        finally:
            apicurio.kill()


@pytest.fixture(scope="module")
def apicurio() -> Iterator[Apicurio]:
    """A real registry, one a module; skipped where it can't be had."""
    with needed("a schema registry"), a_registry() as registry:
        yield registry


def _program() -> Path:
    """The registry's program, fetched with Maven the first time."""
    version = ElementTree.parse(FOLDER / "pom.xml").findtext(".//{*}dependency/{*}version")
    folder = cache_folder() / f"apicurio-{version}"
    with only_one("apicurio"):
        if not folder.is_dir():
            _fetch(folder)
    [program] = folder.glob("*-runner.jar")
    return program


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise BrokerUnavailableError("no `mvn` on the path, and Apicurio is not in the cache yet")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        unpacked = Path(temporary) / "registry"
        command = ["mvn", "-q", "-B", "-f", str(FOLDER / "pom.xml"), "dependency:unpack-dependencies"]
        command += [f"-DoutputDirectory={unpacked}", f"-DmarkersDirectory={temporary}/markers"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise BrokerUnavailableError(
                f"Maven could not fetch Apicurio:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        unpacked.rename(folder)
