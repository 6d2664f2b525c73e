"""Rules files that are broken, each in one way: what our loader tells, and what an editor could know.

Each file in `broken/` begins with why it is broken, what is told of it (`# told:`, a line a problem), and whether
the schema refuses it: it knows no bytes, no two parts of the file at once, neither CEL nor Python.
"""

import json
import re
from pathlib import Path
from typing import Final

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from ruamel.yaml import YAML

from audience_sync.rules.file import parse_rules
from audience_sync.rules.problems import RulesError
from audience_sync.rules.schema import json_schema

FILES: Final = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
SCHEMA: Final = jsonschema.Draft202012Validator(json_schema())

TOLD: Final = re.compile(r"^# told: (.*)$", re.MULTILINE)
BY_THE_SCHEMA: Final = re.compile(r"^# schema: (refuses it|takes it|is not asked)$", re.MULTILINE)

SEES_THE_WAY_OUT: Final = re.compile(
    r"add |known here|correct|write|keep one|put it in quotes|needed|double it|name a field|drop some|is it \{|"
    r"remove|compare it|leave it out|install|give |take |can't come from events|takes 1 to|usual cause|"
    r"docs/rules|rules need"
)
"""Words of which every message has one: what to do about it."""


@pytest.mark.parametrize("path", FILES, ids=[file.stem for file in FILES])
def test_a_broken_file_is_told_with_line_and_rule_and_way_out(path: Path) -> None:
    """Whoever wrote it can put it right without reading this program."""
    text = path.read_text()

    with pytest.raises(RulesError) as caught:
        parse_rules(text, file="rules.yaml")

    found = [problem.removeprefix("rules.yaml").lstrip(",: ") for problem in caught.value.problems]
    assert found == TOLD.findall(text)
    assert [problem for problem in found if not SEES_THE_WAY_OUT.search(problem)] == []


@pytest.mark.parametrize("path", FILES, ids=[file.stem for file in FILES])
def test_the_schema_refuses_what_it_can_know(path: Path) -> None:
    """An editor marks it while it is being written."""
    text = path.read_text()
    [expected] = BY_THE_SCHEMA.findall(text)

    if expected != "is not asked":
        content = json.loads(
            json.dumps(YAML(typ="safe", pure=True).load(text), default=str)
        )  # as editors read it
        assert ("takes it" if SCHEMA.is_valid(content) else "refuses it") == expected


def test_the_schema_refuses_thirty() -> None:
    """Were it to grow lax, the files would be changed one by one, and nobody would see the sum."""
    refused = [path.stem for path in FILES if "# schema: refuses it" in path.read_text()]

    assert len(refused) >= 30
