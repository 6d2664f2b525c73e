"""What the topic of re-keyed events holds: one user's changes from one event, as JSON, keyed by the user."""

from typing import Final

import msgspec

from audience_sync.core.changes import UserId
from audience_sync.core.event import Cause, Translated, Translation, Unusable
from audience_sync.core.limits import broken_limit
from audience_sync.events.dead_letters import changes_told, told_changes

VERSION: Final = 1
"""Of the stored form."""


class Rekeyed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One user's changes from one event, and where the event stands.

    changes: [kind, ...its fields], as in the dead letters.
    """

    v: int = VERSION
    user: str
    changes: list[list[str]]
    urgent: bool = False
    event_seconds: float | None = None
    topic: str
    partition: int
    position: int


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Rekeyed)


def rekeyed_bytes(event: Translated, *, topic: str, partition: int, position: int) -> bytes:
    """The record's value for what *event* does to its user; the event stands at *position* of its partition."""
    return _ENCODER.encode(
        Rekeyed(
            user=event.user,
            changes=told_changes(event.changes),
            urgent=event.urgent,
            event_seconds=event.event_seconds,
            topic=topic,
            partition=partition,
            position=position,
        )
    )


def rekeyed_translation(value: bytes | None) -> Translation:
    """What a record of the topic does to whom. Never raises; what nobody here has written is unusable."""
    if value is None:
        return Unusable(
            Cause.UNREADABLE, "the record has no value; only audience-sync writes to its own topic"
        )
    try:
        told = _DECODER.decode(value)
        changes = tuple(changes_told(told.changes))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        return Unusable(Cause.UNREADABLE, f"no re-keyed event: {error}")
    if told.v != VERSION:
        info = f"a re-keyed event of version {told.v}, and this replica reads {VERSION}; upgrade it"
        return Unusable(Cause.UNREADABLE, info)
    for change in changes:
        if (broken := broken_limit(told.user, change)) is not None:
            return Unusable(Cause.BROKEN_LIMIT, broken)
    return Translated(UserId(told.user), changes, told.urgent, told.event_seconds)
