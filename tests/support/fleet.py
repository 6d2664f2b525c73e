"""Real processes for tests: the emulator and replicas of the service, started, killed and asked."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from tests.support.ending import end_with_us
from tests.support.secrecy import SIGNING_KEY, keep_watch_on

T = TypeVar("T")

APP_ID: Final = 1400000000

FAST_TAKEOVER: Final = {
    "AUDIENCE_SYNC_KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    "AUDIENCE_SYNC_KAFKA__HEARTBEAT_SECONDS": "1",
    "AUDIENCE_SYNC_KAFKA__REBALANCE_TIMEOUT_SECONDS": "10",
    "AUDIENCE_SYNC_KAFKA__LEASE_SECONDS": "2.4",
    "AUDIENCE_SYNC_KAFKA__COMMIT_INTERVAL_SECONDS": "0.5",
    "AUDIENCE_SYNC_CHAT__REQUEST_TIMEOUT_SECONDS": "3.5",
}
"""As short as the rules between these settings allow, so that a test does not wait for long."""


class Process:
    """A process of the command line, its output kept in a file. Ended by its own id, and only that."""

    def __init__(self, *arguments: str, log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        self._arguments, self._environment = arguments, environment
        keep_watch_on(log)
        self._start()

    def _start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "audience_sync", *self._arguments],
                env=_without_our_settings() | dict(self._environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watcher = end_with_us(self._process.pid)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def resident_bytes(self) -> int:
        """The memory that it has in use."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        [kilobytes] = re.findall(r"VmRSS:\s+(\d+) kB", status)
        return int(kilobytes) * 1024

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.running:
            self._process.send_signal(number)

    def wait(self, seconds: float = 40) -> int:
        """Its exit code, once it has ended."""
        code = self._process.wait(seconds)
        self._watcher.kill()
        self._watcher.communicate()
        return code

    def end(self) -> None:
        """See that it has ended, whatever it does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def lines(self) -> Iterator[dict[str, Any]]:
        """Its log lines."""
        for line in self.text().splitlines():
            if line.startswith("{"):
                yield json.loads(line)


class EmulatedChat(Process):
    """The emulator as a process of its own."""

    def __init__(
        self, folder: Path, *, calls_per_second: float = 100, arguments: tuple[str, ...] = ()
    ) -> None:
        self._key_file = folder / "emulator-key"
        self._key_file.write_text(SIGNING_KEY)
        super().__init__(
            *(
                "emulate",
                "--port",
                "0",
                "--key-file",
                str(self._key_file),
                "--attribute-names",
                "membership,city",
            ),
            *("--app-id", str(APP_ID), "--version-separator", "~"),
            *("--calls-per-second", str(calls_per_second), *arguments),
            log=folder / "emulator.log",
            environment={},
        )
        self.url = eventually(self._address, "the emulator tells its address")

    def come_back(self) -> None:
        """Start again after its end. It needs a port of its own, and a file with its state if it shall have one."""
        self._start()
        eventually(self._answers, "the emulator is back")

    def change_key(self, key: str) -> None:
        """Refuse, from now on, whatever is signed with another key. It starts again for that, as `come_back` says."""
        self.end()
        self._key_file.write_text(key)
        self.come_back()

    def _answers(self) -> bool:
        try:
            return bool(_json(f"{self.url}/control/health"))
        except OSError:
            return False

    def _address(self) -> str | None:
        found = re.search(r"http://[\d.]+:\d+", self.text())
        return found.group() if found else None

    def state(self) -> dict[str, Any]:
        """{user: {"attributes": ..., "tags": ...}}."""
        return dict(_json(f"{self.url}/control/state")["users"])

    def counters(self) -> dict[str, Any]:
        """What it has counted."""
        return dict(_json(f"{self.url}/control/counters"))

    def set_faults(self, faults: object) -> None:
        """Break as told, from now on."""
        self.control("faults", faults)

    def control(self, name: str, body: object) -> None:
        """Say something to its control address."""
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/control/{name}", json.dumps(body).encode(), headers)
        urllib.request.urlopen(asked, timeout=20).close()


class Replica(Process):
    """One process of the service."""

    def __init__(
        self, name: str, folder: Path, *, broker: str, chat_url: str, environment: Mapping[str, str]
    ) -> None:
        key = folder / "signing-key"
        key.write_text(SIGNING_KEY)
        super().__init__(
            "run",
            log=folder / f"{name}.log",
            environment={
                "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": broker,
                "AUDIENCE_SYNC_KAFKA__CREATE_TOPICS": "true",
                "AUDIENCE_SYNC_KAFKA__PREFLIGHT_SECONDS": "60",  # images may be built beside it
                "AUDIENCE_SYNC_CHAT__BASE_URL": chat_url,
                "AUDIENCE_SYNC_CHAT__APP_ID": str(APP_ID),
                "AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE": str(key),
                "AUDIENCE_SYNC_ADMIN__BIND_HOST": "127.0.0.1",
                "AUDIENCE_SYNC_ADMIN__BIND_PORT": "0",
                **environment,
            },
        )

    @property
    def admin_url(self) -> str | None:
        """Where metrics and probes are, once it is told."""
        for line in self.lines():
            if line["action"] == "starting":
                return f"http://127.0.0.1:{line['admin_port']}"
        return None

    def ready(self) -> bool:
        """What its readiness probe says."""
        try:
            return self.admin_url is not None and _text(f"{self.admin_url}/readyz") == "ok\n"
        except OSError:
            return False

    def status(self) -> dict[str, Any]:
        """What /status tells."""
        return dict(_json(f"{self.admin_url}/status"))

    def scrape(self) -> str:
        """Its metrics, as Prometheus gets them."""
        return _text(f"{self.admin_url}/metrics")

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """{(sample, its labels): value} of a scrape."""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.scrape())
            for sample in family.samples
        }

    def metric(self, name: str, **labels: str) -> float:
        """The sum over the samples of this name that have these labels."""
        return sum(
            value
            for (sample, found), value in self.metrics().items()
            if sample == name and labels.items() <= dict(found).items()
        )

    def stopped_totals(self) -> dict[str, Any]:
        """What it counted in its life, from its last line."""
        *_, last = self.lines()
        assert last["action"] == "stopped", f"{self.log.name} did not stop in order: {last}"
        return last


class Fleet:
    """Replicas of one group before one emulator; all are ended with the block."""

    def __init__(
        self, folder: Path, *, broker: str, chat: EmulatedChat, environment: Mapping[str, str]
    ) -> None:
        self._folder, self._broker, self.chat = folder, broker, chat
        self._environment = environment
        self.all: list[Replica] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for replica in self.all:
            replica.end()

    @property
    def running(self) -> list[Replica]:
        """Those that have not ended."""
        return [replica for replica in self.all if replica.running]

    def start(self, **environment: str) -> Replica:
        """One more replica."""
        replica = Replica(
            f"replica-{len(self.all)}",
            self._folder,
            broker=self._broker,
            chat_url=self.chat.url,
            environment={**self._environment, **environment},
        )
        self.all.append(replica)
        return replica

    def start_three(self) -> None:
        """Three replicas, all ready."""
        for _ in range(3):
            self.start()
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = 60) -> None:
        """All running replicas say that they are ready."""
        eventually(
            lambda: all(replica.ready() for replica in self.running), "all replicas are ready", seconds
        )
        assert self.running, f"no replica runs any more: {self.all[-1].text()[-1000:]}"


@contextmanager
def emulated_chat(
    folder: Path, *, calls_per_second: float = 100, arguments: tuple[str, ...] = ()
) -> Iterator[EmulatedChat]:
    """An emulator for the block."""
    chat = EmulatedChat(folder, calls_per_second=calls_per_second, arguments=arguments)
    try:
        yield chat
    finally:
        chat.end()


def eventually(
    look: Callable[[], T | None], what: str, seconds: float = 30, *, pause_seconds: float = 0.1
) -> T:
    """What *look* finds, once it finds something; it looks again and again, for so long at most."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"in {seconds:g} s it did not come about that {what}"
        time.sleep(pause_seconds)


def _without_our_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AUDIENCE_SYNC_")}


def _json(url: str) -> Any:
    return json.loads(_text(url))


def _text(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())
