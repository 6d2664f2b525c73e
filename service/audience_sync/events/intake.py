"""Records of our partitions into the waiting changes, as many as there is room for."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
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

_OFFSET: Final = attrgetter("offset")


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

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Events have caused changes, each of one user or of several."""

    def late(self, topic: str, changes: int) -> None:
        """So many changes of an event are not applied: a later event has spoken on the same before."""

    def ignored(self, topic: str, events: int) -> None:
        """So many events cause nothing, as the rules say."""

    def unusable(self, topic: str, event: Unusable) -> None:
        """A record goes to the dead letters."""

    def too_many_dead_letters(self, reason: str) -> None:
        """Reading stops, for something on the whole must be wrong."""

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A record's key does not name its user: the order of his changes is not certain."""


class Intake:
    """Translates records and lets their changes wait.

    translation: what the records of a topic do to whom, as a function; asked for with each batch, since rules change.
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
        translation: Callable[[str], Callable[[RecordBytes], Translation]],
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
        self._translation = translation
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
        below = tenure.ownership.readable_below(key, full=self.full(tenure) or self._paused(key.topic))
        readable = len(records)
        if records and records[-1].offset >= below:
            readable = bisect_left(records, below, key=_OFFSET)
        replays = self._replays if self._replays is not None and self._replays.topic == key.topic else None
        within = records if readable == len(records) else records[:readable]
        if replays is None:
            taken = self._take_events(tenure, key, within)
        else:
            taken = self._take_replays(replays, tenure, key, within)
        ledger = tenure.ownership.partitions[key].ledger
        if taken:
            ledger.read_up_to(records[taken - 1].offset + 1)
        if taken == readable < len(records):
            # no record lies before it: else a gap wider than the gate would last
            ledger.read_up_to(records[readable].offset)
        return taken

    def _take_events(self, tenure: Tenure, key: PartitionKey, records: Sequence[Record]) -> int:
        """The way of each of 100,000 events a second: what can be done once a batch is done here, or by the watch."""
        topic, now, guard = key.topic, self._clock(), self._guard
        partition = tenure.ownership.partitions[key]
        ledger, add = partition.ledger, tenure.debouncer.add
        translate, by_event_time = self._translation(topic), self._by_event_time(topic)
        translated: list[Translated | TranslatedMany] = []
        taken = ignored = 0
        closed = guard.closed
        for record in records:
            event = translate(record)
            timestamp = record.timestamp
            at = timestamp / 1000 if timestamp > 0 else now
            if type(event) is Translated or type(event) is TranslatedMany:
                if closed:
                    guard.sound()
                translated.append(event)
                named = record.key
                for part in (event,) if type(event) is Translated else event.parts:
                    user = part.user
                    changes: Sequence[Change] = part.changes
                    if by_event_time and part.event_seconds is not None:
                        # a time in the future counts as the record's own, or as now
                        changes = self._timely(tenure, topic, part, min(part.event_seconds, at, now))
                    if changes:
                        add(user, changes, ledger, record.offset, at, now, part.urgent)
                    if named is not None and named != user.encode() and not is_keyed_by(named, user):
                        self._watch.foreign_key(topic, user)
            elif type(event) is Unusable:
                if not self._may_bury(partition, record.offset, now):
                    break
                closed = guard.closed
                self._watch.unusable(topic, event)
                self._bury(key, record, event, ledger.mark(record.offset, at))
            elif type(event) is Ignored:
                ignored += 1
            elif type(event) is Wanting:
                self._want(event)
                break
            taken += 1
        if translated:
            self._watch.translated(topic, translated)
        if ignored:
            self._watch.ignored(topic, ignored)
        return taken

    def _take_replays(
        self, replays: Replays, tenure: Tenure, key: PartitionKey, records: Sequence[Record]
    ) -> int:
        """One after the other: what is known of a user may rest on the one before."""
        now, partition = self._clock(), tenure.ownership.partitions[key]
        for index, record in enumerate(records):
            may_bury = partial(self._may_bury, partition, record.offset, now)
            if not replays.take(tenure, key, record, now, may_bury):
                return index
            partition.ledger.read_up_to(record.offset + 1)
        return len(records)

    def _timely(self, tenure: Tenure, topic: str, part: Translated, moment: float) -> Sequence[Change]:
        """What one user's part of an event of that *moment* still changes."""
        changes, late = tenure.event_times.timely(part.user, part.changes, moment)
        if late:
            self._watch.late(topic, late)
        return changes
