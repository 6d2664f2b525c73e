"""What is wrong in a rules file, worded for the person who wrote it."""

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Final, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.scalarint import ScalarInt

from audience_sync.rules.change_model import AttributeModel, ChangeModel, DefaultModel, TagModel
from audience_sync.rules.document import Document, Place
from audience_sync.rules.model import (
    OF_TEMPLATES,
    OF_TRANSLATOR,
    RuleModel,
    RulesFileModel,
    TranslatorRuleModel,
    WritesModel,
)
from audience_sync.rules.source_model import SourceModel, TombstoneModel
from audience_sync.rules.stated import MAP, is_way


class RulesError(Exception):
    """The rules can't be used. *problems* holds all that is wrong: file, line, rule, and the way out."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Problem(NamedTuple):
    """One thing that is wrong, and the place in the file where it is to be put right."""

    place: Place
    what: str

    def worded(self, file: str, document: Document) -> str:
        """The problem as a line of text."""
        rule = document.rule_name(self.place)
        return f"{file}, line {document.line(self.place)}{f', rule {rule!r}' if rule else ''}: {self.what}"


_MODELS: Final[Mapping[tuple[str, ...], type[BaseModel]]] = {
    (): RulesFileModel,
    ("sources",): SourceModel,
    ("sources", "tombstones", MAP): TombstoneModel,
    ("rules", OF_TEMPLATES): RuleModel,
    ("rules", OF_TRANSLATOR): TranslatorRuleModel,
    ("rules", OF_TRANSLATOR, "writes"): WritesModel,
    ("rules", OF_TEMPLATES, "changes"): ChangeModel,
    ("rules", OF_TEMPLATES, "changes", "set_attribute"): AttributeModel,
    ("rules", OF_TEMPLATES, "changes", "set_attribute", "otherwise", MAP): DefaultModel,
    ("rules", OF_TEMPLATES, "changes", "add_tag", MAP): TagModel,
    ("rules", OF_TEMPLATES, "changes", "remove_tag", MAP): TagModel,
}
"""The model that describes each part of the file, by the names on the way there and how the part is written."""

_WANTED: Final[Mapping[str, str]] = {
    "string_type": "text is needed; put it in quotes if it looks like something else",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed: items that begin with a dash",
    "model_type": "a map is needed: keys, each followed by a colon and a value",
    "string_too_short": "it must not be empty",
    "too_short": "at least one item is needed",
    "invalid_key": "keys are text; put it in quotes",
}
"""The way out for a value of the wrong shape, by pydantic's name for the mistake."""


def of_shape(error: ValidationError) -> list[Problem]:
    """The problems that the model has found."""
    return [_of_detail(detail) for detail in error.errors(include_url=False)]


def _of_detail(detail: ErrorDetails) -> Problem:
    place: Place = tuple(step for step in detail["loc"] if not is_way(step))
    if place[-1:] == ("[key]",):
        return Problem(place[:-1], f"the key {place[-2]!r} is no text; put it in quotes")
    key = str(place[-1]) if place else "the file"
    match detail["type"]:
        case "extra_forbidden":
            return Problem(place, _of_unknown_key(detail["loc"]))
        case "missing":
            return Problem(place[:-1], f"the key {key} is missing; add it")
        case "value_error":
            where = f"{key}: " if isinstance(place[-1], str) else ""
            return Problem(place, where + str(detail["ctx"]["error"]))
        case "enum" | "literal_error":
            return Problem(place, f"{key} is {detail['input']!r}; write {detail['ctx']['expected']}")
        case kind:
            where = key if not place or isinstance(place[-1], str) else f"item {int(place[-1]) + 1}"
            wanted = _WANTED.get(kind, detail["msg"])
            return Problem(place, f"{where} is {_described(detail['input'])}; {wanted}")


def _of_unknown_key(loc: tuple[str | int, ...]) -> str:
    key = str(loc[-1])
    model = _MODELS[tuple(step for step in loc[:-1] if isinstance(step, str))]
    known = list(model.model_fields)
    near = get_close_matches(key, known, n=1)
    what = "change" if model is ChangeModel else "key"
    return (
        f"unknown {what} {key!r}; {f'did you mean {near[0]}? ' if near else ''}known here: {', '.join(known)}"
    )


def _described(value: object) -> str:
    match value:
        case None:
            return "empty"
        case dict():
            return "a map"
        case list():
            return "an empty list" if not value else "a list"
        case "":
            return "empty text"
        case bool():
            return str(value).lower()
        case date():
            return f"a date, {value}"
        case ScalarInt():  # with the zeros that it was written with
            return f"{value:0{getattr(value, '_width', None) or 1}d}"
        case _:
            return repr(value)
