"""Kafka Connect with a sink of one's own: no HTTP sink that Maven Central has can write the Chat API's bodies.

Aiven's and Confluent's are not there. The one that is (`io.github.clescot`) needs a parent that was never
published, and does not fold.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.contestants.chat_address import chat_address
from benchmarks.contestants.contestant import Command, Task
from benchmarks.contestants.peer import CannotBeHadError
from tests.support import local_kafka
from tests.support.cache import cache_folder, only_one

SOURCE: Final = Path(__file__).with_name("connect_program")
VERSION: Final = (
    (SOURCE / "pom.xml").read_text().partition("connect-runtime</artifactId>")[2].split("version>")[1][:-2]
)
WORKER: Final = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "plugin.discovery": "service_load",
    "offset.flush.interval.ms": "1000",
    "consumer.max.poll.records": "2000",
}


class Connect:
    """Kafka Connect, standalone."""

    name = "Kafka Connect"
    configuration = (
        f"Kafka Connect {VERSION}, one standalone worker with at most 512 MB of heap and `max.poll.records` 2,000. A "
        "sink of one's own in Java folds in maps until offsets are flushed, each second, and sends requests of up to "
        "100 users then, one after another, with Java's own HTTP client."
    )
    commits_what_is_confirmed = True
    slow = False

    def prepare(self, *, patient: bool) -> None:  # noqa: ARG002
        """Fetch the jars with Maven and compile the sink, once a machine. Raises CannotBeHadError."""
        for program in ("java", "javac"):
            if shutil.which(program) is None:
                raise CannotBeHadError(f"there is no `{program}` on the path")
        with only_one("benchmark-connect"):
            if not _jars().is_dir():
                try:
                    local_kafka.fetch_jars(SOURCE / "pom.xml", _jars())
                except local_kafka.BrokerUnavailableError as error:
                    raise CannotBeHadError(str(error)) from error

    def command(self, task: Task) -> Command:
        """How to start it."""
        classes = _compiled(task.folder / "classes")
        [port] = local_kafka.free_ports(1)
        worker = WORKER | {
            "bootstrap.servers": task.broker,
            "listeners": f"http://127.0.0.1:{port}",
            "offset.storage.file.filename": str(task.folder / "offsets"),
        }
        connector = {
            "name": "chat",
            "connector.class": "ChatSink",
            "topics": ",".join(task.topics.values()),
            "address": chat_address(task),
            "consumer.override.group.id": task.group,
        }
        files = [
            _written(task.folder / "worker.properties", worker),
            _written(task.folder / "connector.properties", connector),
        ]
        logging = f"-Dlog4j2.configurationFile={SOURCE / 'log4j2.properties'}"
        java = ["java", "-Xms256m", "-Xmx512m", logging, "-cp", f"{classes}:{_jars()}/*"]
        return Command(argv=[*java, "org.apache.kafka.connect.cli.ConnectStandalone", *files])


def _compiled(folder: Path) -> Path:
    """The sink's classes, in a new folder. A second of work, at no one's cost: it is not measured yet."""
    services = folder / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "org.apache.kafka.connect.sink.SinkConnector").write_text("ChatSink\n")
    command = ["javac", "-nowarn", "-cp", f"{_jars()}/*", "-d", str(folder), str(SOURCE / "ChatSink.java")]
    subprocess.run(command, check=True, timeout=120)
    return folder


def _jars() -> Path:
    return cache_folder() / f"connect-{VERSION}"


def _written(file: Path, properties: Mapping[str, str]) -> str:
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return str(file)
