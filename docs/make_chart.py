"""Makes the chart's values, their schema and their table from the settings and docs/chart_values.py: `make docs`."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr, create_model
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from audience_sync.settings import PREFIX, Group, Settings
from docs.chart_values import BESIDE, GIVEN_BY_THE_CHART, SHOWN, ChartValues, Values
from docs.field_words import default_in_words, range_in_words

BEGIN: Final = "<!-- made from docs/chart_values.py and the settings by `make docs` -->\n"
END: Final = "<!-- end -->"
WIDTH: Final = 110


def chart_files(chart: Path) -> dict[str, str]:
    """{file in the chart: text} of all that is made. The README's table is, and not what stands around it."""
    head, _, rest = (chart / "README.md").read_text().partition(BEGIN)
    table = f"{head}{BEGIN}\n{values_table()}\n{END}{rest.partition(END)[2]}"
    return {
        "values.yaml": values_file(),
        "values.schema.json": json.dumps(schema(), indent=1, ensure_ascii=False) + "\n",
        "files/variables.yaml": variables_file(),
        "README.md": table,
    }


def settings() -> dict[str, tuple[str, FieldInfo]]:
    """{name in the settings: (path of the value, field)} of each setting that a value becomes."""
    found: dict[str, tuple[str, FieldInfo]] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, Group):
            for inner, of_group in type(field.default).model_fields.items():
                found[f"{name}.{inner}"] = (f"{to_camel(name)}.{to_camel(inner)}", of_group)
        else:
            found[name] = (to_camel(name), field)
    return {
        name: (path, field)
        for name, (path, field) in found.items()
        if name not in GIVEN_BY_THE_CHART and SecretStr not in _parts(field)
    }


def variables_file() -> str:
    """Which value becomes which setting, for the template of the ConfigMap."""
    lines = (f"{path}: {PREFIX}{name.replace('.', '__').upper()}\n" for name, (path, _) in settings().items())
    return f"# Which value becomes which variable. Made by `make docs`.\n{''.join(lines)}"


def schema() -> dict[str, Any]:
    """The JSON schema that helm checks values by."""
    own = _plain(ChartValues.model_json_schema(by_alias=True))
    _require_all(own)
    own["properties"]["resources"]["properties"]["limits"]["required"] = ["memory"]
    properties: dict[str, Any] = own["properties"]
    groups: dict[str, dict[str, Any]] = {}
    for setting, (path, field) in settings().items():
        group, _, name = path.rpartition(".")
        into = groups.setdefault(group, {}) if group else properties
        into[name] = _of_setting(field, may_be_empty=SHOWN.get(setting) == "")
    for group, of_group in groups.items():
        beside = BESIDE.get(group)
        extra = _plain(beside.model_json_schema(by_alias=True))["properties"] if beside else {}
        properties[group] = {"type": "object", "additionalProperties": False, "properties": of_group | extra}
    properties["global"] = {"type": "object"}
    return {
        "$schema": "https://json-schema.org/draft-07/schema#",
        "title": "Values of audience-sync",
        **{key: value for key, value in own.items() if key != "title"},
    }


def _require_all(node: dict[str, Any]) -> None:
    """What values.yaml has can only be missing where somebody took it away: `null` in a values file."""
    if node.get("additionalProperties") is False:
        node["required"] = list(node["properties"])
        for each in node["properties"].values():
            _require_all(each)


def values_file() -> str:
    """values.yaml: every value of the chart's own, and the settings that are changed most often."""
    text = "# Made by `make docs`. Every value, with its range: README.md.\n" + _yaml(ChartValues, 0)
    groups: dict[str, str] = {}
    for name, (path, field) in settings().items():
        if name not in SHOWN:
            continue
        group, _, last = path.rpartition(".")
        default = field.default if SHOWN[name] is ... else SHOWN[name]
        words = f"{_one_line(field.description)} Setting: {PREFIX}{name.replace('.', '__').upper()}"
        groups[group] = groups.get(group, "") + _entry(last, default, words, 2 if group else 0)
    for group, beside in BESIDE.items():
        groups[group] = groups.get(group, "") + _yaml(beside, 2)
    for group, entries in groups.items():
        text += f"\n{group}:\n{entries}" if group else f"\n{entries}"
    return text


def values_table() -> str:
    """Every value: default, range, what it changes."""
    rows = [*_rows(ChartValues, "")]
    for name, (path, field) in settings().items():
        shown = SHOWN.get(name, ...)
        default = default_in_words(field) if shown is ... else f"`{shown}`" if shown else ""
        rows.append((path, default, range_in_words(field), _one_line(field.description)))
    for group, beside in BESIDE.items():
        rows += _rows(beside, f"{group}.")
    lines = "".join(f"| `{path}` | {default} | {may_be} | {what} |\n" for path, default, may_be, what in rows)
    return f"| value | default | may be | what it changes |\n| --- | --- | --- | --- |\n{lines}"


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{to_camel(name)}"
        if isinstance(field.default, Values):
            yield from _rows(type(field.default), f"{path}.")
        elif isinstance(field.default, BaseModel):
            yield path, f"`{json.dumps(field.default.model_dump())}`", "map", _one_line(field.description)
        else:
            yield path, default_in_words(field), range_in_words(field), _one_line(field.description)


def _yaml(model: type[BaseModel], indent: int) -> str:
    text = ""
    for name, field in model.model_fields.items():
        if isinstance(field.default, Values):
            comment = _comment(_one_line(type(field.default).__doc__), indent, mark="#")
            text += f"{_gap(indent)}{comment}{' ' * indent}{to_camel(name)}:\n"
            text += _yaml(type(field.default), indent + 2)
        else:
            text += _gap(indent) + _entry(to_camel(name), field.default, _one_line(field.description), indent)
    return text


def _gap(indent: int) -> str:
    return "" if indent else "\n"


def _entry(name: str, default: Any, words: str, indent: int) -> str:
    return f"{_comment(words, indent)}{' ' * indent}{name}: {_flow(default)}\n"


def _comment(words: str, indent: int, *, mark: str = "# --") -> str:
    lines = textwrap.wrap(words, WIDTH - indent, break_on_hyphens=False)
    return "".join(
        f"{' ' * indent}{mark if not number else '#'} {line}\n" for number, line in enumerate(lines)
    )


def _flow(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump()
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _of_setting(field: FieldInfo, *, may_be_empty: bool) -> dict[str, Any]:
    """What a value may be; "" says that a setting is left out."""
    annotation: Any = field.annotation
    model = create_model("Only", value=(annotation, field))
    found: dict[str, Any] = _plain(model.model_json_schema())["properties"]["value"]
    if (may_be_empty or field.default is None) and found.get("type") == "string":
        if "enum" in found:
            found["enum"] = ["", *found["enum"]]
        if "pattern" in found:
            found["pattern"] = f"^$|{found['pattern']}"
        found.pop("minLength", None)
    return found


def _plain(made: dict[str, Any]) -> dict[str, Any]:
    """The schema without references, titles, and the null that stands for "left out"."""
    definitions = made.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return walk(definitions[node["$ref"].rpartition("/")[2]]) | {
                key: walk(value) for key, value in node.items() if key not in ("$ref", "default")
            }
        kept = {key: value for key, value in node.items() if key not in ("title", "default", "format")}
        if "anyOf" in kept:
            left = [each for each in kept["anyOf"] if each != {"type": "null"}]
            if len(left) == 1:
                return walk(left[0]) | {key: walk(value) for key, value in kept.items() if key != "anyOf"}
        return {
            key: _walk_properties(value)
            if key == "properties"
            else _one_line(value)
            if key == "description"
            else walk(value)
            for key, value in kept.items()
        }

    def _walk_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
        return {name: walk(each) for name, each in properties.items()}

    found: dict[str, Any] = walk(made)
    return found


def _parts(field: FieldInfo) -> tuple[Any, ...]:
    return getattr(field.annotation, "__args__", (field.annotation,))


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
