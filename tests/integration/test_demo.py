"""`audience-sync demo` as a user runs it, piped: on its own broker, so that it needs no other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

SMALL: Final = ["--seconds", "2", "--users", "300", "--rate", "500"]
LONG: Final = ["--seconds", "60", "--users", "300", "--rate", "500"]
WAIT_SECONDS: Final = 60.0


def started(tmp_path: Path, options: list[str], **environment: str) -> subprocess.Popen[str]:
    """A demo that keeps its temporary files in *tmp_path*, by which its processes are known as well."""
    return subprocess.Popen(
        [sys.executable, "-m", "audience_sync", "demo", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), **environment},
    )


def read_until(demo: subprocess.Popen[str], part: str) -> None:
    """Read what is shown, up to a line with this in it."""
    assert demo.stdout is not None
    for line in demo.stdout:
        if part in line:
            return
    pytest.fail(f"the demo ended without {part!r}")


def processes_of(tmp_path: Path, command: str) -> list[int]:
    """The ids of processes that run this command of ours with that folder for temporary files."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if command.encode() in arguments and f"TMPDIR={tmp_path}".encode() in environment:
            found.append(int(folder.name))
    return found


def nothing_is_left(tmp_path: Path) -> bool:
    """No file and no process."""
    running = [one for command in ("run", "emulate", "demo") for one in processes_of(tmp_path, command)]
    return not running and list(tmp_path.iterdir()) == []


def test_it_shows_the_service_at_work_and_checks_every_user(tmp_path: Path) -> None:
    """Whatever the caller's own settings are: they are another account's, and must not be used."""
    demo = started(tmp_path, SMALL, AUDIENCE_SYNC_SETTINGS_FILE="/of/another/account.yaml")
    out, err = demo.communicate(timeout=WAIT_SECONDS)

    assert demo.returncode == 0, out + err
    told = " ".join(out.split())
    assert "events 1,023 of" in told  # 1,000, 16 of the restless user, and 7 that can't be applied
    assert "dead letters 7 (broken_limit 1, no_user 2, unknown_type 2, unreadable 2)" in told
    assert "WRONG: " not in told
    assert "users in step ok: " in told
    assert "user-00001, the restless one" in told
    assert "followers of 600519.SH" in told
    assert "\x1b" not in out
    assert err == ""
    assert nothing_is_left(tmp_path)


def test_it_leaves_nothing_behind_when_it_is_ended_early(tmp_path: Path) -> None:
    """Not even when Ctrl-C is pressed twice, as people do who are in a hurry."""
    demo = started(tmp_path, LONG)
    read_until(demo, "events/s")
    assert not nothing_is_left(tmp_path)

    demo.send_signal(signal.SIGINT)
    time.sleep(0.05)  # signals that come together are one
    demo.send_signal(signal.SIGINT)
    _, err = demo.communicate(timeout=WAIT_SECONDS)

    assert demo.returncode == 128 + signal.SIGINT
    assert "ended early" in err
    assert "Traceback" not in err
    assert nothing_is_left(tmp_path)


def test_it_says_so_when_the_service_dies(tmp_path: Path) -> None:
    """With the last lines that the service wrote; never with a success."""
    demo = started(tmp_path, LONG)
    read_until(demo, "joins its consumer group")
    [process] = processes_of(tmp_path, "run")

    os.kill(process, signal.SIGKILL)
    _, err = demo.communicate(timeout=WAIT_SECONDS)

    assert demo.returncode == 3
    assert "the service has ended by itself, with -9" in err
    assert '"action": "starting"' in err
    assert "Traceback" not in err
    assert nothing_is_left(tmp_path)
