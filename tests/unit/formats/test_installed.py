"""Formats that other distributions add: found by name, held to the rules, and never able to stop the reading."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audience_sync.core.changes import SetAttribute, UserId
from audience_sync.core.event import Cause, Translated, Unusable
from audience_sync.core.rule import Source
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.translator import Translator
from audience_sync.formats import FormatError, RawRecord, installed, known
from audience_sync.rules.file import parse_rules
from audience_sync.rules.problems import RulesError
from tests.support import installed as support

LINES = '''
from audience_sync.formats import Cause, Event, Unusable


def lines(source):
    """Events like `city alice Shenzhen`, with the type first."""
    if source.type_field is not None:
        raise ValueError("the type stands first in each line; remove type_field")

    def decode(record):
        kind, user, value = record.value.decode().split()
        return Event(kind, {"user": user, "value": value}) if user != "nobody" else Unusable(Cause.NO_USER, "nobody")

    return decode


ANSWERS = {
    b"none": None,
    b"type": Event(b"x", {}),
    b"no type": Event("", {}),
    b"fields": Event("x", []),
    b"surrogate": Event("x", {"a": "\\ud800"}),
    b"object": Event("x", {"a": object()}),
    b"seconds": Event("x", {}, "noon"),
    b"info": Unusable(Cause.UNREADABLE, None),
}


def odd(source):
    return lambda record: ANSWERS[record.value]


def broken(source):
    raise RuntimeError("not today")


nothing = None
'''
NAMES = {name: name for name in ("lines", "odd", "broken", "nothing")} | {"lost": "gone", "json": "lines"}

RULES = """
sources:
  - {topic: a, format: FORMAT}
rules:
  - name: city
    event: city
    user: "{user}"
    changes:
      - set_attribute: {name: city, value: "{value}"}
"""


@pytest.fixture(autouse=True)
def distribution(tmp_path: Path) -> Iterator[None]:
    with support.installed(tmp_path, module="formats_of_a_test", source=LINES, formats=NAMES):
        yield


def test_an_installed_format_is_known_by_its_name_and_replaces_no_built_in_one() -> None:
    """Installing a package must not change what a rules file meant before."""
    assert set(installed()) == {"lines", "odd", "broken", "nothing", "lost"}
    assert known()[:2] == ("cloudevents", "json")


def test_its_events_go_through_the_rules() -> None:
    translator = Translator(parse_rules(RULES.replace("FORMAT", "lines"), file="rules.yaml"))

    changes = (SetAttribute("city", "Shenzhen"),)
    assert translator.translate("a", RawRecord(b"city alice Shenzhen")) == Translated(
        UserId("alice"), changes, urgent=False, event_seconds=None
    )


@pytest.mark.parametrize(
    "value", [b"", b"\xff", b"a b", None, b"city nobody x", b"city alice " + b"x" * 9999]
)
def test_what_breaks_in_it_makes_one_record_unusable(value: bytes | None) -> None:
    """An exception in foreign code would end all reading."""
    translator = Translator(parse_rules(RULES.replace("FORMAT", "lines"), file="rules.yaml"))

    assert isinstance(translator.translate("a", RawRecord(value)), Unusable)


@pytest.mark.parametrize(
    "value", [b"none", b"type", b"no type", b"fields", b"surrogate", b"object", b"seconds", b"info"]
)
def test_what_is_no_event_makes_one_record_unusable(value: bytes) -> None:
    """What foreign code returns is looked at: text that can't be carried on would break far from here."""
    event = decoder_of(Source(topic="a", format="odd"))(RawRecord(value))

    assert isinstance(event, Unusable)
    assert event.cause is Cause.UNREADABLE
    assert "format 'odd'" in event.info


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("xml", "'xml' is no format; write one of cloudevents, json"),
        ("lost", "format 'lost' can't be loaded from formats_of_a_test:gone: AttributeError"),
        ("nothing", "format 'nothing': formats_of_a_test:nothing is no function"),
    ],
)
def test_a_format_that_is_not_there_is_a_mistake_in_the_rules(name: str, told: str) -> None:
    """Told with file and line, before anything is read."""
    with pytest.raises(RulesError) as caught:
        parse_rules(RULES.replace("FORMAT", name), file="rules.yaml")

    [problem] = caught.value.problems
    assert problem.startswith(f"rules.yaml, line 3: format: {told}")


@pytest.mark.parametrize(
    ("name", "extra", "told"),
    [
        ("broken", "", "topic 'a', format 'broken': RuntimeError: not today"),
        ("lines", ", type_field: kind", "topic 'a', format 'lines': the type stands first in each line"),
    ],
)
def test_a_source_that_the_format_refuses_is_told(name: str, extra: str, told: str) -> None:
    """It is the package that knows what it needs; its words reach the operator."""
    rules = parse_rules(RULES.replace("FORMAT", name + extra), file="rules.yaml")

    with pytest.raises(FormatError) as caught:
        Translator(rules)

    assert str(caught.value).startswith(told)
