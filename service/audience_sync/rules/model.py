"""The rules file as it is written: every key, what it may hold, and what it is for."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict

from audience_sync.core.limits import ATTRIBUTE_NAME_BYTES, ATTRIBUTE_VALUE_BYTES, TAG_BYTES, USER_ID_BYTES
from audience_sync.core.rule import Format, OtherTypes
from audience_sync.core.templates import parsed, parsed_path
from audience_sync.formats import made_by


def _fits(text: str, limit: int, what: str) -> str:
    least = parsed(text).least_bytes
    if not 1 <= least <= limit:
        raise ValueError(
            f"{what} {text!r} takes at least {least} bytes of UTF-8; the Chat API takes 1 to {limit}"
        )
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


def _is_format(text: str) -> str:
    if text not in {*Format}:
        made_by(text)  # loads it now: a package that is broken is told with file and line
    return text


UserTemplate = Annotated[str, AfterValidator(_is_user)]
ValueTemplate = Annotated[str, AfterValidator(lambda text: _fits(text, ATTRIBUTE_VALUE_BYTES, "the value"))]
TagText = Annotated[str, AfterValidator(lambda text: _fits(text, TAG_BYTES, "the tag"))]
AttributeName = Annotated[str, AfterValidator(_is_name)]
Path = Annotated[str, AfterValidator(_is_path)]
Given = Annotated[str, Field(min_length=1)]
FormatName = Annotated[
    str,
    AfterValidator(_is_format),
    WithJsonSchema({"anyOf": [{"enum": [*Format]}, {"type": "string", "minLength": 1}]}),
]


_NULL: Final[JsonDict] = {"type": "null"}


def _without_null(schema: JsonDict) -> None:
    """Say of a key that may be left out what it may hold; that it may also be null is of no use in a file."""
    properties = schema.get("properties")
    for stated in properties.values() if isinstance(properties, dict) else ():
        if isinstance(stated, dict) and stated.get("default", ...) is None:
            del stated["default"]
            choices = stated.pop("anyOf")
            assert isinstance(choices, list)
            stated.update(*(choice for choice in choices if isinstance(choice, dict) and choice != _NULL))


def _with_one_key(schema: JsonDict) -> None:
    _without_null(schema)
    schema.update(minProperties=1, maxProperties=1)


class Stated(BaseModel):
    """What all parts of the file have in common: an unknown key is a mistake."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, json_schema_extra=_without_null
    )


class SourceModel(Stated):
    """A topic to read, and how its events are written."""

    topic: Given
    """The Kafka topic. Keyed by the user whom the rules find."""

    format: FormatName
    """`cloudevents`: CloudEvents 1.0. `json`: a plain JSON object. Or a format that is installed."""

    type_field: Path | None = None
    """Plain JSON only: the field that holds the event's type, as names joined by dots."""

    type: Given | None = None
    """Plain JSON only, instead of `type_field`: the type of every event of this topic."""

    time_field: Path | None = None
    """Plain JSON only: the field that holds the time of the event, as RFC 3339 text with its offset."""

    other_types: OtherTypes = Field(default=OtherTypes.DEAD_LETTER)
    """An event that no rule names: `dead_letter` keeps it in the dead letters, `ignore` only counts it."""

    @model_validator(mode="after")
    def _one_type_is_found(self) -> Self:
        ways = [name for name in ("type_field", "type") if getattr(self, name) is not None]
        json_only = [*ways, *(["time_field"] if self.time_field is not None else [])]
        if self.format == Format.JSON and len(ways) != 1:
            found = "neither is" if not ways else "both are"
            raise ValueError(f"format json needs type_field or type, one of the two, and {found} given")
        if self.format == Format.CLOUDEVENTS and json_only:
            raise ValueError(
                f"{' and '.join(json_only)} belong to format json; a CloudEvent says it itself: remove"
            )
        return self


class AttributeModel(Stated):
    """An attribute and its new value."""

    name: AttributeName
    """The attribute, 1 to 50 bytes of fixed text. All rules together may name ten."""

    value: ValueTemplate
    """Its value: text with `{fields}`, 1 to 50 bytes when rendered."""


class ChangeModel(Stated):
    """One change: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra=_with_one_key)

    set_attribute: AttributeModel | None = None
    """The user's attribute gets this value, whatever it was."""

    remove_attribute: AttributeName | None = None
    """The user's attribute has no value any more."""

    add_tag: TagText | None = None
    """The user carries this tag: text with `{fields}`, 1 to 50 bytes when rendered."""

    remove_tag: TagText | None = None
    """The user no longer carries this tag."""

    remove_all_tags: Literal[True] | None = None
    """`true`: the user no longer carries any tag."""

    @model_validator(mode="after")
    def _is_one_change(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            kinds = ", ".join(type(self).model_fields)
            found = " and ".join(given) or "none"
            raise ValueError(f"a change is exactly one of {kinds}, and {found} is given; one list item each")
        return self


class RuleModel(Stated):
    """What one type of event does to the user it names."""

    name: Given
    """The rule's name, for messages and dead letters. Each only once."""

    event: Given
    """The type of event that it applies to."""

    topic: Given | None = None
    """Only events of this topic. Left out: of every source that may carry the type."""

    user: UserTemplate
    """Whom the changes apply to: text with at least one `{field}`, 1 to 32 bytes when rendered."""

    urgent: bool = Field(default=False, strict=True)
    """`true`: sent at once, without waiting for further changes of the user."""

    changes: Annotated[list[ChangeModel], Field(min_length=1)]
    """What happens to the user, in this order."""


class RulesFileModel(Stated):
    """The rules of audience-sync: what to read from Kafka, and what it means for users in Chat."""

    sources: Annotated[list[SourceModel], Field(min_length=1)]
    """The topics."""

    rules: Annotated[list[RuleModel], Field(min_length=1)]
    """What their events do. Several rules may name one type: all apply, in this order, to the same user."""
