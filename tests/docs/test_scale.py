"""The page about growth: what is typed there prints what stands there, and every option is told."""

import re
import shlex
from typing import Any, Final

import typer.main

from audience_sync.commands import app
from audience_sync.core.capacity import most_users_per_second
from tests.docs.test_chat_commands import transcript
from tests.docs.test_readme import ROOT
from tests.support.shell import Shell
from tests.unit.core.test_capacity import SERVICE

PAGE: Final = (ROOT / "docs" / "scale.md").read_text()


def test_what_is_typed_prints_what_is_shown() -> None:
    """With the settings' defaults."""
    shell = Shell({"TERM": "dumb", "COLUMNS": "80", "LINES": "25"})
    typed = list(transcript(PAGE))
    assert len(typed) == 2
    for line, shown in typed:
        assert shell(*shlex.split(line)[1:], TTY_COMPATIBLE="1").seen == shown, line


def test_every_option_is_told() -> None:
    """A new one gets its line."""
    group: Any = typer.main.get_command(app)
    options = {
        option
        for parameter in group.commands["capacity"].params
        for option in parameter.opts
        if option[:2] == "--"
    }
    for option in options - {"--help"}:
        assert re.search(rf"{option}\b", PAGE), option


def test_the_table_of_everybody_is_reckoned_with_the_limit() -> None:
    """Users divided by what one endpoint takes."""
    rows = dict(re.findall(r"^\| ([\d,]+) \| (.+?) \|$", PAGE, re.MULTILINE))
    each = most_users_per_second(SERVICE)
    assert each == 9700
    assert rows == {
        "10,000": f"{10_000 / each:.0f} s",
        "1,000,000": "1 min 43 s",
        "10,000,000": "17 min",
        "100,000,000": "2 h 52 min",
    }
    assert [round(1e6 / each), round(1e7 / each / 60), round(1e8 / each / 60)] == [103, 17, 172]
