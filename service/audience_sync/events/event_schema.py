"""The JSON Schema of the events that rules read: what must be in one so that it can be applied."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audience_sync.core.rule import (
    AttributeTemplate,
    ByTemplates,
    ByTranslator,
    Format,
    Otherwise,
    Rule,
    Source,
    TagTemplate,
    TimeFormat,
    WhenLacking,
)
from audience_sync.core.templates import ITEM, Field, Template

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": ["string", "integer"], "minLength": 1}
"""What a field that rules use may hold. An integer becomes its decimal text."""

_MAPPED: Final[Schema] = {"type": ["string", "integer", "boolean"], "minLength": 1}
"""What a field that is looked up in a map may hold."""

_UNREAD: Final = {"type": "string", "description": "CloudEvents asks for it; it is not read here."}

_TIMES: Final[Mapping[TimeFormat, Schema]] = {
    TimeFormat.RFC3339: {
        "type": "string",
        "format": "date-time",
        "description": "With an offset. Used if it is there and understood.",
    },
    TimeFormat.EPOCH_SECONDS: {"type": "number", "description": "Seconds since 1970, UTC."},
    TimeFormat.EPOCH_MILLISECONDS: {"type": "number", "description": "Milliseconds since 1970, UTC."},
}


def event_schema(source: Source, kind: str, rules: Sequence[Rule]) -> Schema:
    """The schema of *source*'s events of one type, that *rules* are about.

    What a condition or a translator reads is not in it; what only rules with a condition need may be missing.
    """
    schema: Schema = {"title": kind, "description": _for_what(rules), "type": "object"}
    for rule in rules:
        if isinstance(rule.effect, ByTemplates):
            _Effect(schema, needed=rule.condition is None).put(rule.effect)
    if source.format == Format.CLOUDEVENTS:
        for name in ("specversion", "id", "source"):
            _put(schema, [name], _UNREAD, needed=False)
        _put(schema, ["time"], _TIMES[TimeFormat.RFC3339], needed=False)
        _put(schema, ["type"], {"const": kind}, needed=True)
    if source.type_field is not None:
        _put(schema, source.type_field.keys, {"const": kind}, needed=True)
    if source.time_field is not None:
        _put(schema, source.time_field.keys, _TIMES[source.time_format], needed=False)
    return schema


def _for_what(rules: Sequence[Rule]) -> str:
    told = [f"For {' and '.join(repr(rule.name) for rule in rules)}."]
    for rule in rules:
        if rule.condition is not None:
            told.append(f"{rule.name!r} applies if {rule.condition.text}.")
        if isinstance(rule.effect, ByTranslator):
            told.append(f"{rule.name!r} is translated by {rule.effect.name}.")
    return " ".join(told)


class _Effect:
    """Describes the fields of one rule: of the event, and of the members of a list that it goes through."""

    def __init__(self, schema: Schema, *, needed: bool) -> None:
        self._event = schema
        self._needed = needed

    def put(self, effect: ByTemplates) -> None:
        """Describe all that the rule fills in."""
        member = self._members(effect.for_each, None, WhenLacking())
        self._put(effect.user, member, _TEXT, WhenLacking())
        for change in effect.changes:
            match change:
                case AttributeTemplate(_, template, values, lacking):
                    self._put(template, member, _TEXT if values is None else _MAPPED, lacking)
                case TagTemplate(_, template, for_each, lacking):
                    inner = self._members(for_each, member, lacking)
                    self._put(template, member if inner is None else inner, _TEXT, lacking)

    def _members(self, path: Field | None, member: Schema | None, lacking: WhenLacking) -> Schema | None:
        """What describes the members of the list at *path*."""
        if path is None:
            return None
        schema, keys = self._place(path, member)
        listed = _put(schema, keys, {"type": "array"}, needed=self._needed and _must_be_there(lacking))
        members: Schema = listed.setdefault("items", {})
        return members

    def _put(self, template: Template, member: Schema | None, kind: Schema, lacking: WhenLacking) -> None:
        for field in template.fields:
            schema, keys = self._place(field, member)
            if keys and keys[0].startswith("$"):
                continue  # it stands in the record, and not in its value
            stated = kind if lacking.null is Otherwise.DEAD_LETTER else {"type": [*kind["type"], "null"]}
            if keys:
                _put(schema, keys, stated, needed=self._needed and _must_be_there(lacking))
            else:
                schema.update(stated)

    def _place(self, field: Field, member: Schema | None) -> tuple[Schema, Sequence[str]]:
        if member is not None and field.keys[0] == ITEM:
            return member, field.keys[1:]
        return self._event, field.keys


def _must_be_there(lacking: WhenLacking) -> bool:
    return lacking.missing is Otherwise.DEAD_LETTER


def _put(schema: Schema, keys: Sequence[str], kind: Mapping[str, Any], *, needed: bool) -> Schema:
    """Describe the field at *keys* below the object *schema*, and return its description.

    One that a rule takes for text and another for an object suits no event; the schema says so, as the service
    does in its dead letters.
    """
    key, *rest = keys
    schema.setdefault("type", "object")
    field: Schema = schema.setdefault("properties", {}).setdefault(key, {})
    required: list[str] = schema.setdefault("required", [])
    if needed and key not in required:
        required.append(key)
    if field and ("properties" in field) != bool(rest):
        field["not"] = {}
        return field
    field.update({"type": "object"} if rest else kind)
    return _put(field, rest, kind, needed=needed) if rest else field
