"""The program knows its commands before it has imported any."""

import subprocess
import sys
from typing import Any, Final

import pytest
import typer.main

from audience_sync.commands import app
from audience_sync.commands.on_demand import PLACES

PROGRAM: Final[Any] = typer.main.get_command(app)


@pytest.mark.parametrize("name", PLACES)
def test_each_command_is_where_it_is_looked_for(name: str) -> None:
    """Under its name, and with a sentence."""
    command = PROGRAM.commands[name]
    assert command.name == name
    assert command.help


def test_there_are_no_others() -> None:
    """However one asks."""
    assert list(PROGRAM.commands) == list(PLACES)
    assert "nonsense" not in PROGRAM.commands
    assert PROGRAM.commands.get("nonsense") is None


def test_a_command_brings_along_only_what_it_needs() -> None:
    """The emulator knows nothing of Kafka, and the version of nothing at all: both are there in a moment."""
    looked = "import sys, audience_sync.commands.on_demand as each, audience_sync.commands as all"
    shown = "print(*sorted({'faststream', 'aiokafka', 'httpx', 'pydantic', 'jinja2'} & sys.modules.keys()))"
    for asked, needed in {"": "", "each._imported('emulate')": "jinja2"}.items():
        done = subprocess.run(
            [sys.executable, "-c", f"{looked}; {asked or None}; {shown}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == needed
