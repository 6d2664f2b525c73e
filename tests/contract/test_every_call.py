"""Every call of both families in every situation: what the client did stands in docs/chat-calls.md."""

import asyncio
import os
from pathlib import Path
from typing import Final

import pytest

from audience_sync.chat_api import Command, Family
from audience_sync.emulator.server import serve
from audience_sync.emulator.settings import Settings
from tests.contract.every_call import KEY, NOT_APPLICABLE, cell, cells, commands, rows

PAGE: Final = Path(__file__).parents[2] / "docs" / "chat-calls.md"
WRITE: Final = "AUDIENCE_SYNC_TEST_WRITE_PAGES"
AT_ONCE: Final = 8
"""Cells that wait for the emulator at the same time: most of them wait for a fault."""

Table = dict[tuple[Family, Command, str], str]

HEAD: Final = """\
# Every call in every situation

<!-- Made by `make docs` from what the client did against the emulator. Change it there. -->

Each cell is a call that [the client](chat-client.md) made to [the emulator](emulator.md), and what came of it:

- **confirmed**, and in how many requests if it took more than the one that the call is;
- **BrokenLimit, not sent**: the client names the user, the field and the limit;
- an error by its name, and whether the request **may have been applied**, as the client says. Where it says that
  nothing was applied, the emulator was asked, and nothing was. A request that is refused whole may have been applied
  in part: an app that stops at the first bad user is one of the open questions.

A row `bytes of a tag: 51` is a tag of 51 bytes. "-": the call has no such field.
"""


async def filled() -> Table:
    """The whole table."""
    limit = asyncio.Semaphore(AT_ONCE)
    table: Table = {}
    async with serve(Settings(key=KEY, calls_per_second=10_000)) as emulator:

        async def fill(number: int, family: Family, command: Command, row: str) -> None:
            async with limit:
                table[family, command, row] = await cell(emulator, number, family, command, row)

        async with asyncio.TaskGroup() as tasks:
            for each in cells():
                tasks.create_task(fill(*each))
    return table


def page(table: Table) -> str:
    """The table as Markdown, a part for each family, split so that it can be read."""
    parts = [HEAD]
    for family in Family:
        for names in groups(family):
            parts.append(f"## {family}: {', '.join(f'`{name}`' for name in names)}\n")
            lines = [f"| | {' | '.join(f'`{name}`' for name in names)} |", "| --- |" + " --- |" * len(names)]
            for row in rows():
                told = [table[family, name, row] for name in names]
                if set(told) != {NOT_APPLICABLE}:
                    lines.append(f"| {row} | {' | '.join(told)} |")
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def groups(family: Family) -> list[list[Command]]:
    """The calls of *family*, four or five a table."""
    every = commands(family)
    return [every[start : start + 4] for start in range(0, len(every), 4)]


async def test_the_table_has_no_empty_cell_and_is_the_page() -> None:
    """Happy, each limit, each fault: none is left to be found out in production."""
    table = await filled()
    assert set(table) == {(family, command, row) for _, family, command, row in cells()}
    assert all(table.values())
    made = page(table)
    if WRITE in os.environ:
        PAGE.write_text(made)
    assert PAGE.read_text() == made, f"run `make docs`, or {WRITE}=1 with this test"


@pytest.mark.parametrize("family", Family)
def test_all_calls_of_a_family_are_in_the_table(family: Family) -> None:
    shown = {command for group in groups(family) for command in group}
    assert shown == set(commands(family))
    assert len(shown) >= 10
