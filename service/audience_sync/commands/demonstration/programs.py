"""The emulator and the service, each a process of its own, as a user would run them."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audience_sync.commands.demonstration.stopping import Stopping
from audience_sync.settings import PREFIX

START_SECONDS: Final = 30.0
"""How long a start may take before it counts as failed; 1 to 6 s are usual on two cores."""

STOP_SECONDS: Final = 10.0
"""How long a process may take to end after SIGTERM, before it is killed."""

LINES_SHOWN: Final = 30


class ProgramError(Exception):
    """A process did not start, or ended by itself. The message has the last lines that it wrote."""


class Program:
    """A running process. What it writes is in a file. Made by `program`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], output: Path) -> None:
        self._name, self._process, self._output = name, process, output

    def find(self, pattern: str, stopping: Stopping) -> str:
        """The first group of *pattern* in what the process writes; waits for it.

        Raises ProgramError, and ToldToStopError.
        """
        until = time.monotonic() + START_SECONDS
        while (found := re.search(pattern, self.written())) is None:
            self.must_run()
            if time.monotonic() > until:
                raise ProgramError(self._told(f"{self._name} did not start within {START_SECONDS:.0f} s"))
            stopping.wait(0.05)
        return found[1]

    def must_run(self, *, grace_seconds: float = 0.0) -> None:
        """Raise ProgramError if the process has ended, or does so within that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=grace_seconds)
            raise ProgramError(self._told(f"{self._name} has ended by itself, with {code}"))

    def written(self) -> str:
        """Everything it wrote."""
        return self._output.read_text(errors="replace")

    def last_lines(self) -> str:
        """The end of what it wrote."""
        return "\n".join(self.written().splitlines()[-LINES_SHOWN:])

    def stop(self) -> int:
        """End it, by force if it takes too long, and tell its exit code. Safe to repeat."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _told(self, what: str) -> str:
        return f"{what}. The last that it wrote:\n{self.last_lines()}"


@contextmanager
def program(
    name: str, arguments: list[str], *, folder: Path, environment: Mapping[str, str]
) -> Iterator[Program]:
    """`audience-sync` with *arguments*, until the block ends; its output is kept in *folder* for as long.

    It sees the *environment* given and none of the caller's own settings: they may name a real account.
    """
    output = folder / f"{arguments[0]}.log"
    others = {key: value for key, value in os.environ.items() if not key.upper().startswith(PREFIX)}
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - ourselves, with arguments of our own
            [sys.executable, "-m", "audience_sync", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**others, **environment},
            start_new_session=True,  # the terminal's Ctrl-C is for us; we end it
        )
    running = Program(name, process, output)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def emulator(*, folder: Path, key_file: Path) -> Iterator[Program]:
    """An emulated Chat API on a free port."""
    arguments = ["emulate", "--port", "0", "--key-file", str(key_file)]
    with program("the emulator", arguments, folder=folder, environment={}) as running:
        yield running


@contextmanager
def service(*, folder: Path, settings: Mapping[str, str]) -> Iterator[Program]:
    """The service with *settings*, without our prefix, and its admin port on a free port of loopback."""
    ours = {
        "ADMIN__BIND_HOST": "127.0.0.1",
        "ADMIN__BIND_PORT": "0",
        "LOG__SHAPE": "json",
        "DRAIN_SECONDS": "8",
        **settings,
    }
    environment = {PREFIX + name: value for name, value in ours.items()}
    with program("the service", ["run"], folder=folder, environment=environment) as running:
        yield running


CHAT_ADDRESS: Final = r"emulated at (http://\S+)\n"
"""Where the emulator's first line tells its address."""

ADMIN_PORT: Final = r'"admin_port": ?(\d+)'
"""Where the service's first log line tells its port."""
