"""`audience-sync probe` against the emulator: what it asks before it begins, what it shows, what it keeps."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from audience_sync.chat_api import read_profile
from audience_sync.commands.stop import ExitCode
from audience_sync.emulator import files
from audience_sync.emulator.server import Emulator
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Accounts, Batch, FeatureOff, Switches
from audience_sync.probe.questions import QUESTIONS
from tests.support.shell import ACCOUNT, Shell, account_of, emulated

ACCOUNTS: Final = "throw-away-a,throw-away-b,throw-away-c"
GO: Final = ("probe", "--accounts", ACCOUNTS, "--yes-change-these-accounts", "--calls-per-second", "100")
APP_IDS: Final = itertools.count(1400000001)


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    """One emulator for all tests, in which each has an app of its own."""
    with emulated() as emulator:
        yield emulator


def app_of(running: Emulator, **settings: Any) -> tuple[Emulator, Shell]:
    """A new app in the emulator, and a shell with its account."""
    imported = tuple(ACCOUNTS.split(","))
    emulator = running.add_app(replace(ACCOUNT, app_id=next(APP_IDS), imported=imported, **settings))
    return emulator, Shell(account_of(emulator))


@pytest.fixture
def app(running: Emulator) -> tuple[Emulator, Shell]:
    """An app as it is by itself."""
    return app_of(running)


def test_what_was_found_is_shown_and_kept(running: Emulator, tmp_path: Path) -> None:
    """The same in both, and both readers of the file can go by it."""
    switches = Switches(accounts=Accounts.IMPORTED, batch=Batch.PREFIX)
    emulator, shell = app_of(running, switches=switches)
    path = tmp_path / "app.json"
    told = shell(*GO, "--json", "--profile", str(path))
    assert told.code == 0
    shown = json.loads(told.out)
    assert shown.pop("stopped") is None
    assert len(shown.pop("remains")) == 2
    assert told.err.count("Not as it was: slot") == 2
    assert shown == json.loads(path.read_text())
    assert shown["app_id"] == emulator.settings.app_id
    assert read_profile(path).batch == "prefix"
    assert files.read_profile(path, Switches()) == switches
    assert emulator.state() == dict.fromkeys(ACCOUNTS.split(","), UserState())


def test_without_json_there_is_a_row_for_every_point(app: tuple[Emulator, Shell]) -> None:
    """A person reads what was found, and why the rest is open."""
    _, shell = app
    told = shell(*GO)
    assert ["accounts", "auto"] in [row[:2] for row in told.rows]
    assert ["deleted", "open", "not asked: needs --may-delete NAME"] in told.rows
    assert "unknown user in a batch" not in told.err, "what is not asked is not announced"
    assert "calls, 0 pushes among them" in told.err


def test_a_plan_calls_nobody(app: tuple[Emulator, Shell]) -> None:
    """And needs nobody's consent."""
    emulator, shell = app
    told = shell("probe", "--accounts", ACCOUNTS, "--dry-run", "--may-push")
    assert (told.code, len(told.rows)) == (0, len(QUESTIONS))
    assert "3 pushes among them" in told.err
    assert not emulator.counters.calls
    steps = json.loads(shell("probe", "--accounts", ACCOUNTS, "--dry-run", "--json").out)["steps"]
    assert [step["question"] for step in steps] == [question.name for question in QUESTIONS]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--accounts", ACCOUNTS), "--yes-change-these-accounts"),
        (("--accounts", "alone", "--yes-change-these-accounts"), "names 1; a probe takes 2 to 50"),
        (("--accounts", ",".join(f"u{n}" for n in range(51))), "names 51; a probe takes 2 to 50"),
        ((*GO[1:], "--may-delete", "throw-away-a"), "throw-away-a is named twice"),
        ((*GO[1:], "--unknown-account", "throw-away-a"), "throw-away-a is named twice"),
        ((*GO[1:], "--unknown-account", "x" * 33), "33 bytes"),
        (
            (*GO[1:], "--unknown-account", "throw-away-d", "--may-delete", "throw-away-e"),
            "throw-away-e do not exist",
        ),
        ((*GO[1:], "--profile", "there.json"), "there.json is there already; say --force"),
        ((*GO[1:], "--profile", "no/such/folder/app.json"), "no file in a folder that is there"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_changed(
    app: tuple[Emulator, Shell],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    """A probe that can't keep its findings, or has the wrong accounts, asks nothing."""
    emulator, shell = app
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("{}")
    told = shell("probe", *words)
    assert told.code == ExitCode.BAD_INPUT
    assert message in told.err
    assert emulator.counters.calls.keys() <= {"account_check"}
    assert Path("there.json").read_text() == "{}"


def test_a_profile_is_overwritten_when_told_so(app: tuple[Emulator, Shell], tmp_path: Path) -> None:
    """After a change of the app, say."""
    path = tmp_path / "app.json"
    path.write_text("{}")
    assert app[1](*GO, "--profile", str(path), "--force").code == 0
    assert read_profile(path).family == "all_member_push"


def test_a_wrong_key_is_told_with_the_way_out(app: tuple[Emulator, Shell], tmp_path: Path) -> None:
    """And nothing is kept: nothing was found."""
    emulator, shell = app
    told = shell(*GO, "--profile", str(tmp_path / "app.json"), AUDIENCE_SYNC_CHAT__SIGNING_KEY="another")
    assert (told.code, told.out) == (ExitCode.REFUSED, "")
    assert "70009" in told.err
    assert "AUDIENCE_SYNC_CHAT__SIGNING_KEY" in told.err
    assert not list(tmp_path.iterdir())
    assert dict(emulator.counters.calls) == {"account_check": 1}


def test_an_app_without_the_feature_has_one_thing_to_find(running: Emulator, tmp_path: Path) -> None:
    """What its being off refuses; the rest waits until it is on."""
    emulator, shell = app_of(running, switches=Switches(feature_off=FeatureOff.ALL))
    emulator.feature(on=False)
    path = tmp_path / "app.json"
    told = shell(*GO, "--profile", str(path))
    assert told.code == ExitCode.REFUSED
    assert "Switch the feature on in the console" in told.err
    kept = json.loads(path.read_text())
    assert kept["switches"] == {"feature_off": "all"}
    assert kept["seen"][0]["code"] == 90045


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_everything_be_put_back(app: tuple[Emulator, Shell], number: signal.Signals) -> None:
    """As in a container that is stopped."""
    emulator, _ = app
    command = [sys.executable, "-W", "error", "-m", "audience_sync", *GO[:-1], "30"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUDIENCE_SYNC_")}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | account_of(emulator),
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line == "more tags than fit\n":
                process.send_signal(number)
                break
        _, told = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED, told
    assert "putting everything back" in told
    assert {user: emulator.user(user) for user in ACCOUNTS.split(",")} == dict.fromkeys(
        ACCOUNTS.split(","), UserState()
    )
