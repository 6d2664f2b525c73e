"""Makes the reference pages from the code: `make docs`. A test compares what stands here with what it makes."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry, Metric
from pydantic import BaseModel

from audience_sync.chat_api.errors import BY_CODE
from audience_sync.rules.schema import json_schema
from audience_sync.settings import FILE_VARIABLE, PREFIX, Group, Settings
from audience_sync.telemetry.metrics import Metrics
from docs import licences
from docs.commands_page import commands_page
from docs.dashboard.grafana import dashboard
from docs.field_words import default_in_words, range_in_words
from docs.make_chart import chart_files
from tests.scenarios.scenario import first_sentence, scenario_files
from tests.simulation.mutations import MUTATIONS

FOLDER: Final = Path(__file__).parent
CHART: Final = "helm/audience-sync"
MADE: Final = "<!-- Made from the code by `make docs`. Change it there. -->"
TOPIC: Final = "(each topic of the rules)"
MOST_VALUES: Final = 12
"""A label with more values than this is described and not listed."""


def pages() -> dict[str, str]:
    """{file, from this folder: text} of all pages that are made."""
    return {
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "commands.md": commands_page(),
        "decisions/README.md": decisions_page(),
        "reliability.md": reliability_page(),
        "../helm/audience-sync/files/dashboard.json": json.dumps(dashboard(), indent=1) + "\n",
        "rules.schema.json": json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n",
        "../helm/examples/README.md": examples_page(),
        **{f"../{CHART}/{file}": text for file, text in chart_files(FOLDER.parent / CHART).items()},
    }


def settings_page() -> str:
    """Every setting: variable, default, range, and what it changes."""
    head = f"""\
# Settings

{MADE}

Each setting is an environment variable. They may also stand in a YAML file that `{FILE_VARIABLE}` names, in lower
case and without the prefix; the environment wins over it, setting by setting:

```yaml
debounce:
  quiet_seconds: 2
drain_seconds: 20
```

`audience-sync check-config` shows what is in effect, secrets masked, or everything that is wrong. A variable that
begins with `{PREFIX}` and is no setting stops the start, so that nothing misspelt is ignored.
"""
    plain = _table(Settings, PREFIX)
    groups = (
        f"## {name}\n\n{_paragraph(type(field.default).__doc__)}\n\n"
        + _table(type(field.default), f"{PREFIX}{name.upper()}__")
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, Group)
    )
    return "\n".join((head, *groups, f"## On the whole\n\n{plain}"))


def metrics_page() -> str:
    """Every metric: name, kind, labels with their values, help."""
    head = f"""\
# Metrics

{MADE}

Served at `/metrics` of the admin port. Every series is there from the start, at zero. No label holds a user, a tag
or a text of the API. What to look at first: [operations](operations.md).
"""
    registry = CollectorRegistry()
    Metrics(registry, topics=[TOPIC], codes=BY_CODE)
    ours = list(registry.collect())
    registry = CollectorRegistry()
    KafkaPrometheusMiddleware(registry=registry, app_name="audience-sync")
    theirs = list(registry.collect())
    rows = "".join(_metric(family, _labels(family)) for family in ours)
    others = "".join(f"| `{_served_name(family)}` | {family.documentation}. |\n" for family in theirs)
    return f"""{head}
| metric | kind | labels | what it says |
| --- | --- | --- | --- |
{rows}
FastStream adds its own, about batches and not about records; the published ones are dead letters:

| metric | what it says, in FastStream's words |
| --- | --- |
{others}"""


def reliability_page() -> str:
    """The page as it stands, with its tables made anew from the tests' own names and words."""
    faults = "".join(
        f"| `{name}` | {' | '.join(_three_sentences(name, words))} |\n"
        for file in sorted((FOLDER.parent / "tests" / "faults").glob("test_*.py"))
        for name, words in _tests(file)
    )
    misreadings = "".join(
        f"| {mutation.name} | {mutation.promise} | {_paragraph(mutation.what)} |\n" for mutation in MUTATIONS
    )
    scenarios = "".join(
        f"| [{file.stem}](../tests/scenarios/{file.name}) | {first_sentence(file.read_text())} |\n"
        for file in scenario_files()
    )
    tables = {
        "docs/reliability-seen.json": _seen(json.loads((FOLDER / "reliability-seen.json").read_text())),
        "tests/faults": f"| test | what was running | what broke | what held |\n| --- | --- | --- | --- |\n{faults}",
        "tests/scenarios": f"| scenario | what happens, and what is expected |\n| --- | --- |\n{scenarios}",
        "tests/simulation": f"| misreading | breaks | what |\n| --- | --- | --- |\n{misreadings}",
    }
    page = (FOLDER / "reliability.md").read_text()
    for source, table in tables.items():
        begin = f"<!-- made from {source} by `make docs` -->\n"
        head, _, rest = page.partition(begin)
        page = f"{head}{begin}\n{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    return page


def decisions_page() -> str:
    """The list of all decisions."""
    pages = sorted((FOLDER / "decisions").glob("[0-9]*.md"))
    rows = "".join(
        f"- [{page.read_text().splitlines()[0].removeprefix('# ')}]({page.name})\n" for page in pages
    )
    return f"""\
# Decisions

{MADE}

Choices that could have gone otherwise, one a page: what was decided and why, what was rejected, the price, and what
would show that it is wrong. A title is the decision.

{rows}"""


def examples_page() -> str:
    """The chart's examples, by the first line of each."""
    files = sorted((FOLDER.parent / "helm" / "examples").glob("*.yaml"))
    rows = "".join(
        f"| [{file.name}]({file.name}) | {file.read_text().splitlines()[0].removeprefix('# ')} |\n"
        for file in files
    )
    return f"""\
# Examples of values

{MADE}

Whole values files for [the chart](../audience-sync/README.md), to begin with. Each is rendered, installed and
upgraded by the tests.

| values | for |
| --- | --- |
{rows}"""


def _seen(runs: Mapping[str, Mapping[str, Any]]) -> str:
    rows = "".join(
        f"| {what} | {run['on']}, {run['cores']} cores | {_figures(run['figures'])} |\n"
        for what, run in runs.items()
    )
    return f"| what | when and where | figures |\n| --- | --- | --- |\n{rows}"


def _figures(figures: Mapping[str, Any]) -> str:
    """Words for names, and plain numbers: `most in any second 100; refused 60007: 3, 91000: 12`."""
    return "; ".join(f"{name.replace('_', ' ')} {_in_words(value)}" for name, value in figures.items())


def _in_words(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name}: {_in_words(each)}" for name, each in value.items()) or "none"
        case list():
            return " / ".join(map(_in_words, value)) or "none"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
    return str(value)


def _tests(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, _paragraph(ast.get_docstring(node))


def _three_sentences(name: str, words: str) -> tuple[str, str, str]:
    """What was running, what broke, what held: a fault test's docstring."""
    sentences = re.split(r"(?<=\.) (?=[A-Z])", words)
    assert len(sentences) >= 3, f"{name}: what was running, what broke, what held: three sentences"
    return sentences[0], sentences[1], " ".join(sentences[2:])


def _table(group: type[BaseModel], prefix: str) -> str:
    rows = "".join(
        f"| `{prefix}{name.upper()}` | {default_in_words(field)} | {range_in_words(field)} | "
        f"{_paragraph(field.description)} |\n"
        for name, field in group.model_fields.items()
        if not isinstance(field.default, Group)
    )
    return f"| variable | default | may be | what it changes |\n| --- | --- | --- | --- |\n{rows}"


def _served_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _metric(family: Metric, labels: Mapping[str, list[str]]) -> str:
    told = "; ".join(f"`{name}`: {_values(values)}" for name, values in labels.items())
    return f"| `{_served_name(family)}` | {family.type} | {told} | {family.documentation} |\n"


def _labels(family: Metric) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":
                found.setdefault(label, {})[value] = None
    return {label: list(values) for label, values in found.items()}


def _values(values: list[str]) -> str:
    if values == [TOPIC]:
        return "each topic of the rules"
    if len(values) > MOST_VALUES:
        return "each [code that is known](chat-api.md), and `other`"
    return ", ".join(f"`{value}`" for value in values)


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    for file, content in {**pages(), "licences.md": licences.page()}.items():
        (FOLDER / file).write_text(content)
