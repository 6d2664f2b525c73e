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
from typer.testing import CliRunner

from audience_sync.commands.emulate import KEY_VARIABLE, emulate
from audience_sync.commands.stop import ExitCode, Stop
from tests.support.emulator import SETTINGS, query
from tests.unit.emulator.given import tags


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, which it prints when it is ready."""
    command = [sys.executable, "-W", "error", "-m", "audience_sync", "emulate", "--port", "0", *options]
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


def stopped(*options: str) -> Stop:
    app = typer.Typer()
    app.command()(emulate)
    result = CliRunner(env={KEY_VARIABLE: ""}).invoke(app, options)
    assert isinstance(result.exception, Stop)
    return result.exception


def test_what_cannot_be_run_says_why(tmp_path: Path) -> None:
    """One message and its exit code, and no key in it."""
    key = tmp_path / "key"
    key.write_text("a secret key\n")
    (tmp_path / "broken").write_text("nonsense\n")
    with_key = ["--key-file", str(key), "--port", "0"]
    for options, code, reason in [
        ([], ExitCode.BAD_INPUT, KEY_VARIABLE),
        (["--key-file", str(tmp_path / "none")], ExitCode.BAD_INPUT, "none"),
        ([*with_key, "--attribute-names", "a,a"], ExitCode.BAD_INPUT, "attribute names"),
        ([*with_key, "--state", str(tmp_path / "broken")], ExitCode.BAD_INPUT, "line 1"),
        ([*with_key, "--state", str(tmp_path)], ExitCode.UNAVAILABLE, str(tmp_path)),
    ]:
        stop = stopped(*options)
        assert stop.code == code
        assert reason in stop.message
        assert "a secret key" not in stop.message
