"""How `audience-sync run` ends when it can't begin."""

import sys
from importlib import import_module

import pytest

from audience_sync.commands import main
from audience_sync.commands.stop import ExitCode
from audience_sync.events.kafka_admin import KafkaAdminError
from audience_sync.settings import SettingsError


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([KafkaAdminError("no broker")], ExitCode.UNAVAILABLE),
        ([SettingsError("no key")], ExitCode.BAD_INPUT),
        ([KafkaAdminError("no broker"), SettingsError("no key")], ExitCode.BAD_INPUT),
    ],
)
def test_whatever_is_found_at_start_is_told_in_one_line(
    found: list[Exception],
    code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also when tasks that run side by side find two things at once, of which one has its own exit code."""

    async def serve(*_: object) -> None:
        raise ExceptionGroup("two tasks", found)

    run = import_module("audience_sync.commands.run")  # its package has the command under this name
    monkeypatch.setattr(run, "_serve", serve)
    monkeypatch.setattr(run, "set_up", lambda **_: None)
    monkeypatch.setattr(sys, "argv", ["audience-sync", "run"])
    for name, value in {
        "CHAT__APP_ID": "1400000000",
        "CHAT__SIGNING_KEY": "of-no-app",
        "KAFKA__BOOTSTRAP_SERVERS": "kafka:9092",
    }.items():
        monkeypatch.setenv(f"AUDIENCE_SYNC_{name}", value)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == code
    assert capsys.readouterr().err == f"{found[-1]}\n"
