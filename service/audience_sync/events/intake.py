"""Records of our partitions into the waiting changes, as many as there is room for."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from audience_sync.core.changes import Change, UserId
from audience_sync.core.event import Ignored, Translated, TranslatedMany, Translation, Unusable, Wanting
from audience_sync.core.guard import Guard
from audience_sync.core.ledger import Mark
from audience_sync.core.ownership import Partition, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.events.keys import is_keyed_by
from audience_sync.formats import Record as RecordBytes

LOW_MARK: Final = 0.8
"""Reading goes on when the waiting users are down to this part of their bound: no flutter at the edge."""


class Record(RecordBytes, Protocol):
    """What is used of a consumer's record."""

    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102


class Replays(Protocol):
    """Takes in letters that are replayed."""

    topic: str
    """What they are read from."""

    def take(
        self, tenure: Tenure, key: PartitionKey, record: Record, now: float, may_bury: Callable[[], bool]
    ) -> bool:
        """Take in one record. Returns whether it was: one that *may_bury* keeps back must wait."""


class Watch(Protocol):
    """What an operator gets to see of the way in."""

    def translated(self, topic: str, event: Translated | TranslatedMany) -> None:
        """An event has caused changes, of one user or of several."""

    def late(self, topic: str, changes: int) -> None:
        """So many changes of an event are not applied: a later event has spoken on the same before."""

    def ignored(self, topic: str) -> None:
        """An event causes nothing, as the rules say."""

    def unusable(self, topic: str, event: Unusable) -> None:
        """A record goes to the dead letters."""

    def too_many_dead_letters(self, reason: str) -> None:
        """Reading stops, for something on the whole must be wrong."""

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A record's key does not name its user: the order of his changes is not certain."""


class Intake:
    """Translates records and lets their changes wait.

    translate: what a record's bytes do to whom.
    by_event_time: whether in a topic the events' own times decide which word is the last.
    want: asks for the schema that a record can't be read without; asked again at each look until it is there.
    bury: keeps an unusable record; its mark is settled when it stands in the dead letters.
    stopped: whether something on the whole forbids to read on (dead letters that can't be written, a stop).
    paused: whether a person forbids to read on in a topic.
    guard: whether too much goes to the dead letters.
    replays: takes in the records of the topic that letters are replayed through, if there is one.
    """

    def __init__(
        self,
        *,
        translate: Callable[[str, RecordBytes], Translation],
        by_event_time: Callable[[str], bool],
        want: Callable[[Wanting], None],
        bury: Callable[[PartitionKey, Record, Unusable, Mark], None],
        stopped: Callable[[], bool],
        guard: Guard,
        max_waiting_users: int,
        clock: Callable[[], float],
        watch: Watch,
        replays: Replays | None = None,
        paused: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._translate = translate
        self._by_event_time = by_event_time
        self._want = want
        self._bury = bury
        self._stopped = stopped
        self._guard = guard
        self._max_waiting_users = max_waiting_users
        self._clock = clock
        self._watch = watch
        self._replays = replays
        self._paused = paused
        self._above_the_mark = False

    def full(self, tenure: Tenure) -> bool:
        """Whether nothing may be taken in but what a hold needs."""
        waiting = len(tenure.debouncer)
        bound = self._max_waiting_users * (LOW_MARK if self._above_the_mark else 1.0)
        self._above_the_mark = waiting >= bound
        return self._above_the_mark or self._stopped() or not self._guard.may_read(self._clock())

    def _may_bury(self, partition: Partition, position: int, now: float) -> bool:
        """What is read again up to a hold's target is not kept back: the hold would never end."""
        if position < partition.start.target:
            return True
        was_closed = self._guard.closed
        may = self._guard.may_bury(now)
        if self._guard.closed and not was_closed:
            self._watch.too_many_dead_letters(self._guard.reason or "")
        return may

    def take(self, tenure: Tenure, key: PartitionKey, records: Sequence[Record]) -> int:
        """Take in the first of *records*, which follow each other in one partition. Returns how many."""
        ownership, debouncer = tenure.ownership, tenure.debouncer
        below = ownership.readable_below(key, full=self.full(tenure) or self._paused(key.topic))
        ledger = ownership.partitions[key].ledger
        now = self._clock()
        topic = key.topic
        replays = self._replays if self._replays is not None and self._replays.topic == topic else None
        by_event_time = self._by_event_time(topic)
        for index, record in enumerate(records):
            position = record.offset
            if position >= below:
                ledger.read_up_to(
                    position
                )  # no record lies before it: else a gap wider than the gate would last
                return index
            if replays is not None:
                partition = ownership.partitions[key]
                if not replays.take(
                    tenure, key, record, now, partial(self._may_bury, partition, position, now)
                ):
                    return index
                ledger.read_up_to(position + 1)
                continue
            at = record.timestamp / 1000 if record.timestamp > 0 else now
            event = self._translate(topic, record)
            if type(event) is Translated or type(event) is TranslatedMany:
                if self._guard.closed:
                    self._guard.sound()
                self._watch.translated(topic, event)
                for part in event.parts:
                    changes: Sequence[Change] = part.changes
                    if by_event_time and part.event_seconds is not None:
                        # a time in the future counts as the record's own, or as now
                        changes = self._timely(tenure, topic, part, min(part.event_seconds, at, now))
                    if changes:
                        debouncer.add(
                            part.user,
                            changes,
                            ledger=ledger,
                            position=position,
                            at=at,
                            now=now,
                            urgent=part.urgent,
                        )
                    if record.key is not None and not is_keyed_by(record.key, part.user):
                        self._watch.foreign_key(topic, part.user)
            elif type(event) is Unusable:
                if not self._may_bury(ownership.partitions[key], position, now):
                    return index
                self._watch.unusable(topic, event)
                self._bury(key, record, event, ledger.mark(position, at))
            elif type(event) is Ignored:
                self._watch.ignored(topic)
            elif type(event) is Wanting:
                self._want(event)
                return index
            ledger.read_up_to(position + 1)
        return len(records)

    def _timely(self, tenure: Tenure, topic: str, part: Translated, moment: float) -> Sequence[Change]:
        """What one user's part of an event of that *moment* still changes."""
        changes, late = tenure.event_times.timely(part.user, part.changes, moment)
        if late:
            self._watch.late(topic, late)
        return changes
