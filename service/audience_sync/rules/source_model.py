"""The sources of a rules file as they are written: every key, what it may hold, and what it is for."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator
from pydantic.config import JsonDict

from audience_sync.core.rule import Format, OtherTypes, TimeFormat
from audience_sync.formats import made_by
from audience_sync.rules.stated import Map, Stated, Text, TextOrMap, is_given, without_null
from audience_sync.rules.texts import Given, Path, TopicPattern


def _is_format(text: str) -> str:
    if text not in {*Format}:
        made_by(text)  # loads it now: a package that is broken is told with file and line
    return text


FormatName = Annotated[
    str,
    AfterValidator(_is_format),
    WithJsonSchema({"anyOf": [{"enum": [*Format]}, {"type": "string", "minLength": 1}]}),
]

_WAYS: Final = ("topic", "topics", "pattern")
"""How a source names its topics; exactly one is given."""


_OF_FORMATS: Final[dict[Format, JsonDict]] = {
    Format.JSON: {"oneOf": [{"required": ["type_field"]}, {"required": ["type"]}]},
    Format.CLOUDEVENTS: {"properties": {"type_field": False, "type": False, "time_field": False}},
}
"""What a format asks of the other keys, as JSON Schema."""


def _for_an_editor(schema: JsonDict) -> None:
    """What holds between keys, as far as a schema can say it."""
    without_null(schema)
    between: list[JsonValue] = [
        {"oneOf": [{"required": [way]} for way in _WAYS]},
        {
            "if": {"required": ["pattern"]},
            "then": {
                "anyOf": [
                    {"required": [way], "properties": {way: {"const": True}}}
                    for way in ("each_user_in_one_topic", "rekey")
                ]
            },
        },
    ]
    between.append({"not": {"required": ["type_field", "type"]}})
    for kind, then in _OF_FORMATS.items():
        between.append({"if": {"properties": {"format": {"const": kind.value}}}, "then": then})
    schema["allOf"] = between
    schema["dependentRequired"] = {"time_format": ["time_field"]}


class TombstoneModel(Stated):
    """A record without a value is an event."""

    event: Given
    """Its type. Its fields are only those of the record itself, such as `$key`."""


class SourceModel(Stated):
    """A topic to read, or several, and how its events are written."""

    model_config = ConfigDict(json_schema_extra=_for_an_editor)

    name: Given | None = None
    """A name for rules to refer to (`source:`). Each only once."""

    topic: Given | None = None
    """The Kafka topic. Keyed by the user whom the rules find, unless it is re-keyed (`rekey`)."""

    topics: Annotated[list[Given], Field(min_length=1)] | None = None
    """Instead of `topic`: several topics whose events are written alike."""

    pattern: TopicPattern | None = None
    """Instead of `topic`: a regular expression for whole names of topics. Looked up once, at start."""

    each_user_in_one_topic: bool = Field(default=False, strict=True)
    """`true`: you promise that all events of one user are in one of the topics; nothing orders two of them."""

    rekey: bool = Field(default=False, strict=True)
    """`true`: the records have another key than the user, or none; the service copies them to a topic of its own,
    one for each user concerned. All re-keyed topics may write the same attributes and tags: their order is there."""

    format: FormatName
    """`cloudevents`: CloudEvents 1.0. `json`: any JSON object. `debezium`: change events. `avro`, `protobuf`,
    `json_schema`: in Confluent's wire format, with a schema registry. Or a format that is installed."""

    type_field: Path | None = None
    """Not for CloudEvents: the field that holds the event's type, as names joined by dots."""

    type: Given | None = None
    """Not for CloudEvents, instead of `type_field`: the type of every event of this topic."""

    time_field: Path | None = None
    """Not for CloudEvents: the field that holds the time of the event."""

    time_format: TimeFormat = Field(default=TimeFormat.RFC3339)
    """`rfc3339`: text with its offset. `epoch_seconds`, `epoch_milliseconds`: a number since 1970, UTC."""

    event_time: bool = Field(default=False, strict=True)
    """`true`: of two events the one with the later time wins, as far as is known, not the later in the topic."""

    other_types: OtherTypes = Field(default=OtherTypes.DEAD_LETTER)
    """An event that no rule names: `dead_letter` keeps it in the dead letters, `ignore` only counts it."""

    tombstones: (
        Annotated[
            Annotated[OtherTypes, Text] | Annotated[TombstoneModel, Map],
            TextOrMap,
        ]
        | None
    ) = None
    """A record without a value: `dead_letter`, `ignore`, or `{event: type}`, an event of that type."""

    @model_validator(mode="after")
    def _topics_are_named_in_one_way(self) -> Self:
        ways = is_given(self, *_WAYS)
        if len(ways) != 1:
            found = " and ".join(ways) or "nothing"
            raise ValueError(f"a source has one of topic, topics, pattern; here is {found}; keep one")
        if self.pattern is not None and not (self.each_user_in_one_topic or self.rekey):
            raise ValueError(
                "a pattern may match several topics, and nothing orders their events; add "
                "`each_user_in_one_topic: true` if all events of a user are in one of them, `rekey: true` if not, "
                "or name one topic"
            )
        if self.rekey and self.event_time:
            raise ValueError(
                "event_time compares events in one topic, and rekey copies them to another; keep one"
            )
        return self

    @model_validator(mode="after")
    def _one_type_is_found(self) -> Self:
        ways = is_given(self, "type_field", "type")
        json_only = is_given(self, "type_field", "type", "time_field")
        if self.format == Format.JSON and len(ways) != 1:
            found = "neither is" if not ways else "both are"
            raise ValueError(
                f"format json needs type_field or type, one of the two, and {found} given; write one"
            )
        if self.format == Format.CLOUDEVENTS and json_only:
            raise ValueError(
                f"{' and '.join(json_only)} belong to other formats; a CloudEvent says it itself: remove"
            )
        if len(ways) == 2:
            raise ValueError("type_field and type are both given, and one of the two says the type; keep one")
        if "time_format" in self.model_fields_set and self.time_field is None:
            raise ValueError("time_format says how the time in time_field is written; add time_field")
        return self
