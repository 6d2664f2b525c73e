"""The kinds of text in a rules file: each is looked at as far as can be before there is an event."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from audience_sync.core.limits import ATTRIBUTE_NAME_BYTES, ATTRIBUTE_VALUE_BYTES, TAG_BYTES, USER_ID_BYTES
from audience_sync.core.templates import parsed, parsed_path
from audience_sync.rules.stated import schema_of_text

_NAME: Final = r"[^{}.\s]([^{}.]*[^{}.\s])?"
_FIELD: Final = rf"((?!\$){_NAME}(\.{_NAME})*|\$key(\.{_NAME})*|\$topic|\$headers\.[^{{}}]+)"
_TEMPLATE: Final = rf"^([^{{}}]|\{{\{{|\}}\}}|\{{{_FIELD}\}})*$"
_WITHOUT_FIELD: Final = r"^([^{}]|\{\{|\}\})*$"
"""Paths, templates and fixed text for the schema, which knows characters and no bytes."""


def _fits(text: str, limit: int, what: str) -> str:
    least = parsed(text).least_bytes
    if not 1 <= least <= limit:
        raise ValueError(
            f"{what} {text!r} takes at least {least} bytes of UTF-8; the Chat API takes 1 to {limit}"
        )
    return text


def _fixed(text: str, limit: int, what: str) -> str:
    size = len(parsed_literal(text).encode())
    if not 1 <= size <= limit:
        raise ValueError(f"{what} {text!r} takes {size} bytes of UTF-8; the Chat API takes 1 to {limit}")
    return text


def parsed_literal(text: str) -> str:
    """*text*, which is no template. Raises ValueError for what UTF-8 can't carry."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{text!r} holds half a surrogate pair; write the character itself")
    return text


def _is_user(text: str) -> str:
    if parsed(text).fixed_text is not None:
        raise ValueError(f"{text!r} is the same user for every event; name a field, as in '{{data.user_id}}'")
    return _fits(text, USER_ID_BYTES, "the user")


def _is_name(text: str) -> str:
    if parsed(text).fixed_text != text:
        raise ValueError(
            f"{text!r} is not fixed text; an app has ten attributes, so their names can't come from events"
        )
    return _fits(text, ATTRIBUTE_NAME_BYTES, "the attribute name")


def _is_path(text: str) -> str:
    parsed_path(text)
    return text


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(
            f"{text!r} is no regular expression: {error}; correct it, or write topics"
        ) from error
    return text


def _of_template(most: int) -> dict[str, object]:
    """Fixed text is at most so many characters; what an event fills in may be written longer than it is."""
    return schema_of_text(
        pattern=_TEMPLATE, anyOf=[{"maxLength": most}, {"not": {"pattern": _WITHOUT_FIELD}}]
    )


UserTemplate = Annotated[
    str,
    AfterValidator(_is_user),
    WithJsonSchema(
        schema_of_text(
            pattern=_TEMPLATE, **{"not": {"pattern": _WITHOUT_FIELD}}, examples=["{data.user_id}", "{$key}"]
        )
    ),
]
ValueTemplate = Annotated[
    str,
    AfterValidator(lambda text: _fits(text, ATTRIBUTE_VALUE_BYTES, "the value")),
    WithJsonSchema(_of_template(ATTRIBUTE_VALUE_BYTES) | {"examples": ["{data.tier}"]}),
]
FixedValue = Annotated[
    str,
    AfterValidator(lambda text: _fixed(text, ATTRIBUTE_VALUE_BYTES, "the value")),
    WithJsonSchema(schema_of_text(maxLength=ATTRIBUTE_VALUE_BYTES)),
]
TagText = Annotated[
    str,
    AfterValidator(lambda text: _fits(text, TAG_BYTES, "the tag")),
    WithJsonSchema(_of_template(TAG_BYTES) | {"examples": ["stock:{data.symbol}"]}),
]
TagBeginning = Annotated[
    str,
    AfterValidator(lambda text: _fixed(text, TAG_BYTES, "the beginning of tags")),
    WithJsonSchema(schema_of_text(maxLength=TAG_BYTES, examples=["stock:"])),
]
AttributeName = Annotated[
    str,
    AfterValidator(_is_name),
    WithJsonSchema(schema_of_text(maxLength=ATTRIBUTE_NAME_BYTES, pattern=r"^[^{}]*$")),
]
Path = Annotated[
    str,
    AfterValidator(_is_path),
    WithJsonSchema(schema_of_text(pattern=f"^{_FIELD}$", examples=["data.user_id"])),
]
TopicPattern = Annotated[
    str,
    AfterValidator(_is_pattern),
    WithJsonSchema(schema_of_text(format="regex", examples=["orders\\..*"])),
]
Given = Annotated[str, Field(min_length=1)]
