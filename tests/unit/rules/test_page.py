"""The page about rules: every key and cause is on it, and its example does what it says."""

import re
from pathlib import Path

from pydantic import BaseModel

from audience_sync.core.changes import AddTag, SetAttribute, UserId
from audience_sync.core.event import Cause, Translated
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import parse_rules
from audience_sync.rules.model import ChangeModel, RuleModel, SourceModel

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text()


def test_every_key_and_cause_is_on_the_page() -> None:
    """What the page leaves out would be found in the code only, or not at all."""
    models: list[type[BaseModel]] = [SourceModel, RuleModel, ChangeModel]
    words = [name for model in models for name in model.model_fields] + [*Cause]

    assert [word for word in words if not re.search(rf"^\| `{word}\b", PAGE, re.MULTILINE)] == []


def test_the_example_does_what_the_page_says() -> None:
    rules, event = (re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[0] for kind in ("yaml", "json"))

    translated = Translator(parse_rules(rules, file="docs/rules.md")).translate(
        "orders", RawRecord(event.encode())
    )

    changes = (SetAttribute("last_product", "tea"), AddTag("bought:tea"))
    assert translated == Translated(UserId("alice"), changes, False, None)
