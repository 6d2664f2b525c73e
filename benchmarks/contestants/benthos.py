"""Benthos: the last one under the MIT licence, built from the Go module proxy."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.contestants.chat_address import chat_address
from benchmarks.contestants.contestant import Command, Task
from benchmarks.contestants.peer import CannotBeHadError
from benchmarks.workloads import CITY, MEMBERSHIP, STOCKS
from tests.support.cache import cache_folder, only_one

SOURCE: Final = Path(__file__).with_name("benthos_program")
CONFIGURATION: Final = Path(__file__).with_name("benthos.yaml")
VERSION: Final = (SOURCE / "go.mod").read_text().split()[-1]
BUILD_SECONDS: Final = 1200


class Benthos:
    """Benthos by configuration alone."""

    name = "Benthos"
    configuration = (
        f"Benthos {VERSION}, the last one under the MIT licence. Windows of one second of each partition are grouped "
        "by user, folded with Bloblang, gathered over all partitions for up to 200 ms, grouped by endpoint and sent "
        "in requests of up to 100 users by its `http` processor. One thread: only so is the order of a user's "
        "changes kept. A branch looks at the code in the answer, and sends a refused request again user by user."
    )
    commits_what_is_confirmed = True
    slow = False

    def prepare(self, *, patient: bool) -> None:
        """Build it, once a machine: some minutes. Raises CannotBeHadError."""
        with only_one("benthos"):
            if _program().is_file():
                return
            if not patient:
                raise CannotBeHadError("it is not built yet, which takes minutes: a whole run does it")
            go = shutil.which("go")
            if go is None:
                raise CannotBeHadError("there is no `go` on the path to build it")
            with tempfile.TemporaryDirectory(dir=_program().parent) as folder:
                source = shutil.copytree(SOURCE, Path(folder) / "source")
                done = subprocess.run(
                    [go, "build", "-o", "benthos", "."],
                    cwd=source,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=BUILD_SECONDS,
                    env={**os.environ, "GOFLAGS": "-mod=mod"},
                )
                if done.returncode != 0:
                    raise CannotBeHadError(f"go could not build it: {done.stderr.strip().splitlines()[-1:]}")
                (source / "benthos").rename(_program())

    def command(self, task: Task) -> Command:
        """How to start it."""
        before, after = chat_address(task).split("COMMAND")
        return Command(
            argv=[str(_program()), "-c", str(CONFIGURATION)],
            environment={
                "BROKER": task.broker,
                "GROUP": task.group,
                "MEMBERSHIP": task.topics[MEMBERSHIP],
                "CITY": task.topics[CITY],
                "STOCKS": task.topics[STOCKS],
                "ADDRESS_BEFORE": before,
                "ADDRESS_AFTER": after,
            },
        )


def _program() -> Path:
    folder = cache_folder() / "bin"
    folder.mkdir(exist_ok=True)
    return folder / f"benthos-{VERSION}"
