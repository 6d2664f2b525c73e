"""docs/emulator.md says everything that the emulator has, and its Python example runs."""

import inspect
import re
from pathlib import Path
from textwrap import indent

import msgspec
import pytest

from audience_sync.commands.emulate import emulate
from audience_sync.emulator.api import Api
from audience_sync.emulator.control import HANDLERS, counters
from audience_sync.emulator.faults import KINDS, FaultSettings
from audience_sync.emulator.refusals import Code
from audience_sync.emulator.endpoints import ENDPOINTS
from audience_sync.emulator.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text()


def test_the_page_names_everything() -> None:
    """What is added to the code is missed here until the page has it."""
    assert {int(code) for code in re.findall(r"\b[679]0\d{3}\b", PAGE)} >= set(Code)
    wanted = [f"| `{name}" for name in KINDS] + [f"`{name}`" for name in ENDPOINTS]
    for name, (methods, _) in HANDLERS.items():
        wanted += [f"| `{method} /control/{name}" for method in methods.split()]
    wanted += [f"`{name}`" for name in counters(Api(Settings(key="k"))) if name != "latency_seconds"]
    assert [each for each in wanted if each not in PAGE] == []


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


def test_the_page_has_each_option_with_its_default() -> None:
    """The table against the command's own signature."""
    rows = dict(re.findall(r"^\| `(--[a-z-]+)` \| ?(.*?) ?\|", PAGE, re.MULTILINE))
    expected = {
        f"--{name.replace('_', '-')}": shown(parameter.default)
        for name, parameter in inspect.signature(emulate).parameters.items()
    }
    assert rows == expected


def test_the_example_of_faults_is_one() -> None:
    """It can be sent as it stands."""
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example
    Api(Settings(key="k")).faults.change(msgspec.json.decode(example[1], type=FaultSettings))


async def test_the_python_example_runs() -> None:
    """Up to the assertion about a user whom nobody wrote to."""
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example
    scope: dict[str, object] = {}
    exec("async def example():\n" + indent(example[1], "    "), scope)
    with pytest.raises(AssertionError):
        await scope["example"]()  # type: ignore[operator]  # made by the line above
