"""The page about planning: what is typed there prints what stands there, and every option is told."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main

from audience_sync.commands import app
from tests.docs.test_chat_commands import transcript
from tests.docs.test_readme import ROOT
from tests.support.shell import Shell

PAGE: Final = (ROOT / "docs" / "planning.md").read_text()


def typed(line: str, shown: str) -> str:
    """What *line* prints; a file that is shown and not there yet is there from now on."""
    words = shlex.split(line)
    if words[0] == "cat":
        file = Path(words[1])
        if not file.exists():
            file.write_text(shown)
        return file.read_text()
    into = None
    if ">" in words:
        words, [into] = words[: words.index(">")], words[words.index(">") + 1 :]
    environment = {} if into else {"TTY_COMPATIBLE": "1"}
    told = Shell({"TERM": "dumb", "COLUMNS": "80", "LINES": "25"})(*words[1:], **environment)
    if into is None:
        return told.seen
    Path(into).write_text(told.out)
    return told.err


def test_what_is_typed_prints_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first line of the page to the last, in one folder."""
    monkeypatch.chdir(tmp_path)
    for line, shown in transcript(PAGE):
        assert typed(line, shown) == shown, line


def test_every_option_is_told() -> None:
    """A new one gets its line; those that every command has need none."""
    group: Any = typer.main.get_command(app)
    for command in (
        group.commands["plan"],
        group.commands["run"],
        *group.commands["rules"].commands.values(),
    ):
        options = {option for parameter in command.params for option in parameter.opts if option[:2] == "--"}
        for option in options - {"--help"}:
            assert re.search(rf"{option}\b", PAGE), f"{command.name} {option}"


def test_a_new_event_is_connected_and_planned_in_under_five_commands() -> None:
    """Of ours; what is only shown costs nothing."""
    [first, *_] = PAGE.split("\n## Cases for rules")
    commands = [line for line, _ in transcript(first) if line.startswith("audience-sync ")]
    assert [line.split()[1] for line in commands] == ["rules", "rules", "plan"]
