"""A real Kafka Connect on the local Java, with Debezium's connector for PostgreSQL in it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from tests.support import local_kafka
from tests.support.broker import needed
from tests.support.cache import cache_folder, only_one
from tests.support.ending import end_with_us
from tests.support.local_kafka import BrokerUnavailableError, fetch_jars, free_ports

POM: Final = Path(__file__).parent / "debezium" / "pom.xml"
WORKER: Final = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "plugin.discovery": "service_load",  # both say what they have; else each class of each jar is looked at
    "offset.flush.interval.ms": "1000",
}


class Connect:
    """A Connect process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    @property
    def fine(self) -> bool:
        """Whether it runs, and none of its connectors has given up."""
        return self._process.poll() is None and "Task is being killed" not in self.text()

    def text(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")


@contextmanager
def connecting(jars: Path, broker: str, *connectors: Mapping[str, str]) -> Iterator[Connect]:
    """Connect, with these connectors for the block. If the block fails, its log is printed."""
    with tempfile.TemporaryDirectory(prefix="audience-sync-connect-") as temporary:
        folder = Path(temporary)
        process = _started(folder, jars, broker, connectors)
        connect = Connect(process, folder / "connect.log")
        watcher = end_with_us(process.pid)
        try:
            yield connect
        except BaseException:
            print(f"Kafka Connect:\n{connect.text()[-8000:]}")
            raise
        finally:
            watcher.kill()  # before it ends, whose number could be given to another process
            watcher.communicate()
            process.kill()
            process.wait(timeout=20)


@pytest.fixture(scope="session")
def debezium() -> Iterator[Path]:
    """The folder with the jars of Debezium and Connect; skipped where they can't be had, or run."""
    with needed("Debezium"):
        yield connect_jars()


def connect_jars() -> Path:
    """The folder with the jars of both, fetched with Maven the first time. Raises BrokerUnavailableError."""
    if shutil.which("java") is None:
        raise BrokerUnavailableError("no `java` on the path; Kafka Connect needs Java 17 or later")
    folder = cache_folder() / f"debezium-{version_of('debezium-connector-postgres')}"
    with only_one("debezium"):
        if not folder.is_dir():
            fetch_jars(POM, folder)
    return folder


def version_of(artifact: str) -> str:
    """The version that pom.xml names."""
    for dependency in ElementTree.parse(POM).iterfind(".//{*}dependency"):
        if dependency.findtext("{*}artifactId") == artifact:
            return dependency.findtext("{*}version") or ""
    raise AssertionError(f"pom.xml names no {artifact}")


def _started(
    folder: Path, jars: Path, broker: str, connectors: tuple[Mapping[str, str], ...]
) -> subprocess.Popen[bytes]:
    [port] = free_ports(1)
    worker = WORKER | {
        "bootstrap.servers": broker,
        "listeners": f"http://127.0.0.1:{port}",
        "offset.storage.file.filename": str(folder / "offsets"),
    }
    files = [_written(folder / "worker.properties", worker)]
    files += [
        _written(folder / f"connector-{number}.properties", one) for number, one in enumerate(connectors)
    ]
    java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    java += [f"-Dlog4j2.configurationFile={local_kafka.FOLDER / 'log4j2.properties'}", "-cp", f"{jars}/*"]
    with (folder / "connect.log").open("wb") as output:
        return subprocess.Popen(
            [*java, "org.apache.kafka.connect.cli.ConnectStandalone", *files],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _written(file: Path, properties: Mapping[str, str]) -> str:
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return str(file)
