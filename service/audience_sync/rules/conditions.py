"""Conditions in CEL, the Common Expression Language: compiled when rules are loaded, asked once an event.

The only module that knows the library. An expression sees the event's fields by their names, and the whole event
as `event`, for names that the language can't write: `event["$key"]`, `event.type`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Final

from cel_expr_python import cel
from pydantic import AfterValidator, WithJsonSchema

from audience_sync.core.event import Cause, Fields, Unusable
from audience_sync.core.rule import Condition
from audience_sync.core.templates import HEADERS, KEY, TOPIC
from audience_sync.rules.stated import schema_of_text

_EVENT: Final = "event"
_NAME: Final = re.compile(r"(?<![\w.])[A-Za-z_]\w*")

MOST_CHARACTERS: Final = 2_000
"""Ours: longer ones are programs, and belong into a translator."""

MOST_LEVELS: Final = 200
"""Ours: the library converts values by recursion, and from 5,000 to 10,000 levels on it ends the process."""

_LARGEST: Final = 2**63 - 1
"""CEL's integers have 64 bits."""


class _Expression:
    """A compiled expression."""

    def __init__(self, text: str) -> None:
        """Compile *text*. Raises ValueError with the way out."""
        if len(text) > MOST_CHARACTERS:
            raise ValueError(
                f"the condition has {len(text)} characters, more than {MOST_CHARACTERS}; use a translator"
            )
        self.text = text
        self.names = frozenset(_names(text))
        self._compiled = _compiled(text, self.names)
        if (kind := self._compiled.return_type().name()) != "BOOL":
            raise ValueError(
                f"{text!r} gives {_KINDS.get(kind, 'something else')} and must give true or false; "
                "compare it with something, as in data.tier == 'gold'"
            )
        if _is_constant(text):
            raise ValueError(
                f"{text!r} is the same for every event; name a field, or leave the condition out"
            )

    def holds(self, fields: Fields) -> bool | Unusable:
        """Whether it is true of an event; or why that can't be said."""
        if _too_deep(fields):
            return self._unusable(f"the event has more than {MOST_LEVELS} levels")
        held = self._value(fields)
        if type(held) is not bool:
            held = self._value({name: _tamed(value) for name, value in fields.items()})
        return held if type(held) is bool else self._unusable(str(held))

    def _value(self, fields: Fields) -> object:
        """True or false; else the reason, as text."""
        data = {name: fields[name] for name in self.names if name in fields}
        if _EVENT in self.names:
            data[_EVENT] = fields
        try:
            return self._compiled.eval(data=data).value()
        except Exception as error:  # foreign code, on data that is anybody's
            return str(error)

    def _unusable(self, why: str) -> Unusable:
        if (missing := _MISSING.search(why)) is not None:
            why = f"field {missing.group(1)} is missing; ask first whether it is there, with has(...)"
        info = f"the condition {self.text!r} is neither true nor false: {why}"
        return Unusable(Cause.CONDITION, info.encode(errors="replace").decode())


_KINDS: Final = {
    "DYN": "a field's value, of whatever kind,",
    "STRING": "text",
    "INT": "a number",
    "DOUBLE": "a number",
}
_MISSING: Final = re.compile(r'(?:Key not found in map : |No value with name )"?([^"]+)')


def _names(text: str) -> Iterator[str]:
    """All that may be a variable in *text*: rather too many, for one that is not used does no harm."""
    return (name for name in dict.fromkeys(_NAME.findall(text)) if _may_be_variable(name))


@cache
def _may_be_variable(name: str) -> bool:
    """Whether the language leaves the name to us: it has types and functions of its own."""
    try:
        cel.NewEnv(variables={name: cel.Type.DYN}).compile("true")
    except Exception:  # the library has no errors of its own kind
        return False
    return True


def _compiled(text: str, names: frozenset[str]) -> cel.Expression:
    try:
        return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN)).compile(text)
    except Exception as error:  # the library has no errors of its own kind
        raise ValueError(
            f"{text!r} is no condition in CEL: {_first_problem(str(error))}; docs/rules.md shows what can be written"
        ) from error


_PLACE: Final = re.compile(r"<input>:1:(\d+): (?:Syntax error: )?(.*)")


def _first_problem(error: str) -> str:
    """What the compiler says first, without what it says of its own affairs."""
    found = _PLACE.search(error)
    if found is None:
        return error.splitlines()[0]
    what = found.group(2).partition(" expecting ")[0].replace("(in container '')", "").strip()
    what = what.replace("'<EOF>'", "the end")
    return f"at character {found.group(1)}, {what}"


def _is_constant(text: str) -> bool:
    try:
        _compiled(text, frozenset())
    except ValueError:
        return False
    return True


def _too_deep(fields: Fields) -> bool:
    level: list[object] = [fields]
    for _ in range(MOST_LEVELS):
        level = [
            member
            for node in level
            for member in (
                node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
            )
            if type(member) in (dict, list)
        ]
        if not level:
            return False
    return True


def _tamed(value: object) -> object:
    """*value* with integers that CEL does not have as numbers with a fraction: they compare all the same."""
    match value:
        case dict():
            return {name: _tamed(member) for name, member in value.items()}
        case list():
            return [_tamed(member) for member in value]
        case int() if not isinstance(value, bool) and abs(value) > _LARGEST:
            return float(value) if abs(value) < 10**300 else float("inf") * (1 if value > 0 else -1)
        case _:
            return value


def condition(text: str) -> Condition:
    """The condition that *text* states. Raises ValueError with the way out."""
    wants = frozenset(name for name in (KEY, TOPIC, HEADERS) if name in text)
    return Condition(text, _Expression(text).holds, wants)


def _is_condition(text: str) -> str:
    condition(text)
    return text


ConditionText = Annotated[
    str,
    AfterValidator(_is_condition),
    WithJsonSchema(
        schema_of_text(maxLength=MOST_CHARACTERS, examples=["data.tier == 'gold' && data.points > 100"])
    ),
]
