"""The command, in a process of its own, as scripts start and stop it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import typer
from tests.support.emulator import SETTINGS, query
from tests.unit.emulator.given import tags
from typer.testing import CliRunner

from audience_sync.commands.emulate import KEY_VARIABLE, emulate

PROGRAM = "import typer; from audience_sync.commands.emulate import emulate; typer.run(emulate)"


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, which it prints when it is ready."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "--port", "0", *options]
    environment = os.environ | {KEY_VARIABLE: SETTINGS.key}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("The Chat API is emulated at http://127.0.0.1:")
            yield process, line.split()[-1]
        finally:
            process.kill()


def add(url: str, tag: str) -> int:
    answer = httpx.post(f"{url}/v4/all_member_push/im_add_tag", params=query(), json=tags("a", tag))
    code = answer.json()["ErrorCode"]
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(number: signal.Signals) -> None:
    """Exit code 0, so that whoever started it sees no failure."""
    with started("--attribute-names", "membership, city") as (process, url):
        assert add(url, "t") == 0
        assert httpx.get(f"{url}/control/state").json()["attribute_names"] == {"0": "membership", "1": "city"}
        process.send_signal(number)
        assert process.wait(30) == 0


def test_it_is_killed_and_comes_back(tmp_path: Path) -> None:
    """What was answered is still there."""
    for count in range(3):
        with started("--state", str(tmp_path / "state")) as (process, url):
            assert httpx.get(f"{url}/control/users/a").json()["tags"] == [
                f"t-{each}" for each in range(count)
            ]
            assert add(url, f"t-{count}") == 0
            process.kill()
            process.wait(30)


def run(*options: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(emulate)
    result = CliRunner(env={KEY_VARIABLE: ""}).invoke(app, options)
    return result.exit_code, result.stderr


def test_what_cannot_be_run_says_why(tmp_path: Path) -> None:
    """Exit code 2, one line, and no key in it."""
    key = tmp_path / "key"
    key.write_text("a secret key\n")
    for options, reason in [
        ([], KEY_VARIABLE),
        (["--key-file", str(tmp_path / "none")], "none"),
        (["--key-file", str(key), "--attribute-names", "a,a"], "attribute names"),
        (["--key-file", str(key), "--state", str(tmp_path)], str(tmp_path)),
    ]:
        code, told = run(*options)
        assert code == 2
        assert reason in told
        assert "a secret key" not in told
