"""Apache Kafka on the local Java: one node on loopback, that can be killed and started again on its data."""

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.support.cache import cache_folder, only_one
from tests.support.ending import end_with_us

FOLDER: Final = Path(__file__).parent / "kafka"
START_SECONDS: Final = 90.0
"""How long a start may take before it counts as failed; 4 s are usual on two idle cores."""
CLUSTER_ID: Final = "4L6g3nShT-eMCtK--X86sw"
CONFIGURATION: Final = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",  # a killed node is let in again only after this
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "8",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
}
"""What every broker of the tests is set to: one node, quick groups, and no topic that nobody asked for."""


class BrokerUnavailableError(Exception):
    """No broker can be had on this machine; the message names what is missing."""


class LocalKafka:
    """A broker process and its data. Address and data stay the same over `kill` and `start`."""

    def __init__(
        self,
        folder: Path,
        jars: Path,
        *,
        silent_seconds: float,
        more: Callable[[int], Mapping[str, str]] | None = None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._jars = folder, jars
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._starts = 0
        port, controller_port, secure_port = free_ports(3)
        self.bootstrap = f"127.0.0.1:{port}"
        self.secure_bootstrap = f"127.0.0.1:{secure_port}"
        self._write_configuration(port, controller_port, silent_seconds, more(secure_port) if more else {})
        scram = [
            f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in (users or {}).items()
        ]
        added = [argument for user in scram for argument in ("--add-scram", user)]
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self._properties, *added)

    def start(self) -> None:
        """Run the broker, and return when it serves.

        Raises BrokerUnavailableError if it does not within START_SECONDS.
        """
        assert self._process is None, "the broker runs already"
        self._starts += 1
        log = self._folder / f"kafka-{self._starts}.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", self._properties),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C is for us; we end it
            )
        self._watcher = end_with_us(self._process.pid)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if b"Kafka Server started" in log.read_bytes():
                return
            time.sleep(0.1)
        self.kill()
        raise BrokerUnavailableError(f"Kafka did not start:\n{log.read_text(errors='replace')[-4000:]}")

    def kill(self) -> None:
        """End the broker as a power cut would (SIGKILL). Its data stays. Safe to repeat."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the broker in order (SIGTERM), by force after 20 s. Its data stays. Safe to repeat."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop the broker's time (SIGSTOP): it keeps its connections and answers nothing."""
        assert self._process is not None, "the broker does not run"
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on (SIGCONT)."""
        assert self._process is not None, "the broker does not run"
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill, and start again on the same address and data."""
        self.kill()
        self.start()

    def change_password(self, name: str, password: str) -> None:
        """Let a user log in with another password from now on. Connections that stand go on."""
        whose = ("--entity-type", "users", "--entity-name", name)
        what = ("--alter", "--add-config", f"SCRAM-SHA-512=[password={password}]")
        self._java("kafka.admin.ConfigCommand", "--bootstrap-server", self.bootstrap, *whose, *what)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._watcher is None:
            return
        self._watcher.kill()  # before the broker ends, whose number could be given to another process
        self._watcher.communicate()
        self._process.send_signal(how)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=20)
        self._process = self._watcher = None

    def _write_configuration(
        self, port: int, controller_port: int, silent_seconds: float, more: Mapping[str, str]
    ) -> None:
        listeners = f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
        configuration = CONFIGURATION | {
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "broker.session.timeout.ms": str(round(silent_seconds * 1000)),
            "log.dirs": str(self._folder / "data"),
        }
        for key, value in more.items():  # listeners are added to those that are there
            both = key.endswith("listeners") or key == "listener.security.protocol.map"
            configuration[key] = f"{configuration[key]},{value}" if both else value
        self._properties = str(self._folder / "server.properties")
        Path(self._properties).write_text("".join(f"{key}={value}\n" for key, value in configuration.items()))

    def _command(self, main_class: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={FOLDER / 'log4j2.properties'}"
        java = ["java", "-Xmx512m", "-XX:+UseSerialGC", logging, "-cp", f"{self._jars}/*"]
        return [*java, main_class, *arguments]

    def _java(self, main_class: str, *arguments: str) -> None:
        command = self._command(main_class, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if done.returncode != 0:
            raise BrokerUnavailableError(
                f"{main_class} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )


@contextmanager
def local_kafka(
    *,
    silent_seconds: float = 3.0,
    more: Callable[[int], Mapping[str, str]] | None = None,
    users: Mapping[str, str] | None = None,
) -> Iterator[LocalKafka]:
    """A running broker with empty data, ended and removed at the end. Raises BrokerUnavailableError.

    more: further configuration; it is told a port for one more listener. users: {name: password} for SCRAM.

    silent_seconds: after so long without its heartbeat the node shuts itself out, as on a machine that is too busy
        for it; and a killed one is let in again only then.
    """
    jars = kafka_jars()
    if shutil.which("java") is None:
        raise BrokerUnavailableError("no `java` on the path; Kafka needs Java 17 or later")
    with tempfile.TemporaryDirectory(prefix="audience-sync-kafka-", ignore_cleanup_errors=True) as folder:
        kafka = LocalKafka(Path(folder), jars, silent_seconds=silent_seconds, more=more, users=users)
        kafka.start()
        try:
            yield kafka
        finally:
            kafka.kill()


def kafka_jars() -> Path:
    """The folder with Kafka's jars, fetched with Maven the first time. Raises BrokerUnavailableError."""
    return _jars("kafka", FOLDER / "pom.xml")


def console_jars() -> Path:
    """The folder with the console producer of the same version; it runs beside Kafka's jars. As above."""
    return _jars("kafka-console", FOLDER / "console.xml")


def _jars(name: str, pom: Path) -> Path:
    folder = cache_folder() / f"{name}-{kafka_version()}"
    with only_one("kafka"):
        if not folder.is_dir():
            fetch_jars(pom, folder)
    return folder


def kafka_version() -> str:
    """The version of Kafka that pom.xml names."""
    version = ElementTree.parse(FOLDER / "pom.xml").findtext(".//{*}dependency/{*}version")
    assert version is not None, "pom.xml names no version"
    return version


def fetch_jars(pom: Path, folder: Path) -> None:
    """Let Maven put what a pom.xml names, and what that needs, into a new folder. Raises BrokerUnavailableError."""
    if shutil.which("mvn") is None:
        raise BrokerUnavailableError(f"no `mvn` on the path, and {folder.name} is not in the cache yet")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        jars = Path(temporary) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise BrokerUnavailableError(
                f"Maven could not fetch {folder.name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        jars.rename(folder)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that were free a moment ago, all different.

    They lie below those that systems hand out for outgoing connections: while a broker is down, a client that
    keeps trying to reach it could be given the broker's own port, and find itself.
    """
    candidates = random.sample(range(10_000, 30_000), 100)
    with contextlib.ExitStack() as sockets:
        free = [port for port in candidates if _takes(sockets.enter_context(socket.socket()), port)]
    return free[:count]


def _takes(one: socket.socket, port: int) -> bool:
    with contextlib.suppress(OSError):
        one.bind(("127.0.0.1", port))
        return True
    return False
