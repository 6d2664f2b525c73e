"""What the pages name is there: settings, metrics, log lines, files, tests, dead letters."""

import ast
import json
import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

import audience_sync
from audience_sync.commands.dead_letters.asked import End
from audience_sync.core.event import Cause
from audience_sync.core.verdicts import REFUSED_USER, UNKNOWN_ACCOUNT
from audience_sync.events.dead_letters import DeadLetter
from audience_sync.settings import FILE_VARIABLE, PREFIX, variables
from docs.make_reference import pages

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])
OPERATIONS: Final = (ROOT / "docs" / "operations.md").read_text()
DEAD_LETTERS: Final = (ROOT / "docs" / "dead-letters.md").read_text()
LOGGED: Final = frozenset({"debug", "info", "warning", "error", "exception"})


@pytest.fixture(params=PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def text(request: pytest.FixtureRequest) -> str:
    """A page."""
    page: Path = request.param
    return page.read_text()


def test_settings_that_are_named_are_settings(text: str) -> None:
    """Those of the tests, of the emulator and of compose.yaml apart."""
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", text))
    others = {name for name in named if name.startswith((f"{PREFIX}TEST_", f"{PREFIX}EMULATOR_"))}
    assert named - others - {f"{PREFIX}IMAGE"} <= {*variables(), FILE_VARIABLE}


def test_metrics_that_are_named_are_metrics(text: str) -> None:
    """As they are served."""
    served = set(re.findall(r"^\| `(\w+)`", pages()["metrics.md"], re.MULTILINE))
    assert set(re.findall(r"\baudience_sync_[a-z_]+[a-z]", text)) - {"audience_sync_"} <= served


def test_files_that_are_named_are_there(text: str) -> None:
    """Also when they are not linked to."""
    named = re.findall(r"`((?:service|tests|docs|deploy|helm)/[\w./-]*)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_tests_that_are_named_are_there(text: str) -> None:
    """A decision names what holds it."""
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", text)
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_every_log_line_is_explained() -> None:
    """Its action and level as in the code, and no action that is in no code."""
    written: set[tuple[str, str]] = set()
    for file in Path(audience_sync.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="_log"), attr=level),
                    args=[ast.Constant(value=str(action)), *_],
                ) if level in LOGGED:
                    written.add((action, level))
    section = OPERATIONS[OPERATIONS.index("## Log lines") : OPERATIONS.index("## Starting")]
    explained = {
        (action, level)
        for actions, level in re.findall(r"^\| (`.+?`) \| (\w+) \|", section, re.MULTILINE)
        for action in re.findall(r"`(\w+)`", actions)
    }
    assert explained - {("library_said", "any")} == written


def test_dead_letters_that_are_shown_are_dead_letters() -> None:
    """With every field, every cause and every end explained."""
    shown = re.findall(r"^```json\n(.*?)^```", DEAD_LETTERS, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for letter in shown:
        msgspec.json.decode(letter, type=DeadLetter)
        assert not json.loads(letter).keys() - set(DeadLetter.__struct_fields__)
    explained = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", DEAD_LETTERS, re.MULTILINE))))
    named = {
        *DeadLetter.__struct_fields__,
        *Cause,
        REFUSED_USER,
        UNKNOWN_ACCOUNT,
        *(end.value for end in End),
    }
    assert named - {"v"} - explained == set()


def test_every_decision_is_numbered_and_in_its_shape() -> None:
    """Decision, reasons, what was rejected, the price, and what would show that it is wrong."""
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in decisions]
    assert numbers == [*range(1, len(numbers) + 1)]
    for number, page in zip(numbers, decisions, strict=True):
        text = page.read_text()
        assert page.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        for part in (
            "Decided ",
            "**Decision.**",
            "**Why.**",
            "**Rejected.**",
            "**Price.**",
            "**We would see",
        ):
            assert part in text, page.name


def test_changes_have_a_kind() -> None:
    """So that a release can sort them."""
    for change in (ROOT / "docs" / "changelog").iterdir():
        assert change.suffixes[-2:-1] in ([".added"], [".changed"], [".fixed"], [".removed"], [".security"])
