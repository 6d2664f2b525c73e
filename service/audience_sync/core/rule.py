"""What the rules file states, as values: where events come from, and what one type of event does."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from audience_sync.core.changes import AddTag, RemoveAllTags, RemoveAttribute, RemoveTag
from audience_sync.core.templates import Field, Template


class Format(StrEnum):
    """How a topic's records are written: the formats that need nothing else to be installed."""

    CLOUDEVENTS = "cloudevents"
    JSON = "json"


class OtherTypes(StrEnum):
    """What becomes of an event whose type no rule names."""

    DEAD_LETTER = "dead_letter"
    IGNORE = "ignore"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A topic, and how its events are read. Plain JSON has either a type field or one type for all events.

    format: one of `Format`, or the name of an installed one.
    tombstones: what becomes of a record without a value; None: as the format has it.
    tombstone_type: instead of that, such a record is an event of this type, with reserved fields only.
    wants: the reserved fields (`$key`, `$headers`, `$topic`) that rules of this topic use.
    """

    topic: str
    format: str
    other_types: OtherTypes = OtherTypes.DEAD_LETTER
    type_field: Field | None = None
    type: str | None = None
    time_field: Field | None = None
    tombstones: OtherTypes | None = None
    tombstone_type: str | None = None
    wants: frozenset[str] = frozenset()

    def may_carry(self, event_type: str) -> bool:
        """Whether an event of this type can come from here."""
        return self.type is None or self.type == event_type


class AttributeTemplate(msgspec.Struct, frozen=True):
    """An attribute is set to a value that comes from the event."""

    name: str
    value: Template


class TagTemplate(msgspec.Struct, frozen=True):
    """A tag that is made from the event is added or removed."""

    kind: type[AddTag] | type[RemoveTag]
    tag: Template


Planned = AttributeTemplate | TagTemplate | RemoveAttribute | RemoveAllTags
"""A change as a rule states it, before an event fills it in."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one type of event does to the user it names. *topics* are all those it may come from."""

    name: str
    event: str
    topics: tuple[str, ...]
    user: Template
    changes: tuple[Planned, ...]
    urgent: bool = False


def attribute_names(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Every attribute that the rules write, each once, in the order of the file."""
    return tuple(
        dict.fromkeys(
            change.name
            for rule in rules
            for change in rule.changes
            if isinstance(change, AttributeTemplate | RemoveAttribute)
        )
    )
