"""An editor with yaml-language-server knows the rules file: it completes, explains, and marks what is wrong.

Skipped where the server is not installed: `npm install --global yaml-language-server`, or
AUDIENCE_SYNC_TEST_YAML_LANGUAGE_SERVER=path of the program.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from audience_sync.rules.file import DEFAULT_RULES
from tests.support.language_server import Editor, editor

ROOT: Final = Path(__file__).parents[2]
SERVER: Final = os.environ.get("AUDIENCE_SYNC_TEST_YAML_LANGUAGE_SERVER") or shutil.which(
    "yaml-language-server"
)

pytestmark = pytest.mark.skipif(SERVER is None, reason="yaml-language-server is not installed")

FILE: Final = DEFAULT_RULES.with_name("being-written.yaml")
"""A file beside the shipped one, which nobody saves: an editor sends what it shows."""

BEING_WRITTEN: Final = """\
# yaml-language-server: $schema=../../../docs/rules.schema.json
sources:
  - topic: orders
    format: cloudevents
rules:
  - name: buyers
    event: paid
    user: "{data.user_id}"
    changes:
      - set_attribute: {name: tier, value: "{data.tier}"}
    """


@pytest.fixture
def opened() -> Iterator[Editor]:
    """An editor in this repository."""
    assert SERVER is not None
    with editor(SERVER, ROOT) as found:
        yield found


def test_the_shipped_rules_are_not_marked(opened: Editor) -> None:
    """Their first line leads to the schema, which takes them."""
    assert opened.opened(DEFAULT_RULES, DEFAULT_RULES.read_text()) == []


def test_a_rule_is_completed(opened: Editor) -> None:
    """Whoever begins a line is offered the keys that a rule may have, and that are not there yet."""
    opened.opened(FILE, BEING_WRITTEN)

    offered = opened.completed(FILE, line=10, character=4)

    assert {"when", "for_each", "owns", "urgent"} <= offered
    assert "user" not in offered


def test_values_are_completed(opened: Editor) -> None:
    opened.opened(FILE, BEING_WRITTEN.replace("format: cloudevents", "format: "))

    assert {"cloudevents", "json"} <= opened.completed(FILE, line=3, character=12)


def test_a_key_is_explained(opened: Editor) -> None:
    """With the sentence that stands at it in the model."""
    opened.opened(FILE, BEING_WRITTEN)

    assert "whatever it was" in opened.hovered(FILE, line=9, character=10)
    assert "Whom the changes apply to" in opened.hovered(FILE, line=7, character=5)


@pytest.mark.parametrize(
    ("right", "wrong", "marked"),
    [
        ("user:", "usre:", "usre"),
        ("set_attribute:", "set_atribute:", "set_atribute"),
        ("{data.tier}", "{data.tier", "pattern"),
        ("    format: cloudevents\n", "", "format"),
    ],
)
def test_a_mistake_is_marked(opened: Editor, right: str, wrong: str, marked: str) -> None:
    """While it is written, and not when the service starts."""
    told = opened.opened(FILE, BEING_WRITTEN.replace(right, wrong))

    assert any(marked in each for each in told), told
