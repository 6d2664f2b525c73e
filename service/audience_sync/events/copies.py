"""What a batch of records causes that are not keyed by the user: a copy for each user concerned, and dead letters."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from audience_sync.core.event import Ignored, Translated, Translation, Unusable, Wanting
from audience_sync.core.ledger import Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.dead_letters import DeadLetter, unusable_letter
from audience_sync.events.intake import Record
from audience_sync.events.rekeyed import rekeyed_bytes
from audience_sync.formats import Headers

TRACE_HEADERS: Final = ("traceparent", "tracestate")
"""Source: W3C Trace Context."""


class Copy(msgspec.Struct, frozen=True):
    """A record of the topic that is keyed by the user. timestamp: the event's own, milliseconds since 1970 UTC.

    headers: what its producer says of its trace, handed on.
    """

    key: bytes
    value: bytes
    timestamp: int
    headers: Headers = ()


class Copies(msgspec.Struct):
    """What the first records of a batch cause. position: what is to be read next of their partition."""

    position: int
    copies: list[Copy] = []
    letters: list[tuple[Unusable, bytes | None, DeadLetter]] = []
    events: int = 0
    ignored: int = 0


class CopyMaker:
    """Makes the copies of records, in their order.

    translate: what a record does to whom.
    want: is told of a schema that has to be fetched before a record can be read.
    may_bury: whether a dead letter may be written now (epoch seconds).
    """

    def __init__(
        self,
        *,
        translate: Callable[[str, Record], Translation],
        want: Callable[[Wanting], None],
        may_bury: Callable[[float], bool],
        clock: Callable[[], float],
    ) -> None:
        self._translate = translate
        self._want = want
        self._may_bury = may_bury
        self._clock = clock

    def of(self, key: PartitionKey, records: Sequence[Record]) -> Copies:
        """The copies of *records*, up to the first that wants a schema, or that the guard does not let through."""
        made = Copies(records[0].offset)
        for record in records:
            event = self._translate(key.topic, record)
            if isinstance(event, Wanting):
                self._want(event)
                return made
            if isinstance(event, Unusable):
                now = self._clock()
                if not self._may_bury(now):
                    return made
                origin = Origin(key.topic, key.number, record.offset, record.timestamp / 1000)
                letter = unusable_letter(record, origin=origin, cause=event.cause, info=event.info, now=now)
                made.letters.append((event, record.key, letter))
            elif isinstance(event, Ignored):
                made.ignored += 1
            else:
                made.events += 1
                made.copies += [self._copy(key, record, part) for part in event.parts]
            made.position = record.offset + 1
        return made

    @staticmethod
    def _copy(key: PartitionKey, record: Record, event: Translated) -> Copy:
        value = rekeyed_bytes(event, topic=key.topic, partition=key.number, position=record.offset)
        traced = [header for header in record.headers if header[0] in TRACE_HEADERS]
        return Copy(event.user.encode(), value, record.timestamp, traced)
