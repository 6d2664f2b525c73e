"""Examples on pages: records as JSON, the rules above them, and what comes of them in words."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from audience_sync.core.changes import AddTag, Change, RemoveAllTags, RemoveAttribute, RemoveTag, SetAttribute
from audience_sync.core.event import Ignored, Translated, TranslatedMany, Translation, Unusable
from audience_sync.events.formats.avro import AvroSchema
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import parse_rules
from tests.support.schemas import avro, found, framed


class Example(NamedTuple):
    """Records on a page, the rules and perhaps the Avro schema above them, and what comes of them, a line each."""

    rules: str
    schema: str
    records: str
    told: str


def examples(page: str) -> Iterator[Example]:
    """The examples of a page in Markdown: a block of `json` after one of `yaml`, and a block of `text` after it."""
    blocks = re.findall(r"```(yaml|avsc|json|text)\n(.*?)```", page, re.DOTALL)
    rules = schema = ""
    for (kind, text), (after, told) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if kind == "yaml":
            rules, schema = text, ""
        elif kind == "avsc":
            schema = text
        elif kind == "json":
            assert after == "text", f"what comes of {text!r} is not said"
            yield Example(rules, schema, text, told.strip())


def shown(example: Example, *, file: str) -> str:
    """What comes of an example's records, in the words of the page."""
    rules = parse_rules(example.rules, file=file)
    find = found({1: AvroSchema(example.schema, {})} if example.schema else {})
    translate, topic = Translator(rules, find).translate, rules.topics[0]
    return "\n".join(
        line for record in _records(example) for line in told(translate(record.topic or topic, record.raw))
    )


def told(translation: Translation) -> list[str]:
    """What comes of an event, a line for each user."""
    match translation:
        case Translated() | TranslatedMany():
            return [
                f"{part.user}: {', '.join(_told(each) for each in part.changes)}"
                for part in translation.parts
            ]
        case Ignored(reason):
            return [f"ignored: {reason}"]
        case Unusable(cause, info):
            return [f"dead letter ({cause}): {info}"]
    raise AssertionError(translation)


def _told(change: Change) -> str:
    match change:
        case SetAttribute(name, value):
            return f"set {name}={value}"
        case RemoveAttribute(name):
            return f"remove {name}"
        case AddTag(tag):
            return f"add {tag}"
        case RemoveTag(tag):
            return f"remove {tag}"
        case RemoveAllTags():
            return "remove all tags"


class _Record(NamedTuple):
    topic: str | None
    raw: RawRecord


def _records(example: Example) -> Iterator[_Record]:
    """The records: topic, key, headers and value, one JSON object after another."""
    decoder, rest = msgspec.json.Decoder(), example.records
    for text in re.split(r"\n(?=\{)", rest.strip()):
        given: dict[str, Any] = decoder.decode(text)
        value = given["value"]
        if example.schema and value is not None:
            raw = framed(1, avro(msgspec.json.decode(example.schema), value))
        elif isinstance(value, str):
            raw = value.encode()
        else:
            raw = msgspec.json.encode(value)
        headers = tuple((name, each.encode()) for name, each in given.get("headers", {}).items())
        key = given.get("key")
        yield _Record(
            given.get("topic"),
            RawRecord(
                None if value is None else raw,
                key.encode() if isinstance(key, str) else None if key is None else msgspec.json.encode(key),
                headers,
            ),
        )
