"""Quix Streams, in an environment of its own: it asks for other versions of what the service is built on."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.contestants.chat_address import chat_address
from benchmarks.contestants.contestant import Command, Task
from benchmarks.contestants.peer import CannotBeHadError
from tests.support.cache import cache_folder, only_one

PINS: Final = Path(__file__).with_name("quix-pins.txt")
VERSION: Final = PINS.read_text().partition("quixstreams==")[2].split()[0]


class Quix:
    """Quix Streams with a sink of one's own, and httpx."""

    commits_what_is_confirmed = True
    slow = False

    def __init__(self, commit_seconds: float) -> None:
        self.name = f"Quix Streams, {commit_seconds:g} s"
        self.configuration = (
            f"Quix Streams {VERSION} with its `BatchingSink`, `commit_interval` {commit_seconds:g} s. At each commit "
            "the sink folds in a dictionary what all partitions gave, and sends it in requests of up to 100 users, "
            "one after another, with httpx's Client."
        )
        self._commit_seconds = commit_seconds

    def prepare(self, *, patient: bool) -> None:  # noqa: ARG002
        """Install it, once a machine. Raises CannotBeHadError."""
        with only_one("quix"):
            if _folder().is_dir():
                return
            made = _folder().with_suffix(".new")
            shutil.rmtree(made, ignore_errors=True)
            for command in (
                [sys.executable, "-m", "venv", str(made)],
                [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(PINS)],
            ):
                done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
                if done.returncode != 0:
                    raise CannotBeHadError(
                        f"pip could not install it: {done.stderr.strip().splitlines()[-1:]}"
                    )
            made.rename(_folder())

    def command(self, task: Task) -> Command:
        """How to start it."""
        program = [str(_folder() / "bin" / "python"), "-m", "benchmarks.contestants.quix_service"]
        given = [task.broker, task.group, chat_address(task), str(self._commit_seconds)]
        return Command(argv=[*program, *given, *task.topics.values()])


def _folder() -> Path:
    return cache_folder() / f"quixstreams-{VERSION}-python-{sys.version_info.major}.{sys.version_info.minor}"
