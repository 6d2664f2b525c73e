"""What `audience-sync --version` says, in a checkout and in what a build made."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from audience_sync import __version__
from audience_sync.commands import app, version


def said() -> str:
    answer = CliRunner().invoke(app, ["--version"])
    assert answer.exit_code == 0
    return answer.output


def test_a_checkout_says_the_version_alone() -> None:
    """Which commit it stands on, git tells."""
    assert said() == f"{__version__}\n"


@pytest.mark.parametrize(
    ("told", "words"), [("5c0d99b", f"{__version__} (commit 5c0d99b)\n"), ("", f"{__version__}\n")]
)
def test_what_a_build_was_told_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, words: str
) -> None:
    """A build outside of a checkout is told nothing."""
    (tmp_path / version.REVISION).write_text(told)
    monkeypatch.setattr(version, "files", lambda _: tmp_path)
    assert said() == words
