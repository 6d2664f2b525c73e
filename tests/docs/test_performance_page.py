"""The page of figures is what the report makes of the run's JSON; nobody edits it by hand."""

import re
from typing import Final

import pytest

from benchmarks.document import FILE, read
from benchmarks.report.findings import findings
from benchmarks.report.page import DOCS, pages
from tests.unit.benchmarks.test_charts import parsed

MADE: Final = pages(read(FILE), findings())
PAGE: Final = MADE["performance.md"]


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_what_the_report_makes_of_the_figures(name: str) -> None:
    """`python -m benchmarks --report` makes it again."""
    assert (DOCS / name).read_text() == MADE[name], f"docs/{name} is not of docs/performance.json"


def test_every_picture_that_is_shown_is_there_and_no_other() -> None:
    """Each with words for who can't see it."""
    shown = re.findall(r"!\[(.*?)\]\((images/performance-[\w-]+\.svg)\)", PAGE)
    assert sorted(file for _, file in shown) == sorted(name for name in MADE if name != "performance.md")
    assert sorted(MADE) == sorted(
        ["performance.md", *(f"images/{path.name}" for path in (DOCS / "images").glob("performance-*.svg"))]
    )
    assert all(alt for alt, _ in shown)


@pytest.mark.parametrize("name", [name for name in MADE if name.endswith(".svg")])
def test_a_picture_is_well_formed_and_told_in_words(name: str) -> None:
    """And nothing in it leaves the paper."""
    parsed((DOCS / name).read_text())


def test_the_figures_are_those_of_a_whole_run() -> None:
    """A quick one says nothing."""
    assert not read(FILE).quick


def test_every_goal_that_was_missed_has_its_reason() -> None:
    """Somebody has looked."""
    assert "Nobody has found out yet." not in PAGE
