"""What the rules file states, as values: where events come from, and what an event does to whom."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec

from audience_sync.core.changes import AddTag, Change, RemoveAllTags, RemoveAttribute, RemoveTag, UserId
from audience_sync.core.event import Event, Fields, Unusable
from audience_sync.core.templates import Field, Template


class Format(StrEnum):
    """How a topic's records are written: the formats that are built in."""

    CLOUDEVENTS = "cloudevents"
    JSON = "json"
    DEBEZIUM = "debezium"
    AVRO = "avro"
    PROTOBUF = "protobuf"
    JSON_SCHEMA = "json_schema"


class OtherTypes(StrEnum):
    """What becomes of an event that no rule names: one of another type, or a record without a value."""

    DEAD_LETTER = "dead_letter"
    IGNORE = "ignore"


class TimeFormat(StrEnum):
    """How the time of an event is written."""

    RFC3339 = "rfc3339"
    EPOCH_SECONDS = "epoch_seconds"
    EPOCH_MILLISECONDS = "epoch_milliseconds"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A topic, and how its events are read. Plain JSON has either a type field or one type for all events.

    is_pattern: whether *topic* is a pattern of names that nobody has compared with the broker's topics yet.
    format: one of `Format`, or the name of an installed one.
    event_time: whether of two events the one with the later time wins, and not the later one in the topic.
    rekey: whether the topic is not keyed by the user, and its events are copied to one that is.
    tombstones: what becomes of a record without a value; None: as the format has it.
    tombstone_type: instead of that, such a record is an event of this type, with reserved fields only.
    wants: the reserved fields (`$key`, `$headers`, `$topic`) that rules of this topic use.
    timed: whether anybody asks when its events happened; finding that out is a quarter of an event's cost.
    """

    topic: str
    is_pattern: bool = False
    format: str
    other_types: OtherTypes = OtherTypes.DEAD_LETTER
    type_field: Field | None = None
    type: str | None = None
    time_field: Field | None = None
    time_format: TimeFormat = TimeFormat.RFC3339
    event_time: bool = False
    rekey: bool = False
    tombstones: OtherTypes | None = None
    tombstone_type: str | None = None
    wants: frozenset[str] = frozenset()
    timed: bool = True

    def may_carry(self, event_type: str) -> bool:
        """Whether an event of this type can come from here."""
        return self.type is None or event_type in (self.type, self.tombstone_type)


class Otherwise(StrEnum):
    """What a change becomes when the event does not say what is needed for it."""

    DEAD_LETTER = "dead_letter"
    """The event is unusable, whole."""
    IGNORE = "ignore"
    """There is no such change."""
    REMOVE = "remove"
    """The attribute is removed."""


class WhenLacking(msgspec.Struct, frozen=True):
    """What a change becomes when a field that it needs is null or empty, or is missing."""

    null: Otherwise = Otherwise.DEAD_LETTER
    missing: Otherwise = Otherwise.DEAD_LETTER


class ValueMap(msgspec.Struct, frozen=True):
    """Values of attributes, by the text that the template renders to."""

    values: Mapping[str, str]
    otherwise: Otherwise = Otherwise.DEAD_LETTER
    """What happens with a text that is not among them, unless there is a default."""
    default: str | None = None


class AttributeTemplate(msgspec.Struct, frozen=True):
    """An attribute is set to a value that comes from the event."""

    name: str
    value: Template
    map: ValueMap | None = None
    lacking: WhenLacking = WhenLacking()


class TagTemplate(msgspec.Struct, frozen=True):
    """A tag that is made from the event is added or removed; or one for each member of a list in it."""

    kind: type[AddTag] | type[RemoveTag]
    tag: Template
    for_each: Field | None = None
    lacking: WhenLacking = WhenLacking()


Planned = AttributeTemplate | TagTemplate | RemoveAttribute | RemoveAllTags
"""A change as a rule states it, before an event fills it in."""


class Condition(msgspec.Struct, frozen=True):
    """What must hold of an event for a rule to apply to it."""

    text: str
    holds: Callable[[Fields], bool | Unusable]
    wants: frozenset[str] = frozenset()
    """Which fields of the record itself it uses."""


class ByTemplates(msgspec.Struct, frozen=True):
    """The user and his changes are filled in from the event; for each member of a list in it, if one is named."""

    user: Template
    changes: tuple[Planned, ...]
    for_each: Field | None = None


class Writes(msgspec.Struct, frozen=True):
    """All that a translator may write."""

    attributes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """How its tags begin."""
    all_tags: bool = False
    """Whether it may remove all of a user's tags."""


class ByTranslator(msgspec.Struct, frozen=True):
    """A function in Python says whom an event concerns, and how. It never raises."""

    name: str
    translate: Callable[[Event], Sequence[tuple[UserId, Sequence[Change]]] | Unusable]
    writes: Writes


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What some types of event do, and to whom. *topics* are all those they may come from."""

    name: str
    events: tuple[str, ...]
    topics: tuple[str, ...]
    effect: ByTemplates | ByTranslator
    condition: Condition | None = None
    urgent: bool = False
    owns: tuple[str, ...] = ()
    """Beginnings of tags that only rules which own them write."""


def used_fields(rule: Rule) -> list[Field]:
    """The fields in a rule's templates and lists. What a condition or a translator uses is not known."""
    if not isinstance(rule.effect, ByTemplates):
        return []
    fields = list(rule.effect.user.fields)
    fields += [] if rule.effect.for_each is None else [rule.effect.for_each]
    for change in rule.effect.changes:
        match change:
            case AttributeTemplate(_, template):
                fields += template.fields
            case TagTemplate(_, template, for_each):
                fields += [*template.fields, *([] if for_each is None else [for_each])]
    return fields
