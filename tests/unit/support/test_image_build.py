"""image/build.sh takes whichever tool is there, and tells it what the image is made of."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from audience_sync import __version__

SCRIPT: Final = Path(__file__).parents[3] / "image" / "build.sh"
TOLD: Final = {"REVISION": "5c0d99b", "SOURCE_DATE_EPOCH": "1700000000"}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with what the script needs besides, and without any tool that builds."""
    for name in ("bash", "dirname", "sed", "git", "env"):
        if found := shutil.which(name):
            (tmp_path / name).symlink_to(found)
    return tmp_path


def stand_in(programs: Path, name: str, *, answers: bool = True) -> None:
    """A tool that prints how it was called. One that does not answer is a client without its daemon."""
    program = programs / name
    program.write_text(f'#!/usr/bin/env bash\n{"" if answers else "exit 1"}\necho "{name} $*"\n')
    program.chmod(0o755)


def build(programs: Path, *arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *arguments],
        env={"PATH": str(programs), **TOLD, **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (["docker", "buildah", "podman"], "docker build"),
        (["buildah", "podman"], "buildah"),
        (["podman"], "podman build"),
    ],
)
def test_it_takes_the_first_that_is_there(programs: Path, there: list[str], taken: str) -> None:
    """Docker, buildah, podman; all are told the same."""
    for name in there:
        stand_in(programs, name)
    done = build(programs, "--quiet", BASE="localhost/base")
    assert done.returncode == 0, done.stderr
    command = done.stdout.splitlines()[-2]
    assert command.startswith(taken)
    for told in (
        f"--build-arg VERSION={__version__}",
        "--build-arg REVISION=5c0d99b",
        "--build-arg SOURCE_DATE_EPOCH=1700000000",
        "--build-arg BASE=localhost/base",
        f"--tag=audience-sync:{__version__} --tag=audience-sync:latest",
    ):
        assert told in command
    assert command.endswith("--quiet .")
    assert done.stdout.splitlines()[-1] == f"audience-sync:{__version__}"


def test_a_name_that_is_given_is_the_only_one(programs: Path) -> None:
    """Nobody's latest is overwritten."""
    stand_in(programs, "podman")
    assert build(programs, IMAGE="mine:1").stdout.count("--tag") == 1


def test_docker_without_its_daemon_is_passed_over(programs: Path) -> None:
    """The client alone builds nothing."""
    stand_in(programs, "docker", answers=False)
    stand_in(programs, "podman")
    assert "podman build" in build(programs).stdout


def test_without_any_tool_it_says_what_is_needed(programs: Path) -> None:
    """And nothing else."""
    done = build(programs)
    assert done.returncode == 1
    assert done.stderr.startswith("no Docker answers, and neither buildah nor podman is installed")
