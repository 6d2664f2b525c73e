"""The reference pages are what the code says today."""

import re
from typing import Final

import pytest

from audience_sync.settings import variables
from docs.commands_page import MORE
from docs.make_reference import FOLDER, pages

PAGES: Final = pages()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_what_is_made_of_the_code(page: str) -> None:
    """`make docs` makes it again."""
    assert (FOLDER / page).read_text() == PAGES[page], f"docs/{page} is out of date: run `make docs`"


def test_every_setting_is_described() -> None:
    """With its default, its range, and a sentence on what it changes."""
    rows = [line.split(" | ") for line in PAGES["settings.md"].splitlines() if line.startswith("| `")]

    assert [row[0].strip("|` ") for row in rows] != []
    assert sorted(row[0].strip("|` ") for row in rows) == sorted(variables())
    for name, _, may_be, effect in rows:
        assert may_be, name
        assert effect.rstrip(" |").endswith("."), name


def test_every_metric_is_described() -> None:
    """In a sentence, also those that FastStream adds."""
    rows = [line for line in PAGES["metrics.md"].splitlines() if line.startswith("| `")]
    assert any(row.startswith("| `audience_sync_") for row in rows)
    assert any(row.startswith("| `faststream_") for row in rows)
    assert all(row.endswith(". |") for row in rows)


def test_every_command_is_described() -> None:
    """With a sentence, each of its options with one, and a way on only from commands that are there."""
    sections = dict(re.findall(r"^##+ (.+)\n\n(.+)$", PAGES["commands.md"], re.MULTILINE))
    assert {"run", "plan", "chat push", "dead-letters replay"} <= sections.keys()
    assert MORE.keys() <= sections.keys()
    rows = [line.split(" | ") for line in PAGES["commands.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row[0] for row in rows if not row[-1].rstrip(" |").endswith((".", "?", ".)"))] == []
