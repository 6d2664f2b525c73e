"""The page about formats: what each example says comes of a record is what comes of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from audience_sync.core.changes import AddTag, Change, RemoveAttribute, SetAttribute
from audience_sync.core.event import Cause, Event, Ignored, Translated, Translation, Unusable
from audience_sync.core.rule import Format, Source
from audience_sync.events.formats.avro import AvroSchema
from audience_sync.events.formats.debezium import OPERATIONS, UPSERT
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import parse_rules
from tests.support.installed import installed
from tests.support.schemas import avro, found, framed

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()


class Example(NamedTuple):
    """A record on the page, the rules and perhaps the schema above it, and what comes of it."""

    rules: str
    schema: str
    record: str
    told: str


def examples() -> Iterator[Example]:
    blocks = re.findall(r"```(yaml|avsc|json|text)\n(.*?)```", PAGE, re.DOTALL)
    rules = schema = ""
    for (kind, text), (_, told) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind == "yaml":
            rules, schema = text, ""
        elif kind == "avsc":
            schema = text
        elif kind == "json":
            yield Example(rules, schema, text, told.strip())


def record(text: str, schema: str) -> RawRecord:
    given: dict[str, Any] = msgspec.json.decode(text)
    if schema:
        return RawRecord(framed(1, avro(msgspec.json.decode(schema), given["value"])))
    key = given.get("key")
    return RawRecord(
        None if given["value"] is None else msgspec.json.encode(given["value"]),
        key.encode() if isinstance(key, str) else None if key is None else msgspec.json.encode(key),
        [(name, value.encode()) for name, value in given.get("headers", {}).items()],
    )


def told(change: Change) -> str:
    match change:
        case SetAttribute(name, value):
            return f"{name} = {value}"
        case RemoveAttribute(name):
            return f"{name} removed"
        case AddTag(tag):
            return f"+ {tag}"
    raise AssertionError(f"the page has no word for {change}")


def told_of(translated: Translation) -> str:
    match translated:
        case Translated(user, changes):
            return f"{user}: {', '.join(told(change) for change in changes)}"
        case Ignored():
            return "ignored"
    raise AssertionError(f"the page shows none that is {translated}")


@pytest.mark.parametrize("example", [*examples()], ids=lambda example: example.told)
def test_an_example_does_what_the_page_says(example: Example) -> None:
    """An example that does something else teaches the wrong thing."""
    rules = parse_rules(example.rules, file="docs/formats.md")
    [topic] = rules.topics

    find = found({1: AvroSchema(example.schema, {})} if example.schema else {})
    translated = Translator(rules, find).translate(topic, record(example.record, example.schema))

    assert told_of(translated) == example.told


def test_every_format_and_operation_is_on_the_page() -> None:
    """What the page leaves out would be found in the code only, or not at all."""
    words = [*Format, *OPERATIONS.values(), UPSERT]

    assert [word for word in words if not re.search(rf"^\| `{word}`", PAGE, re.MULTILINE)] == []


def test_the_format_of_ones_own_reads_records(tmp_path: Path) -> None:
    """The code on the page, installed as a distribution would be."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with installed(tmp_path, module="our_formats", source=code, formats={"lines": "lines"}):
        decode = decoder_of(Source(topic="t", format="lines"))

        assert decode(RawRecord(b"moved alice Shenzhen")) == Event(
            "moved", {"user_id": "alice", "city": "Shenzhen"}
        )
        assert decode(RawRecord(b"moved")) == Unusable(
            Cause.UNREADABLE, "three words are needed, and there are 1"
        )
