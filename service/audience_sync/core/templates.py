"""Text with fields of the event in it: parsed when the rules are loaded, rendered once an event."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from audience_sync.core.event import Cause, Fields, Unusable

Render = Callable[[Fields], str | Unusable]
"""The text for one event, or the field that can't be used and why (without the name of the rule)."""

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

KEY: Final = "$key"
"""The reserved field with the record's key: its text, or the object in it."""
TOPIC: Final = "$topic"
"""The reserved field with the topic that the record was read from."""
HEADERS: Final = "$headers"
"""The reserved field with the record's headers, as texts by name."""
ITEM: Final = "item"
"""Where `for_each` stands, the member of the list that it is about; a field of that name is hidden by it."""

_JSON_NAMES: Final = {bool: "a boolean", float: "a number with a fraction or exponent", list: "a list"}


class TemplateError(ValueError):
    """A template that can't be understood; the message says what to write instead."""


class Lack(StrEnum):
    """How a field can hold nothing."""

    NULL = "null"
    """It is null or empty text, or below something that is null."""
    MISSING = "missing"
    """It is not there."""


class Field(msgspec.Struct, frozen=True):
    """A place in the event, as the keys that lead there."""

    keys: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.keys)

    def read(self, fields: Fields) -> str | Unusable:
        """The field's text. An integer becomes its decimal text; nothing else but text is taken."""
        value: object = fields
        for key in self.keys:
            # `type(...) is` and not isinstance: decoded JSON has no subclasses, and this is the hot path
            if type(value) is not dict or key not in value:
                return self._unusable(Cause.MISSING_FIELD, "is missing")
            value = value[key]
        if type(value) is str:
            return value or self._unusable(Cause.MISSING_FIELD, "is empty")
        if type(value) is int:
            return str(value)
        kind = "null" if value is None else _JSON_NAMES.get(type(value), "an object")
        return self._unusable(Cause.WRONG_TYPE, f"is {kind}")

    def found(self, fields: Fields) -> object:
        """What stands there, of whatever kind: a Lack if that is nothing."""
        value: object = fields
        for key in self.keys:
            if type(value) is not dict or key not in value:
                return Lack.NULL if value is None else Lack.MISSING
            value = value[key]
        return Lack.NULL if value is None or value == "" else value

    def members(self, fields: Fields) -> list[object] | Unusable:
        """The members of the list that stands there."""
        found = self.found(fields)
        if type(found) is list:
            return found
        if isinstance(found, Lack):
            return Unusable(
                Cause.MISSING_FIELD, f"field {self} is {found}; a list is needed, empty if need be"
            )
        return Unusable(Cause.WRONG_TYPE, f"field {self} is no list, and for_each needs one")

    def _unusable(self, cause: Cause, what: str) -> Unusable:
        return Unusable(cause, f"field {self} {what}; text or an integer is needed")


class Template(msgspec.Struct, frozen=True):
    """Literal text and fields, in order."""

    parts: tuple[str | Field, ...]

    def __str__(self) -> str:
        doubled = (str(part).replace("{", "{{").replace("}", "}}") for part in self.parts)
        pairs = zip(self.parts, doubled, strict=True)
        return "".join(f"{{{part}}}" if isinstance(part, Field) else text for part, text in pairs)

    @property
    def fixed_text(self) -> str | None:
        """The whole text, if it is the same for every event."""
        return None if self.fields else self.prefix

    @property
    def prefix(self) -> str:
        """The literal text that every rendered text starts with."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    @property
    def least_bytes(self) -> int:
        """What the shortest rendered text takes in UTF-8: its literal text and one byte a field."""
        return sum(1 if isinstance(part, Field) else len(part.encode()) for part in self.parts)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields in it, in order."""
        return tuple(part for part in self.parts if isinstance(part, Field))

    def lack(self, fields: Fields) -> Lack | None:
        """How the first field that can't be rendered holds nothing; None if all can, or it holds something."""
        for field in self.fields:
            found = field.found(fields)
            if isinstance(found, Lack):
                return found
            if isinstance(field.read(fields), Unusable):
                return None
        return None

    def compiled(self) -> Render:
        """A function that renders it, as fast as its shape allows."""
        text = self.fixed_text
        if text is not None:
            return lambda _: text
        match self.parts:
            case (Field() as only,):
                return _reader(only)
            case (str(before), Field() as only):
                return _reader(only, before)
        return self._joined

    def _joined(self, fields: Fields) -> str | Unusable:
        texts: list[str] = []
        for part in self.parts:
            text = part if isinstance(part, str) else part.read(fields)
            if isinstance(text, Unusable):
                return text
            texts.append(text)
        return "".join(texts)


def parsed_path(text: str) -> Field:
    """The field that `path.to.field` names. Raises TemplateError when a name between the dots is empty."""
    keys = tuple(text.split("."))
    if any(not key or key != key.strip() for key in keys):
        raise TemplateError(f"{text!r} names no field; write names joined by single dots, as in data.user_id")
    return _reserved(text, keys) if text.startswith("$") else Field(keys)


def _reserved(text: str, keys: tuple[str, ...]) -> Field:
    """A field of the record itself. A header's name may hold dots, so all after the first one is its name."""
    match keys:
        case ("$key", *_) | ("$topic",):
            return Field(keys)
        case ("$headers", _, *_):
            return Field((HEADERS, text.removeprefix(f"{HEADERS}.")))
    raise TemplateError(
        f"{text!r} is not known of a record; write $key, $key.name (of a key that is an object), $topic or "
        "$headers.name"
    )


def parsed(text: str) -> Template:
    """The template that *text* stands for: `{path.to.field}` is a field, `{{` and `}}` are literal braces.

    Raises TemplateError for a brace without its partner, an empty path, and text that UTF-8 can't carry.
    """
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise TemplateError(f"{text!r} holds half a surrogate pair; write the character itself")
    parts: list[str | Field] = []
    literal = ""
    end = 0
    for piece in _PIECE.finditer(text):
        literal += text[end : piece.start()]
        end = piece.end()
        match piece.group():
            case "{{" | "}}" as doubled:
                literal += doubled[0]
            case "{" | "}" as alone:
                raise TemplateError(
                    f"{text!r} has a {alone} without its partner; for a literal one, double it"
                )
            case _:
                if literal:
                    parts.append(literal)
                    literal = ""
                parts.append(parsed_path(piece.group(1)))
    literal += text[end:]
    if literal:
        parts.append(literal)
    return Template(tuple(parts))


def _reader(field: Field, before: str = "") -> Render:
    """`field.read` with *before* in front, quicker for text at the top or one level below: nearly all fields are."""

    def read(fields: Fields) -> str | Unusable:
        text = field.read(fields)
        return before + text if type(text) is str else text

    match field.keys:
        case (only,):

            def read_top(fields: Fields) -> str | Unusable:
                text = fields.get(only)
                return before + text if type(text) is str and text else read(fields)

            return read_top
        case (first, second):

            def read_below(fields: Fields) -> str | Unusable:
                around = fields.get(first)
                text = around.get(second) if type(around) is dict else None
                return before + text if type(text) is str and text else read(fields)

            return read_below
    return read
