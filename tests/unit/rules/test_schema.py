"""The schema that editors complete a rules file from."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from ruamel.yaml import YAML

from audience_sync.rules.file import DEFAULT_RULES
from audience_sync.rules.schema import json_schema

ROOT = Path(__file__).parents[3]
SHIPPED = [
    DEFAULT_RULES,
    *sorted(ROOT.glob("helm/**/rules*.yaml")),
    *sorted(ROOT.glob("deploy/**/rules*.yaml")),
]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_schema_takes_the_shipped_files(path: Path) -> None:
    """Whoever begins with one of them begins without a mark."""
    jsonschema.Draft202012Validator(json_schema()).validate(
        YAML(typ="safe", pure=True).load(path.read_text())
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_shipped_files_lead_an_editor_to_the_schema(path: Path) -> None:
    """Their first line says where it is, and there it is."""
    first = path.read_text().splitlines()[0]

    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == ROOT / "docs" / "rules.schema.json"


def test_the_schema_says_what_each_key_is_for() -> None:
    """An editor completes the file from it; a key without a description would complete to a riddle."""
    schema = json_schema()

    for part in [schema, *schema["$defs"].values()]:
        for name, stated in part.get("properties", {}).items():
            assert stated.get("description"), name
            assert '"null"' not in json.dumps(stated), f"{name}: a key is left out, not null"


def test_the_example_of_the_schema_is_sound() -> None:
    schema = json_schema()
    [example] = schema["examples"]

    jsonschema.Draft202012Validator(schema).validate(example)


def test_no_name_of_ours_is_shown() -> None:
    """An editor shows a title in place of the description."""

    def titles(schema: Any) -> list[str]:
        match schema:
            case dict():
                return [
                    *([schema["title"]] if isinstance(schema.get("title"), str) else []),
                    *(title for value in schema.values() for title in titles(value)),
                ]
            case list():
                return [title for item in schema for title in titles(item)]
            case _:
                return []

    assert titles(json_schema()) == ["Rules of audience-sync"]
