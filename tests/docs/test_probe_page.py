"""The page of the probe: questions, options and profile are as the code has them."""

import re
from pathlib import Path
from typing import Final

import msgspec
from typer.core import TyperGroup
from typer.main import get_command

from audience_sync.chat_api.profile import Document
from audience_sync.commands import app
from audience_sync.commands.probe import MOST_ACCOUNTS
from audience_sync.emulator.switches import Switches, changed
from audience_sync.probe.bodies import OWN, OWN_NAMES
from audience_sync.probe.calling import PUSH_SECONDS, TRIES
from audience_sync.probe.plan import plan_for
from audience_sync.probe.question import Given, Permissions
from audience_sync.probe.questions import QUESTIONS
from audience_sync.probe.questions.tags import DISTINCT_TAGS
from audience_sync.probe.switches import NOT_ASKED

PAGE: Final = (Path(__file__).parents[2] / "docs" / "probe.md").read_text()


def table(header: str) -> list[list[str]]:
    """The cells of a table, by the first cell of its header."""
    rows = PAGE.split(f"\n| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_question_stands_there_in_order() -> None:
    """With the switches it decides, in its own words."""
    asked = [
        [
            question.name,
            ", ".join(f"`{switch}`" for switch in question.decides) or "-",
            question.asks,
            str(question.most_calls),
        ]
        for question in QUESTIONS
    ]
    assert table("question") == asked


def test_what_is_never_asked_stands_there() -> None:
    """With the reason that a profile gives."""
    assert table("open point") == [[f"`{name}`", why] for name, why in NOT_ASKED.items()]


def test_every_option_is_explained() -> None:
    """And no other."""
    options = [name for row in table("option") for name in re.findall(r"`(--[\w-]+)`", row[0])]
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    written = [name for option in command.commands["probe"].params for name in option.opts]
    assert sorted(options) == sorted({*written} - {"--help"})


def test_the_profile_that_is_shown_is_one() -> None:
    """Every field, and values that the emulator takes."""
    shown = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(shown) == 1
    document = msgspec.json.decode(shown[0], type=Document)
    assert set(msgspec.json.decode(shown[0])) == set(Document.__struct_fields__)
    changed(Switches(), dict(document.switches))


def test_the_numbers_are_those_of_the_code() -> None:
    """As words, and as figures."""
    assert f"{DISTINCT_TAGS:,} tags" in PAGE
    assert (TRIES, PUSH_SECONDS) == (3, 2.0)
    assert all(f"`{name}`" in PAGE for name in (OWN, *OWN_NAMES[:2]))
    everything = Given(
        accounts=tuple(map(str, range(MOST_ACCOUNTS))),
        unknown="nobody",
        permissions=Permissions(push=True, fill=True, delete="doomed", other="nobody"),
    )
    plan = plan_for(everything)
    assert not [step for step in plan.steps if step.not_asked]
    assert plan.most_pushes == 3
