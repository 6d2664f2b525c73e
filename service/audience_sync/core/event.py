"""What another system tells us, and what comes of it: changes, nothing, or why it can't be applied."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from audience_sync.core.changes import Change, UserId

Fields = Mapping[str, object]
"""An event as it was decoded: text, integers, floats, booleans, None, lists and dicts with text keys."""


class Event(msgspec.Struct, frozen=True):
    """One event, decoded and with its type found; no rule has been asked yet."""

    type: str
    fields: Fields
    seconds: float | None = None
    """When it happened, in seconds since 1970 UTC, if the event says so in a form that is understood."""


class Cause(StrEnum):
    """Why an event can't be applied. A closed set, because it is a label and stands in the dead letters."""

    UNREADABLE = "unreadable"
    """The bytes are not what the source's format says."""
    NO_TYPE = "no_type"
    """It is readable, but its type is missing, empty or no text."""
    UNKNOWN_TYPE = "unknown_type"
    """No rule of its topic names its type."""
    NO_USER = "no_user"
    """The rule's user is missing or empty, or two rules find different ones."""
    CONDITION = "condition"
    """A rule's condition is neither true nor false for it: it needs a field that is missing, say."""
    CONFLICT = "conflict"
    """The conditions of two rules hold that write the same attribute or tag."""
    TRANSLATOR = "translator"
    """A translator in Python failed, or gave what a rule can't give."""
    MISSING_FIELD = "missing_field"
    """A field that a rule needs is missing or empty."""
    WRONG_TYPE = "wrong_type"
    """A field that a rule needs is neither text nor an integer; or no list where one is needed."""
    UNKNOWN_VALUE = "unknown_value"
    """A field's text is not in the rule's map, and the map does not say what then."""
    BROKEN_LIMIT = "broken_limit"
    """A change would be refused by the Chat API: too long, or empty. Or they are too many for one event."""
    OUTRUN = "outrun"
    """A replay was read so late that newer events may have been settled since the log was looked through."""


class Unusable(msgspec.Struct, frozen=True):
    """The event can't be applied; it goes to the dead letters, whole. *info* says it in a sentence."""

    cause: Cause
    info: str


class Wanting(msgspec.Struct, frozen=True):
    """The event can't be read before a schema is there: nothing behind it may be taken in until then."""

    schema_id: int
    """As the schema registry counts."""


class Translated(msgspec.Struct, frozen=True, gc=False):
    """What an event does: *changes* to *user*, in this order; at once if *urgent*."""

    user: UserId
    changes: tuple[Change, ...]
    urgent: bool
    event_seconds: float | None
    """When the event happened, in seconds since 1970 UTC, if it says so."""

    @property
    def parts(self) -> "tuple[Translated, ...]":
        """Itself: what concerns one user has one part."""
        return (self,)


class TranslatedMany(msgspec.Struct, frozen=True, gc=False):
    """What an event does that concerns several users: two parts or more, each of another user."""

    parts: tuple[Translated, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Those of all its users."""
        return tuple(change for part in self.parts for change in part.changes)


class Ignored(msgspec.Struct, frozen=True, gc=False):
    """The event does nothing, as the rules wish. *reason* says it in a sentence."""

    reason: str


Decoded = Event | Ignored | Unusable | Wanting
"""What comes of a record's bytes."""

Translation = Translated | TranslatedMany | Ignored | Unusable | Wanting
"""What comes of an event."""
