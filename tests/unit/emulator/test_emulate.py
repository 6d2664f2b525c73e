"""The command, in a process of its own, as scripts start and stop it."""

import json
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
from audience_sync.emulator.settings import AppSettings
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


def test_it_stands_to_what_is_open_as_it_is_told(tmp_path: Path) -> None:
    """By a profile; by --accounts, which goes before it; by single switches, which go before both."""
    profile = tmp_path / "profile.json"
    found = {"batch": "partial", "accounts": "auto", "unknown_account_code": 70107, "stores": "separate"}
    profile.write_text(json.dumps({"profile": 1, "family": "all_member_push", "switches": found, "open": {}}))
    told = ["batch=reject", "most_tags_per_removal=1", "stores=one"]
    switched = [part for each in told for part in ("--switch", each)]
    with started("--profile", str(profile), "--accounts", "imported", *switched, "--account", "a") as (
        _,
        url,
    ):
        switches = httpx.get(f"{url}/control/switches").json()
        assert add(url, "t") == 0
        assert switches | {"batch": "reject", "accounts": "imported", "stores": "one"} == switches
        assert (switches["unknown_account_code"], switches["most_tags_per_removal"]) == (70107, 1)


def test_it_has_the_apps_of_a_file(tmp_path: Path) -> None:
    """Each with its own key and admins; the state of all is in one file, and comes back."""
    apps = tmp_path / "apps.json"
    second = {
        "app_id": 1400000002,
        "key": "another key",
        "admins": ["boss"],
        "switches": {"accounts": "imported"},
    }
    apps.write_text(json.dumps([{**second, "imported": ["a"]}]))
    settings = AppSettings(app_id=1400000002, key="another key", admins=("boss",))
    address = "/v4/all_member_push/im_add_tag"
    options = (
        "--apps",
        str(apps),
        "--state",
        str(tmp_path / "state"),
        "--admin",
        "administrator",
        "--admin",
        "deputy",
    )
    with started(*options) as (_, url):
        assert add(url, "one") == 0
        for user, expected in (("a", 0), ("b", 90048)):
            answer = httpx.post(url + address, params=query(settings), json=tags(user, "two"))
            assert answer.json()["ErrorCode"] == expected
        deputy = query(AppSettings(key=SETTINGS.key, admins=("deputy",)))
        assert httpx.post(url + address, params=deputy, json=tags("c", "t")).json()["ErrorCode"] == 0
    with started(*options) as (_, url):
        for prefix, carried in (("", ["one"]), ("/apps/1400000002", ["two"])):
            assert httpx.get(f"{url}/control{prefix}/users/a").json()["tags"] == carried


def test_it_keeps_the_rates_it_is_given() -> None:
    """Those of the whole app, and of pushes."""
    with started("--calls-per-second-of-app", "1", "--pushes-per-day", "0") as (_, url):
        assert [add(url, "t") for _ in range(2)] == [0, 60011]
    push = {"MsgRandom": 1, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]}
    with started("--pushes-per-day", "0") as (_, url):
        answer = httpx.post(f"{url}/v4/all_member_push/im_push", params=query(), json=push)
        assert answer.json()["ErrorCode"] == 90047


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
    (tmp_path / "other").write_text('{"profile": 2, "switches": {}}')
    (tmp_path / "unknown").write_text('{"profile": 1, "switches": {"nonsense": 1}}')
    (tmp_path / "apps").write_text('[{"app_id": 1400000002, "key": "a secret key", "nonsense": 1}]')
    (tmp_path / "same").write_text('[{"app_id": 1400000000, "key": "a secret key"}]')
    (tmp_path / "keyless").write_text('[{"app_id": 1400000002, "key": ""}]')
    with_key = ["--key-file", str(key), "--port", "0"]
    for options, code, reason in [
        ([], ExitCode.BAD_INPUT, KEY_VARIABLE),
        (["--key-file", str(tmp_path / "none")], ExitCode.BAD_INPUT, "none"),
        ([*with_key, "--attribute-names", "a,a"], ExitCode.BAD_INPUT, "attribute names"),
        ([*with_key, "--state", str(tmp_path / "broken")], ExitCode.BAD_INPUT, "line 1"),
        ([*with_key, "--state", str(tmp_path)], ExitCode.UNAVAILABLE, str(tmp_path)),
        ([*with_key, "--switch", "batch"], ExitCode.BAD_INPUT, "name=value"),
        ([*with_key, "--switch", "batch=some"], ExitCode.BAD_INPUT, "reject, partial, prefix, ignore"),
        ([*with_key, "--switch", "nonsense=1"], ExitCode.BAD_INPUT, "overfull_code"),
        ([*with_key, "--profile", str(tmp_path / "none")], ExitCode.BAD_INPUT, "none"),
        ([*with_key, "--profile", str(tmp_path / "broken")], ExitCode.BAD_INPUT, "broken"),
        ([*with_key, "--profile", str(tmp_path / "other")], ExitCode.BAD_INPUT, "other: "),
        (
            [*with_key, "--profile", str(tmp_path / "unknown")],
            ExitCode.BAD_INPUT,
            "unknown: there is no switch",
        ),
        ([*with_key, "--apps", str(tmp_path / "none")], ExitCode.BAD_INPUT, "none"),
        ([*with_key, "--apps", str(tmp_path / "broken")], ExitCode.BAD_INPUT, "broken"),
        (
            [*with_key, "--apps", str(tmp_path / "apps")],
            ExitCode.BAD_INPUT,
            "'nonsense' is no setting of an app",
        ),
        ([*with_key, "--apps", str(tmp_path / "same")], ExitCode.BAD_INPUT, "each once"),
        ([*with_key, "--apps", str(tmp_path / "keyless")], ExitCode.BAD_INPUT, "the key is empty"),
    ]:
        stop = stopped(*options)
        assert stop.code == code
        assert reason in stop.message
        assert "a secret key" not in stop.message
