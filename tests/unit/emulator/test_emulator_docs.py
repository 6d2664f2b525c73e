"""docs/emulator.md says everything that the emulator has, and its examples are sound."""

import inspect
import re
from enum import StrEnum
from pathlib import Path
from textwrap import indent

import msgspec
import pytest

from audience_sync.commands.emulate import emulate
from audience_sync.emulator.api import Api
from audience_sync.emulator.control import OF_ALL_APPS, ROUTES
from audience_sync.emulator.control_answers import counted
from audience_sync.emulator.effects import GATEWAY_CODE, KINDS
from audience_sync.emulator.endpoints import BY_PATH, ENDPOINTS, Family
from audience_sync.emulator.faults import FailNext, Faults, FaultSettings, Step
from audience_sync.emulator.files import app_of
from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.refusals import Code
from audience_sync.emulator.settings import AppSettings, Settings
from audience_sync.emulator.switches import Switches

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "emulator.md").read_text()
JSON_EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def table(heading: str) -> dict[str, list[str]]:
    """{first cell, without its quotes: the other cells} of the table that begins with this heading."""
    found = re.search(rf"^\| {heading} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, heading
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]
    return {first.strip().strip("`"): others for first, *others in rows}


def shown(default: object) -> str:
    match default:
        case None | "":
            return ""
        case bool():
            return "on" if default else "off"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"


def test_the_page_has_every_code() -> None:
    """Those that are refused with, and those of faults that have their own."""
    named = {int(code) for code in re.findall(r"\b[4679]0\d{3}\b|\b93000\b", PAGE)}
    assert named >= {*Code, *PushCode, GATEWAY_CODE}


def test_the_page_has_every_endpoint() -> None:
    """In the row of its family, by the name that faults and counters know."""
    rows = {cell.split("`")[0]: others[0] for cell, others in table("family").items()}
    assert list(rows) == [f"/v4/{family}/" for family in Family]
    for path, endpoint in BY_PATH.items():
        assert f"`{endpoint.name}`" in rows[f"/v4/{endpoint.family}/"], path
    assert sum(row.count("`") // 2 for row in rows.values()) == len(ENDPOINTS)


def test_the_page_has_every_address() -> None:
    """With each method, and no address that is not there."""
    named = {re.sub(r"/\{id\}|\?.*", "", address.removesuffix("`")) for address in table("request")}
    assert named == {
        f"{method} /control/{name}" for name, route in ROUTES.items() for method in route.methods.split()
    }
    assert all(f"/control/{name}" in PAGE for name in OF_ALL_APPS)


def test_the_page_has_every_kind_of_fault_with_what_it_does() -> None:
    """Each written so that it can be sent, and said to be applied or not."""
    rows = table("kind")
    assert [kind.partition(":")[0] for kind in rows] == list(KINDS)
    for kind, (applied, _) in rows.items():
        name, _, argument = kind.partition(":")
        assert applied.startswith("yes" if KINDS[name](argument).applies else "no"), kind


def test_the_page_has_everything_that_is_counted() -> None:
    """And every word that a fault can be described with."""
    names = [name for name in counted(Api(Settings(key="k"))) if name != "latency_seconds"]
    for struct in (FailNext, FaultSettings, Step):
        names += struct.__struct_fields__
    assert [name for name in names if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE] == []


def test_the_page_has_each_switch_with_its_default_and_its_settings() -> None:
    """The table against the switches themselves."""
    rows = table("switch")
    usual = Switches()
    assert {name: default for name, (default, _) in rows.items()} == {
        name: shown(getattr(usual, name)) for name in Switches.__struct_fields__
    }
    for name, (_, settings) in rows.items():
        default = getattr(usual, name)
        if isinstance(default, StrEnum):
            assert re.findall(r"`([a-z_]+)`: ", settings) == list(type(default)), name


def test_the_page_has_each_option_with_its_default() -> None:
    """The table against the command's own signature."""
    assert {name: default for name, (default, _) in table("option").items()} == {
        f"--{name.replace('_', '-')}": shown(parameter.default)
        for name, parameter in inspect.signature(emulate).parameters.items()
    }


def test_the_examples_in_json_can_be_sent_as_they_stand() -> None:
    """The apps, and the faults."""
    apps, faults = JSON_EXAMPLES
    for each in msgspec.json.decode(apps):
        assert isinstance(app_of(each), AppSettings)
    Faults(latency_seconds=0, seed=0).change(msgspec.json.decode(faults, type=FaultSettings), now=0)


async def test_the_python_example_runs() -> None:
    """Up to the assertion about a user whom nobody wrote to."""
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example
    scope: dict[str, object] = {}
    exec("async def example():\n" + indent(example[1], "    "), scope)
    with pytest.raises(AssertionError):
        await scope["example"]()  # type: ignore[operator]  # made by the line above


def test_the_picture_is_there() -> None:
    """A link to nothing would be noticed only by readers."""
    (picture,) = re.findall(r"!\[.+?\]\((.+?)\)", PAGE)
    assert (ROOT / "docs" / picture).exists()
