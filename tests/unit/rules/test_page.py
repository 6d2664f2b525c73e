"""The page about rules: every key and cause is on it, and its examples do what it says."""

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from audience_sync.core.event import Cause
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.change_model import AttributeModel, ChangeModel, TagModel
from audience_sync.rules.conditions import condition
from audience_sync.rules.file import parse_rules
from audience_sync.rules.model import RuleModel, TranslatorRuleModel, WritesModel
from audience_sync.rules.source_model import SourceModel
from tests.support.page_examples import told

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(
    r"```yaml\n((?:(?!```).)*)```\n\n(?:<!-- key: (\w+) -->\n\n)?```json\n(.*?)```\n\n```text\n(.*?)```",
    PAGE,
    re.DOTALL,
)


def test_every_key_and_cause_is_on_the_page() -> None:
    """What the page leaves out would be found in the code only, or not at all."""
    models: list[type[BaseModel]] = [
        SourceModel,
        RuleModel,
        TranslatorRuleModel,
        WritesModel,
        ChangeModel,
        TagModel,
    ]
    words = [name for model in models for name in model.model_fields]
    words += [cause for cause in Cause if cause is not Cause.OUTRUN]  # no rule's, but a replay's
    words += [name for name in AttributeModel.model_fields if name not in ("name", "value")]

    assert [word for word in words if not re.search(rf"^\| `{word}\b", PAGE, re.MULTILINE)] == []


def test_the_first_example_does_what_the_page_says() -> None:
    rules, event = (re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[0] for kind in ("yaml", "json"))

    translator = Translator(parse_rules(rules, file="docs/rules.md"))

    assert told(translator.translate("orders", RawRecord(event.encode()))) == [
        "alice: set last_product=tea, add bought:tea"
    ]


@pytest.mark.parametrize(("text", "key", "events", "expected"), EXAMPLES)
def test_an_example_does_what_the_page_says(
    text: str, key: str, events: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copies one gets what stands below it."""
    (tmp_path / "our_translators.py").write_text(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0])
    monkeypatch.syspath_prepend(tmp_path)
    translator = Translator(rules := parse_rules(text, file="docs/rules.md"))

    lines: list[str] = []
    decoder = json.JSONDecoder()
    rest = events.strip()
    while rest:
        event, end = decoder.raw_decode(rest)
        value = None if event is None else rest[:end].encode()
        lines += told(translator.translate(rules.topics[0], RawRecord(value, key.encode() or None)))
        rest = rest[end:].strip()

    assert lines == expected.splitlines()


def test_the_page_has_an_example_of_each_kind() -> None:
    """So that the pattern which finds them can't find nothing."""
    assert len(EXAMPLES) == 5


def test_the_expressions_of_the_page_are_conditions() -> None:
    """A table of expressions is copied from before it is read."""
    table = PAGE[PAGE.index("| to ask | write |") : PAGE.index("An event for which a condition")]
    expressions = [
        each.replace("\\|", "|") for row in table.splitlines()[2:] for each in re.findall(r"`([^`]+)`", row)
    ]

    assert len(expressions) >= 15
    for expression in expressions:
        assert condition(expression).text == expression
