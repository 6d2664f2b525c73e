"""The page about `audience-sync chat`: what is typed there prints what stands there, and every option is told."""

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main

from audience_sync.commands import app
from audience_sync.emulator.server import Emulator
from audience_sync.settings import PREFIX
from tests.docs.test_readme import ROOT, blocks
from tests.support.secrecy import KEYS, SIGNING_KEY
from tests.support.shell import Shell, Told, account_of, emulated

PAGE: Final = (ROOT / "docs" / "chat-commands.md").read_text()
TASK: Final = re.compile(r"\b[0-9a-f]{8}_[0-9a-f]+_[0-9a-f]+_[0-9a-f]+_[0-9a-f]+\b")
"""What the API calls a push; the emulator makes it of the time."""

ANOTHER_KEY: Final = "another key for tests: 5d1e"
KEYS.add(ANOTHER_KEY)


class Session:
    """A shell that has the files that are shown, and remembers what a shell remembers."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        """In *folder* are the two keys."""
        (folder / "signing-key").write_text(SIGNING_KEY)
        (folder / "another-key").write_text(ANOTHER_KEY)
        account = account_of(emulator)
        del account[f"{PREFIX}CHAT__SIGNING_KEY"]
        self._shell = Shell(account | {"TERM": "dumb"})
        self._exported: dict[str, str] = {}
        self._tasks: dict[str, str] = {}
        self._code = 0

    def typed(self, line: str, shown: str) -> str:
        """What *line* prints; where it is a file that is shown, that file is there from now on."""
        words = shlex.split(line, comments=True)
        match words:
            case ["export", assignment]:
                name, _, value = assignment.partition("=")
                self._exported[name] = value
                return ""
            case ["cat", name]:
                Path(name).write_text(shown)
                return shown
            case ["echo", "$?"]:
                return f"{self._code}\n"
        if "push" in words and "--dry-run" not in words:
            time.sleep(1.1)  # pushes leave more than a second apart
        if "|" not in words:
            seen = self._one(words, TTY_COMPATIBLE="1").seen
        else:
            first, second = words[: words.index("|")], words[words.index("|") + 1 :]
            given = self._one(first).out
            seen = given if second == ["cat"] else self._one(second, given, TTY_COMPATIBLE="1").seen
        self._tasks |= dict(zip(TASK.findall(shown), TASK.findall(seen), strict=False))
        for as_shown, real in self._tasks.items():
            seen = seen.replace(real, as_shown)
        return seen

    def _one(self, words: list[str], given: str = "", **environment: str) -> Told:
        """What one of our commands does."""
        words = [self._tasks.get(word, word) for word in words]
        while words[0] != "audience-sync":
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        told = self._shell(*words[1:], given=given, **self._exported | environment)
        self._code = told.code
        return told


def transcript(page: str) -> Iterator[tuple[str, str]]:
    """What is typed, and what is shown below it."""
    for block in blocks(page, "console"):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def test_what_is_typed_prints_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first line of the page to the last, in one session."""
    monkeypatch.chdir(tmp_path)
    with emulated() as emulator:
        session = Session(emulator, tmp_path)
        for typed, shown in transcript(PAGE):
            assert session.typed(typed, shown) == shown, typed


def test_every_call_and_every_option_is_told() -> None:
    """A new one gets its line."""
    group: Any = typer.main.get_command(app)
    calls = group.commands["chat"].commands
    for name, call in calls.items():
        assert f"`{name}`" in PAGE or f"`{name}," in PAGE, name
        for option in (option for parameter in call.params for option in parameter.opts):
            assert not option.startswith("--") or option in PAGE, f"{name} {option}"
