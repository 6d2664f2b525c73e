"""A real PostgreSQL of a test's own: a new cluster on loopback that can tell its changes, removed at the end."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.ending import end_with_us
from tests.support.local_kafka import free_ports

START_SECONDS: Final = 60.0
"""How long a start may take before it counts as failed; 1 s is usual on two idle cores."""

OWNER: Final = "postgres"
"""The system's user for it, which Debian's package makes: root may not run the server."""

SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",  # else no connector can read changes
    "fsync": "off",  # a test's data need not outlive a power cut
    "max_connections": "20",
    "shared_buffers": "16MB",
}


class PostgresUnavailableError(Exception):
    """No PostgreSQL can be had on this machine; the message names what is missing."""


class Postgres:
    """A server process and its data. Whoever reaches loopback may do everything, as OWNER."""

    def __init__(self, programs: Path, folder: Path) -> None:
        [self.port] = free_ports(1)
        self._programs, self._folder = programs, folder
        self._data, self._log = folder / "data", folder / "postgres.log"
        self._run("initdb", "--pgdata", str(self._data), "--username", OWNER, "--auth", "trust", "--no-sync")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it serve for the block. Raises PostgresUnavailableError if it does not begin to in time."""
        settings = SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self._folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("wb") as output:
            process = subprocess.Popen(
                [*_as_owner(), str(self._programs / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        watcher = end_with_us(process.pid)
        try:
            self._wait_until_it_answers(process)
            yield
        finally:
            watcher.kill()  # before the server ends, whose number could be given to another process
            watcher.communicate()
            _end(process)

    def sql(self, text: str) -> list[tuple[str, ...]]:
        """Run it in one transaction. Returns the rows of its last statement, as text; null is empty."""
        done = self._psql(text)
        assert done.returncode == 0, f"PostgreSQL refused {text!r}: {done.stderr}"
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def _psql(self, text: str) -> subprocess.CompletedProcess[str]:
        """With nothing of the person's own settings, and as little around the rows as can be."""
        whom = ["--host", "127.0.0.1", "--port", str(self.port), "--username", OWNER, "--dbname", "postgres"]
        bare = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator", "\t"]
        return subprocess.run(
            [str(self._programs / "psql"), *whom, *bare, "--set", "ON_ERROR_STOP=1", "--command", text],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._psql("SELECT 1").returncode == 0:
                return
            time.sleep(0.1)
        raise PostgresUnavailableError(
            f"PostgreSQL did not start:\n{self._log.read_text(errors='replace')[-3000:]}"
        )

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_as_owner(), str(self._programs / program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, cwd=self._folder
        )
        if done.returncode != 0:
            raise PostgresUnavailableError(f"{program} ended with {done.returncode}:\n{done.stderr}")


@contextmanager
def a_postgres() -> Iterator[Postgres]:
    """A running server with empty data, ended and removed at the end. Raises PostgresUnavailableError."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="audience-sync-postgres-") as folder:
        if os.geteuid() == 0:
            try:
                shutil.chown(folder, OWNER, OWNER)
            except LookupError as error:
                raise PostgresUnavailableError(
                    f"root may not run it, and there is no user {OWNER}"
                ) from error
        postgres = Postgres(programs, Path(folder))
        with postgres.running():
            yield postgres


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; skipped where it can't be had."""
    try:
        with a_postgres() as running:
            yield running
    except PostgresUnavailableError as error:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_POSTGRES") == "1":
            pytest.fail(f"PostgreSQL is required here: {error}")
        pytest.skip(f"needs PostgreSQL (tests/support/prepare.sh installs it): {error}")


def _programs() -> Path:
    """The folder with the server's programs. Debian has one for each version, and none on the path."""
    if (on_the_path := shutil.which("initdb")) is not None:
        return Path(on_the_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda program: int(program.parts[-3]), default=None)
    if newest is None:
        raise PostgresUnavailableError("no `initdb`, neither on the path nor where Debian puts it")
    return newest.parent


def _as_owner() -> list[str]:
    """What goes before a command that root may not run. It becomes the command: the process is the same."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups"]


def _end(process: subprocess.Popen[bytes]) -> None:
    """At once (SIGQUIT), with the server's own processes; by force after 20 s."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=20)
