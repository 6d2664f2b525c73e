"""The changes of a rule as they are written: every key, what it may hold, and what it is for."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from audience_sync.core.rule import OtherTypes, Otherwise
from audience_sync.rules.stated import Map, Stated, Text, TextOrMap, is_given, without_null
from audience_sync.rules.texts import AttributeName, FixedValue, Path, TagText, ValueTemplate


class DefaultModel(Stated):
    """A value for all that is not in the map."""

    value: FixedValue
    """The value, 1 to 50 bytes of fixed text."""


def _otherwise_needs_a_map(schema: JsonDict) -> None:
    without_null(schema)
    schema["dependentRequired"] = {"otherwise": ["map"]}


class AttributeModel(Stated):
    """An attribute and its new value."""

    model_config = ConfigDict(json_schema_extra=_otherwise_needs_a_map)

    name: AttributeName
    """The attribute, 1 to 50 bytes of fixed text. All rules together may name ten."""

    value: ValueTemplate
    """Its value: text with `{fields}`, 1 to 50 bytes when rendered."""

    map: Annotated[dict[str, FixedValue], Field(min_length=1)] | None = None
    """Other values, by the text that `value` renders to; `"true"` and `"false"` for a field that is a boolean."""

    otherwise: Annotated[Annotated[Otherwise, Text] | Annotated[DefaultModel, Map], TextOrMap] | None = None
    """What is not in `map`: `dead_letter` (if left out), `ignore`, `remove`, or `{value: text}` for all of it."""

    if_null: Otherwise = Field(default=Otherwise.DEAD_LETTER)
    """A field of `value` is null or empty: `dead_letter`, `ignore` (no change), `remove` (the attribute)."""

    if_missing: Otherwise = Field(default=Otherwise.DEAD_LETTER)
    """A field of `value` is not there: `dead_letter`, `ignore` (no change), `remove` (the attribute)."""

    @model_validator(mode="after")
    def _otherwise_has_a_map(self) -> Self:
        if self.otherwise is not None and self.map is None:
            raise ValueError("otherwise is about what is not in the map; add map, or remove otherwise")
        return self


class TagModel(Stated):
    """A tag, or one for each member of a list."""

    tag: TagText
    """The tag: text with `{fields}`, 1 to 50 bytes when rendered."""

    for_each: Path | None = None
    """A list in the event: one tag for each of its members, which is `{item}` in the tag."""

    if_null: OtherTypes = Field(default=OtherTypes.DEAD_LETTER)
    """A field of the tag, or the list, is null or empty: `dead_letter`, or `ignore` (no change)."""

    if_missing: OtherTypes = Field(default=OtherTypes.DEAD_LETTER)
    """A field of the tag, or the list, is not there: `dead_letter`, or `ignore` (no change)."""


TagTextOrModel = Annotated[Annotated[TagText, Text] | Annotated[TagModel, Map], TextOrMap]


def _with_one_key(schema: JsonDict) -> None:
    without_null(schema)
    schema.update(minProperties=1, maxProperties=1)


class ChangeModel(Stated):
    """One change: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra=_with_one_key)

    set_attribute: AttributeModel | None = None
    """The user's attribute gets this value, whatever it was."""

    remove_attribute: AttributeName | None = None
    """The user's attribute has no value any more."""

    add_tag: TagTextOrModel | None = None
    """The user carries this tag: text with `{fields}`, 1 to 50 bytes when rendered; or a map with more on it."""

    remove_tag: TagTextOrModel | None = None
    """The user no longer carries this tag: text, or a map, as with `add_tag`."""

    remove_all_tags: Literal[True] | None = None
    """`true`: the user no longer carries any tag."""

    @model_validator(mode="after")
    def _is_one_change(self) -> Self:
        given = is_given(self, *type(self).model_fields)
        if len(given) != 1:
            kinds = ", ".join(type(self).model_fields)
            found = " and ".join(given) or "nothing"
            raise ValueError(f"a change is exactly one of {kinds}; here is {found}; write one list item each")
        return self
