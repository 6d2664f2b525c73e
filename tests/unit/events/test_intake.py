"""Records into the waiting changes, as many as there is room for."""

from collections.abc import Sequence
from functools import partial

import pytest

from audience_sync.core.changes import AddTag, Endpoint, UserId
from audience_sync.core.event import (
    Cause,
    Ignored,
    Translated,
    TranslatedMany,
    Translation,
    Unusable,
    Wanting,
)
from audience_sync.core.guard import Guard
from audience_sync.core.ledger import Mark
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.events.intake import Intake, Record
from audience_sync.formats import Record as RecordBytes
from tests.support.clock import FakeClock
from tests.support.kafka_client import Record as Given
from tests.support.tenures import BOUNDS, KEY, TIMES, a_tenure, an_ownership


class WayIn:
    """An intake, and what it has told."""

    def __init__(self, *, most_users: int = 1000, most_dead_letters: int = 1000) -> None:
        self.clock = FakeClock()
        self.tenure = a_tenure(self.clock())
        self.stopped = False
        self.wanted: list[Wanting] = []
        self.schemas: set[int] = set()
        self.buried: list[tuple[int, Unusable, Mark]] = []
        self.told: list[str] = []
        self.by_event_time = False
        self.intake = Intake(
            translation=lambda topic: partial(self._translate, topic),
            by_event_time=lambda _: self.by_event_time,
            want=self.wanted.append,
            bury=self._bury,
            stopped=lambda: self.stopped,
            guard=Guard(most_per_minute=most_dead_letters),
            max_waiting_users=most_users,
            clock=self.clock,
            watch=self,
        )

    def _translate(self, topic: str, record: RecordBytes) -> Translation:
        """As the rules would, but that `schema` can't be read before schema 7 is there."""
        if record.value == b"schema" and 7 not in self.schemas:
            return Wanting(7)
        return _translate(topic, record)

    def _bury(self, key: PartitionKey, record: Record, event: Unusable, mark: Mark) -> None:
        assert key == KEY
        self.buried.append((record.offset, event, mark))

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Events have caused changes."""
        self.told += [f"{topic}: {part.user}" for event in events for part in event.parts]

    def late(self, topic: str, changes: int) -> None:
        """Changes are not applied."""
        self.told.append(f"{topic}: {changes} late")

    def ignored(self, topic: str, events: int) -> None:
        """Events cause nothing."""
        self.told.append(f"{topic}: {events} ignored")

    def unusable(self, topic: str, event: Unusable) -> None:
        """A record goes to the dead letters."""
        self.told.append(f"{topic}: {event.cause}")

    def too_many_dead_letters(self, reason: str) -> None:
        """Reading stops."""
        self.told.append(reason)

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A key is not the user."""
        self.told.append(f"{topic}: the key is not {user_id}")

    def take(
        self, *values: bytes, start: int | None = None, key: bytes | None = None, timestamp: int = 0
    ) -> int:
        """Take in records with these values, which follow what was read."""
        first = self.read_position if start is None else start
        records = [Given(*KEY, first + index, value, key, timestamp) for index, value in enumerate(values)]
        return self.intake.take(self.tenure, KEY, records)

    @property
    def read_position(self) -> int:
        """What is read next."""
        return self.tenure.ownership.partitions[KEY].ledger.read_position

    @property
    def settled_position(self) -> int:
        """What may be committed."""
        return self.tenure.ownership.partitions[KEY].ledger.settled_position


def _translate(topic: str, record: RecordBytes) -> Translation:
    assert topic == KEY.topic
    match record.value:
        case b"ignored":
            return Ignored("the rules wish so")
        case b"alice and bob":
            parts = (UserId("alice"), UserId("bob"))
            return TranslatedMany(tuple(Translated(user, (AddTag("a"),), False, None) for user in parts))
        case b"broken" | None:
            return Unusable(Cause.UNREADABLE, "no JSON")
        case bytes() as value:
            user, _, seconds = value.decode().partition("@")
            at = float(seconds) if seconds else None
            return Translated(UserId(user), (AddTag("a"),), urgent=value == b"urgent", event_seconds=at)


def test_each_record_becomes_what_the_rules_say() -> None:
    """What causes nothing is settled at once; what can't be read holds its position until it is buried."""
    way_in = WayIn()

    assert way_in.take(b"ignored", b"broken", b"alice") == 3

    assert way_in.told == ["events: unreadable", "events: alice", "events: 1 ignored"]
    assert (way_in.read_position, way_in.settled_position) == (3, 1)
    [(position, event, mark)] = way_in.buried
    assert (position, event.cause) == (1, Cause.UNREADABLE)
    mark.settle()
    assert way_in.settled_position == 2


def test_the_age_of_a_change_is_its_records_own() -> None:
    """So that after an outage everybody is ready at once."""
    way_in = WayIn()
    way_in.take(b"alice", timestamp=int((way_in.clock() - TIMES.longest_wait_seconds) * 1000))
    way_in.take(b"bob", timestamp=-1)
    debouncer = way_in.tenure.debouncer
    debouncer.advance(way_in.clock())

    assert list(debouncer.cut(Endpoint.ADD_TAGS).parts) == ["alice"]


def test_a_late_event_changes_nothing_and_holds_no_position() -> None:
    """Where the events' own times decide; what has none takes no part in it."""
    way_in = WayIn()
    way_in.by_event_time = True
    now = int(way_in.clock() * 1000)
    assert way_in.take(b"alice@900", b"alice@800", b"alice", timestamp=now) == 3
    assert way_in.told == ["events: 1 late", "events: alice", "events: alice", "events: alice"]

    way_in.tenure.debouncer.drain(way_in.clock())
    way_in.tenure.debouncer.cut(Endpoint.ADD_TAGS)
    way_in.tenure.debouncer.settle(UserId("alice"), way_in.clock())
    assert way_in.take(b"alice@850", timestamp=now) == 1
    assert len(way_in.tenure.debouncer) == 0, "late also when nothing waits any more"
    assert way_in.settled_position == way_in.read_position == 4


def test_a_time_in_the_future_counts_as_the_records_own() -> None:
    """Else one wrong clock would keep a user from all that comes until then."""
    way_in = WayIn()
    way_in.by_event_time = True
    way_in.take(b"alice@999999", timestamp=900_000)
    way_in.take(b"alice@950", timestamp=960_000)

    assert "events: 1 late" not in way_in.told


def test_what_is_known_of_times_ends_with_the_assignment() -> None:
    """What is read again is read in the log's order, and all of it is applied again."""
    way_in = WayIn()
    way_in.by_event_time = True
    way_in.take(b"alice@900", timestamp=990_000)
    way_in.tenure = a_tenure(way_in.clock())
    way_in.take(b"alice@800", timestamp=990_000)

    assert "events: 1 late" not in way_in.told


def test_the_log_decides_where_no_source_says_otherwise() -> None:
    """Its order is certain, and clocks are not."""
    way_in = WayIn()
    way_in.take(b"alice@900", b"alice@800", timestamp=990_000)

    assert "events: 1 late" not in way_in.told


def test_a_key_that_is_not_the_user_is_told() -> None:
    """The order of his changes is not certain then. A record without a key says nothing."""
    way_in = WayIn()
    way_in.take(b"alice", key=b"alice")
    way_in.take(b"alice", key=None)
    assert not any("key" in told for told in way_in.told)

    way_in.take(b"alice", key=b"bob")

    assert "events: the key is not alice" in way_in.told


def test_an_event_of_several_users_is_settled_with_the_last_of_them() -> None:
    """Read again, it concerns all of them; so its position may be committed only when none is waiting."""
    way_in = WayIn()

    assert way_in.take(b"alice and bob", key=b"alice") == 1

    assert way_in.told == ["events: the key is not bob", "events: alice", "events: bob"]
    debouncer = way_in.tenure.debouncer
    assert len(debouncer) == 2
    way_in.clock.advance(seconds=TIMES.longest_wait_seconds)
    debouncer.advance(way_in.clock())
    assert list(debouncer.cut(Endpoint.ADD_TAGS).parts) == ["alice", "bob"]
    assert (way_in.read_position, way_in.settled_position) == (1, 0)
    debouncer.settle(UserId("alice"), way_in.clock())
    assert way_in.settled_position == 0
    debouncer.settle(UserId("bob"), way_in.clock())
    assert way_in.settled_position == 1


def test_above_what_is_reserved_the_rest_of_a_batch_waits() -> None:
    """A hard gate: no batch overshoots it."""
    way_in = WayIn()
    ownership = an_ownership(bounds=BOUNDS, now=way_in.clock())
    ownership.accepted(ownership.commit(way_in.clock()), sent_at=way_in.clock())
    way_in.tenure = Tenure(ownership, TIMES)

    assert way_in.take(*[b"alice"] * 40) == 25
    assert way_in.take(*[b"alice"] * 15) == 0

    ownership.accepted(ownership.commit(way_in.clock()), sent_at=way_in.clock())
    assert way_in.take(*[b"alice"] * 15) == 15


def test_a_gap_in_the_log_is_followed_to_the_record_behind_it() -> None:
    """What was taken back, or compacted away, is no record to wait for: it must not last as long as the gate."""
    way_in = WayIn()
    far = 1_000_000
    ownership = an_ownership(bounds=BOUNDS, now=way_in.clock())
    way_in.tenure = Tenure(ownership, TIMES)
    ownership.accepted(ownership.commit(way_in.clock()), sent_at=way_in.clock())
    assert way_in.take(b"alice", start=far) == 0
    assert ownership.wants_commit()
    ownership.accepted(ownership.commit(way_in.clock()), sent_at=way_in.clock())
    assert way_in.take(b"alice", start=far) == 1


def test_a_flood_of_unusable_events_stops_the_reading_until_they_can_be_used_again() -> None:
    """A rule that no longer fits its events must not drain the stream."""
    way_in = WayIn(most_dead_letters=3)

    assert way_in.take(*[b"broken"] * 10) == 3
    assert way_in.intake.full(way_in.tenure)
    assert way_in.told[-1].startswith("more than 3 dead letters a minute")
    assert len(way_in.buried) == 3

    way_in.clock.advance(seconds=5.0)
    assert way_in.take(*[b"broken"] * 7) == 1
    way_in.clock.advance(seconds=10.0)
    assert way_in.take(*[b"alice"] * 200) == 200
    assert not way_in.intake.full(way_in.tenure)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_bound_on_the_whole_lets_nothing_in(stopped: bool) -> None:
    """Too many users wait, or something forbids to read on."""
    way_in = WayIn(most_users=1000 if stopped else 3)
    assert way_in.take(*(b"user-%d" % number for number in range(3))) == 3
    way_in.stopped = stopped

    assert way_in.intake.full(way_in.tenure)
    assert way_in.take(b"alice") == 0


def test_reading_goes_on_at_the_low_mark() -> None:
    """No flutter at the edge: a partition that is paused is not resumed for one user."""
    way_in = WayIn(most_users=10)
    way_in.take(*(b"user-%d" % number for number in range(10)))
    debouncer = way_in.tenure.debouncer
    full = []
    for number in range(3):
        full.append(way_in.intake.full(way_in.tenure))
        del debouncer._users[UserId(f"user-{number}")]
    full.append(way_in.intake.full(way_in.tenure))

    assert full == [True, True, True, False]


def test_a_record_that_wants_a_schema_waits_and_all_behind_it() -> None:
    """A registry that is down must neither lose a record nor let a later one overtake it."""
    way_in = WayIn()

    assert way_in.take(b"alice", b"schema", b"bob") == 1
    assert way_in.take(b"schema", b"bob") == 0
    assert way_in.wanted == [Wanting(7), Wanting(7)]
    assert way_in.settled_position <= way_in.read_position == 1

    way_in.schemas.add(7)
    assert way_in.take(b"schema", b"bob") == 2
    assert way_in.buried == []
