"""The guide to two pushes, typed by a test: the right users get them, the others nothing."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audience_sync.emulator.server import serve
from audience_sync.emulator.settings import Settings

PAGE: Final = (Path(__file__).parents[2] / "docs" / "pushes.md").read_text()
ADDRESS: Final = "http://127.0.0.1:8090"
KEY: Final = "any-text-of-yours"


def steps() -> Iterator[tuple[str, str]]:
    """Each command of the page, and what follows it."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = step.partition("\n")
            yield command, printed


def plain(text: str) -> str:
    """*text* with what differs from run to run under a name."""
    text = re.sub(r"[0-9a-f]{8}_[0-9a-f]{8}_[0-9a-f]+_[0-9a-f]+_[0-9a-f]+", "(task)", text)
    return re.sub(r'"at":[0-9.]+', '"at":(moment)', text)


async def test_every_step_does_what_the_page_shows(tmp_path: Path) -> None:
    """As a reader would type it, in one shell."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "audience-sync").symlink_to(Path(sys.executable).parent / "audience-sync")
    environment = {"PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(tmp_path), "COLUMNS": "200"}
    typed = 0
    async with serve(Settings(key=KEY)) as emulator:
        for command, printed in steps():
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                environment[name] = value.replace(ADDRESS, emulator.url)
                continue
            if command.endswith("&"):
                continue  # it runs already, on another port
            shell = await asyncio.create_subprocess_exec(
                *("bash", "-c", command.replace(ADDRESS, emulator.url)),
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            output, _ = await asyncio.wait_for(shell.communicate(), timeout=60)
            assert plain(output.decode()) == printed, command
            typed += 1
    assert typed >= 15
