"""What `audience-sync check-config` shows, and how it refuses."""

import json
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from audience_sync.commands import app
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.settings import FILE_VARIABLE, PREFIX, variables

SECRET: Final = "planted-secret-1b7c"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with an account and nothing else of ours."""
    for name in [FILE_VARIABLE, *variables()]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{PREFIX}CHAT__APP_ID", "1400000000")
    monkeypatch.setenv(f"{PREFIX}CHAT__SIGNING_KEY", SECRET)
    return monkeypatch


def stopped(*arguments: str) -> Stop:
    """How the command ends when it can't do what was asked."""
    error = CliRunner().invoke(app, ["check-config", *arguments]).exception
    assert isinstance(error, Stop)
    return error


@pytest.mark.usefixtures("environment")
def test_every_setting_is_shown_and_no_secret() -> None:
    """As lines that an environment file could hold, when it is not a terminal."""
    result = CliRunner().invoke(app, ["check-config"])

    lines = dict(line.split("=", 1) for line in result.stdout.splitlines())
    assert result.exit_code == 0
    assert list(lines) == list(variables())
    assert lines[f"{PREFIX}CHAT__SIGNING_KEY"] == "**********"
    assert SECRET not in result.output


def test_json_holds_settings_and_rules(environment: pytest.MonkeyPatch) -> None:
    """Numbers stay numbers, what is not set is null, and secrets are masked here too."""
    environment.setenv(f"{PREFIX}DEBOUNCE__QUIET_SECONDS", "3.5")

    result = CliRunner().invoke(app, ["check-config", "--json"])

    told = json.loads(result.stdout)
    assert told["settings"][f"{PREFIX}DEBOUNCE__QUIET_SECONDS"] == 3.5
    assert told["settings"][f"{PREFIX}KAFKA__INSTANCE_ID"] is None
    assert told["rules"]["attributes"] == ["membership", "city"]
    assert told["rules"]["rules"][0]["name"] == "membership tier"
    assert SECRET not in result.output


def test_settings_and_rules_are_refused_together(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All problems at once, with the exit code of bad input."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("sources: []\n")
    environment.setenv(f"{PREFIX}RULES_FILE", str(rules))
    both = stopped()

    environment.setenv(f"{PREFIX}CHAT__APP_ID", SECRET)
    environment.setenv(f"{PREFIX}LOG__LEVEL", "LOUD")
    settings_only = stopped()

    assert both.code is ExitCode.BAD_INPUT
    assert "rules.yaml, line 1" in both.message
    assert len(both.message.splitlines()) == 2
    assert "CHAT__APP_ID" in settings_only.message
    assert "LOG__LEVEL" in settings_only.message
    assert SECRET not in settings_only.message


def test_files_that_settings_name_are_looked_into(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What would stop the service at its start is found here: keys, certificates, tokens."""
    authorities = tmp_path / "ca.pem"
    authorities.write_text(SECRET)
    environment.delenv(f"{PREFIX}CHAT__SIGNING_KEY")
    environment.setenv(f"{PREFIX}CHAT__SIGNING_KEY_FILE", str(tmp_path / "absent"))
    environment.setenv(f"{PREFIX}KAFKA__SECURITY_PROTOCOL", "SSL")
    environment.setenv(f"{PREFIX}KAFKA__SSL_CA_FILE", str(authorities))

    refused = stopped()

    signing_key, certificates = refused.message.splitlines()
    assert refused.code is ExitCode.BAD_INPUT
    assert signing_key.startswith(f"{PREFIX}CHAT__SIGNING_KEY_FILE")
    assert str(authorities) in certificates
    assert SECRET not in refused.message


def test_an_empty_key_is_refused(environment: pytest.MonkeyPatch) -> None:
    """A variable that was never filled in."""
    environment.setenv(f"{PREFIX}CHAT__SIGNING_KEY", "")
    assert "the key is empty" in stopped().message
