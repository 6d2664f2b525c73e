"""A field of a model in words: its default, and the values that are taken."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo


def default_in_words(field: FieldInfo) -> str:
    """The default as it is written in YAML; nothing where there is none."""
    default = field.get_default(call_default_factory=True)
    return "" if default is None or default == "" else f"`{_plain(default)}`"


def _plain(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return (
        f"{value:g}"
        if isinstance(value, float)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def range_in_words(field: FieldInfo) -> str:
    """The values that are taken, in words."""
    kinds = [kind for kind in _members(field.annotation) if kind is not NoneType]
    words = [_kind(kind) for kind in kinds]
    bounds = {name: value for part in field.metadata for name, value in _bounds(part)}
    low = next((f"{word} {_plain(bounds[name])}" for name, word in _LOWEST.items() if name in bounds), None)
    high = f"up to {_plain(bounds['le'])}" if "le" in bounds else None
    if bounds.get("min_length") == 1:
        words = [f"{word}, not empty" for word in words]
    if "pattern" in bounds:
        words = [f"{word} like `{str(bounds['pattern']).replace('|', chr(92) + '|')}`" for word in words]
    return ", ".join(part for part in (*words, low, high) if part is not None)


_LOWEST: Final = {"gt": "above", "ge": "at least"}


def _bounds(part: object) -> Iterator[tuple[str, object]]:
    for name in (*_LOWEST, "le", "min_length", "pattern"):
        if (value := getattr(part, name, None)) is not None:
            yield name, value


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    names: Mapping[Any, str] = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "`true`, `false`",
        Path: "path of a file",
        SecretStr: "text, a secret",
        dict: "map",
        list: "list",
    }
    return names[get_origin(kind) or kind]
