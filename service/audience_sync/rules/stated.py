"""What all parts of the rules file have in common."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Tag
from pydantic.config import JsonDict

_NULL: Final[JsonDict] = {"type": "null"}


def without_null(schema: JsonDict) -> None:
    """Say of a key that may be left out what it may hold; that it may also be null is of no use in a file."""
    properties = schema.get("properties")
    for stated in properties.values() if isinstance(properties, dict) else ():
        if isinstance(stated, dict) and stated.get("default", ...) is None:
            del stated["default"]
            choices = stated.pop("anyOf")
            assert isinstance(choices, list)
            kept = [choice for choice in choices if isinstance(choice, dict) and choice != _NULL]
            stated.update(kept[0] if len(kept) == 1 else {"anyOf": [*kept]})


class Stated(BaseModel):
    """A part of the file: an unknown key is a mistake."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, json_schema_extra=without_null
    )


TEXT: Final = "(text)"
MAP: Final = "(map)"
LIST: Final = "(list)"
"""The ways to write one thing. In brackets, as no key is: so they can be told from keys in an error's place."""


def _shape(value: object) -> str:
    return MAP if isinstance(value, Mapping | BaseModel) else LIST if isinstance(value, list) else TEXT


def _text_or_map(value: object) -> str:
    return MAP if _shape(value) == MAP else TEXT


def _text_or_list(value: object) -> str:
    return LIST if _shape(value) == LIST else TEXT


TextOrMap: Final = Discriminator(_text_or_map)
TextOrList: Final = Discriminator(_text_or_list)
"""Which of two ways is meant: judged by the value's shape alone, so that a mistake is told of the right one."""

Text: Final = Tag(TEXT)
Map: Final = Tag(MAP)
List: Final = Tag(LIST)


def schema_of_text(**stated: Any) -> dict[str, Any]:
    """The JSON Schema of a text; more of it as keywords."""
    return {"type": "string", "minLength": 1, **stated}


def is_way(step: object) -> bool:
    """Whether a step of an error's place is a way to write something, and no key of the file."""
    return isinstance(step, str) and step.startswith("(") and step.endswith(")")


def is_given(model: BaseModel, *names: str) -> list[str]:
    """Those of the keys that the file gives a value."""
    return [name for name in names if getattr(model, name) is not None]
