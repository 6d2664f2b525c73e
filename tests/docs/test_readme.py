"""What the README tells a reader to type is there, and does what it says."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main

from audience_sync.commands import app
from audience_sync.rules.file import parse_rules
from audience_sync.settings import load

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text()
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")])


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def typed(text: str) -> Iterator[list[str]]:
    """The commands after a prompt, as words without their comments."""
    for block in blocks(text, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield shlex.split(line.removeprefix("$ "), comments=True)


def named_in_prose(text: str) -> Iterator[list[str]]:
    """Commands of ours in backticks."""
    for words in re.findall(r"`(audience-sync [^`]+)`", text):
        yield words.split()


def targets() -> set[str]:
    """What make can make."""
    return set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_makes_what_it_names() -> None:
    """In all pages."""
    named = {word[1] for page in PAGES for word in typed(page.read_text()) if word[0] == "make"}
    named |= {target for page in PAGES for target in re.findall(r"`make ([a-z-]+)`", page.read_text())}
    assert {"demo", "check", "test"} <= named
    assert named <= targets()


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_our_commands_are_there_with_their_options(page: Path) -> None:
    """A renamed command or option is renamed here too."""
    group: Any = typer.main.get_command(app)
    for words in [*typed(page.read_text()), *named_in_prose(page.read_text())]:
        if words[0] != "audience-sync":
            continue
        command, rest = group, words[1:]
        while rest and not rest[0].startswith(("-", "<")) and hasattr(command, "commands"):
            assert rest[0] in command.commands, f"{page.name}: there is no command {rest[0]!r}"
            command, rest = command.commands[rest[0]], rest[1:]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        asked = {word.partition("=")[0] for word in rest if word[:2] == "--"}
        assert asked <= known, f"{page.name}: {' '.join(words)}"


def test_the_settings_it_names_are_enough_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """One minute, and nothing is missing."""
    given = dict(words[1].split("=", 1) for words in typed(README) if words[0] == "export")
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    loaded = load(given)

    assert loaded.chat.app_id
    assert loaded.kafka.bootstrap_servers == "kafka:9092"


def test_the_rule_it_shows_is_one() -> None:
    """As it stands there."""
    [text] = blocks(README, "yaml")
    assert parse_rules(text, file="README.md").attribute_names == ("city",)


def test_every_promise_stands_in_it() -> None:
    """Built or not, each is told."""
    assert re.findall(r"^\| (P\d+) \|", README, re.MULTILINE) == [f"P{number}" for number in range(1, 11)]
