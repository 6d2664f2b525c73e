"""Letters that are replayed: as older than all that is known, and never lost."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
import pytest

from audience_sync.core.changes import AddTag, Change, Endpoint, SetAttribute, UserId
from audience_sync.core.event import Cause, Ignored, Translated, TranslatedMany, Translation, Unusable
from audience_sync.core.guard import Guard
from audience_sync.core.ledger import Mark, Origin
from audience_sync.core.ownership import Ownership, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import Refusal
from audience_sync.events.dead_letters import DeadLetter, refused_letter, told_changes
from audience_sync.events.intake import Intake, Record
from audience_sync.events.replays import LookedBelow, Replay, Replays, read_replay
from audience_sync.formats import Record as RecordBytes
from tests.support.clock import FakeClock
from tests.support.kafka_client import Record as Given
from tests.support.tenures import BOUNDS, FROM_THE_BEGINNING, TIMES

ALICE: Final = UserId("alice")
EVENTS, REPLAYS = PartitionKey("events", 0), PartitionKey("replays", 0)
SILVER, GOLD = (SetAttribute("tier", value) for value in ("silver", "gold"))
ORIGIN: Final = Origin("events", 0, 7, 500.0)


class WayIn:
    """An intake with a topic of replays, and what it has told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        ownership = Ownership(
            epoch=1,
            starts=dict.fromkeys((EVENTS, REPLAYS), FROM_THE_BEGINNING),
            topics=["events", "replays"],
            bounds=BOUNDS,
            now=self.clock(),
            replay_topic="replays",
        )
        ownership.accepted(ownership.commit(self.clock()), sent_at=self.clock())
        self.tenure = Tenure(ownership, TIMES)
        self.guard = Guard(most_per_minute=100)
        self.told: list[str] = []
        self.buried: list[tuple[PartitionKey, Record, Unusable, Mark]] = []
        self.given_back: list[tuple[Replay, Unusable, Mark]] = []
        self.intake = Intake(
            translation=lambda topic: partial(_translate, topic),
            by_event_time=lambda _: False,
            want=lambda wanting: self.told.append(str(wanting)),
            bury=lambda *told: self.buried.append(told),
            stopped=lambda: False,
            guard=self.guard,
            max_waiting_users=1000,
            clock=self.clock,
            watch=self,
            replays=Replays(
                "replays",
                bury=lambda *told: self.buried.append(told),
                give_back=lambda *told: self.given_back.append(told),
                watch=self,
            ),
        )

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Changes come of them."""
        self.told += [f"{topic}: {', '.join(part.user for part in event.parts)}" for event in events]

    def late(self, topic: str, changes: int) -> None:
        """Nobody orders by time here."""

    def ignored(self, topic: str, events: int) -> None:
        """Nothing is left of them."""
        self.told += [f"{topic}: ignored"] * events

    def unusable(self, topic: str, event: Unusable) -> None:
        """It goes to the dead letters."""
        self.told.append(f"{topic}: {event.cause}")

    def too_many_dead_letters(self, reason: str) -> None:
        """Reading stops."""
        self.told.append(reason)

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A key is not the user."""
        raise AssertionError(f"{topic}: nobody compares keys of {user_id} here")

    def take(self, key: PartitionKey, value: bytes | None) -> None:
        """The next record."""
        position = self.tenure.ownership.partitions[key].ledger.read_position
        record = Given(*key, position, value, timestamp=int(self.clock() * 1000))
        assert self.intake.take(self.tenure, key, [record]) == 1

    def replay(self, *changes: Change, **other: Any) -> None:
        """A letter of alice is replayed."""
        self.take(REPLAYS, msgspec.json.encode(a_replay(*changes, **other)))

    def sent(self, endpoint: Endpoint = Endpoint.SET_ATTRIBUTES) -> dict[UserId, Any]:
        """The next request, once all have waited long enough."""
        self.clock.advance(TIMES.longest_wait_seconds)
        self.tenure.debouncer.advance(self.clock())
        return dict(self.tenure.debouncer.cut(endpoint).parts)

    def settled(self, key: PartitionKey) -> int:
        """What may be committed."""
        return self.tenure.ownership.partitions[key].ledger.settled_position


def _translate(topic: str, record: RecordBytes) -> Translation:
    assert topic == "events", topic
    assert record.value is not None
    if record.value == b"ignored":
        return Ignored("the rules wish so")
    return Translated(ALICE, (SetAttribute("tier", record.value.decode()),), urgent=False, event_seconds=1.0)


def a_replay(*changes: Change, **other: Any) -> Replay:
    """A letter of alice on its way back."""
    given: dict[str, Any] = {
        "id": "alice@events/0/7",
        "user": ALICE,
        "changes": told_changes(changes),
        "origins": [ORIGIN],
    }
    return Replay(**given | other)


def test_a_letter_waits_and_leaves_like_an_event() -> None:
    """Through the same folding; until it is settled neither its position nor what is known of it is committed."""
    way_in = WayIn()
    way_in.take(EVENTS, b"ignored")
    way_in.replay(GOLD, AddTag("a"))
    way_in.take(EVENTS, b"ignored")
    assert (way_in.settled(REPLAYS), way_in.settled(EVENTS)) == (0, 1)

    assert way_in.sent(Endpoint.ADD_TAGS) == {ALICE: ["a"]}
    way_in.tenure.debouncer.settle(ALICE, way_in.clock())
    assert way_in.sent() == {ALICE: {"tier": "gold"}}
    way_in.tenure.debouncer.settle(ALICE, way_in.clock())

    assert (way_in.settled(REPLAYS), way_in.settled(EVENTS)) == (1, 2)
    assert way_in.told == ["events: ignored", "replays: alice", "events: ignored"]


@pytest.mark.parametrize("under_way", [False, True])
def test_a_newer_change_wins(under_way: bool) -> None:
    """Whether it waits or has just left; and the letter is settled at once."""
    way_in = WayIn()
    way_in.take(EVENTS, b"gold")
    if under_way:
        assert way_in.sent() == {ALICE: {"tier": "gold"}}

    way_in.replay(SILVER)

    assert way_in.told[-1] == "replays: ignored"
    assert way_in.settled(REPLAYS) == 1
    if not under_way:
        assert way_in.sent() == {ALICE: {"tier": "gold"}}


def test_a_newer_change_that_comes_later_wins() -> None:
    way_in = WayIn()
    way_in.replay(SILVER)
    way_in.take(EVENTS, b"gold")

    assert way_in.sent() == {ALICE: {"tier": "gold"}}


def test_of_two_replays_the_later_one_wins() -> None:
    """It was written with more known."""
    way_in = WayIn()
    way_in.replay(SILVER)
    way_in.replay(GOLD)

    assert way_in.sent() == {ALICE: {"tier": "gold"}}


def test_a_letter_that_is_given_up_again_is_the_same_letter() -> None:
    """With its old origin and so with its old id: it can be recognised, and replayed again."""
    way_in = WayIn()
    way_in.replay(GOLD)
    way_in.sent()

    letter = refused_letter(
        user_id=ALICE,
        changes=[GOLD],
        marks=way_in.tenure.debouncer.marks_of(ALICE),
        cause="refused_user",
        refusal=Refusal(code=70107, info="unknown", again=False),
        now=2.0,
    )

    assert (letter.id, letter.origins) == ("alice@events/0/7#SetAttribute:tier", [ORIGIN])


def test_two_letters_that_are_given_up_together_tell_both_origins() -> None:
    way_in = WayIn()
    other = Origin("events", 0, 9, 600.0)
    way_in.replay(GOLD)
    way_in.replay(SetAttribute("city", "Shenzhen"), origins=[other])

    [mark] = way_in.tenure.debouncer.marks_of(ALICE)

    assert list(mark.origins) == [ORIGIN, other]


LONG: Final = SetAttribute("tier", "g" * 1000)
"""Sent, it would be refused, and everybody in its request with it."""


def test_a_change_that_breaks_a_limit_goes_back_and_stops_nobody_else() -> None:
    """Under its own id; its position waits until it stands in the dead letters."""
    way_in = WayIn()
    way_in.replay(LONG)

    [(replay, event, mark)] = way_in.given_back
    letter = replay.letter(cause=event.cause, info=event.info, now=3.0)
    assert letter == DeadLetter(
        id="alice@events/0/7",
        cause="broken_limit",
        info=event.info,
        user=ALICE,
        changes=told_changes([LONG]),
        origins=[ORIGIN],
        given_up_at=3.0,
    )
    assert len(way_in.tenure.debouncer) == way_in.settled(REPLAYS) == 0
    mark.settle()
    assert way_in.settled(REPLAYS) == 1


def test_a_replay_that_is_read_too_late_goes_back() -> None:
    """Events that nobody looked at were settled since; one of them could be newer."""
    way_in = WayIn()
    for _ in range(3):
        way_in.take(EVENTS, b"ignored")
    value = msgspec.json.encode(a_replay(GOLD, looked_below=[LookedBelow("events", 0, 2)]))
    record = Given(*REPLAYS, 0, value, timestamp=int(way_in.clock() * 1000))
    way_in.clock.advance(3600)
    way_in.intake.take(way_in.tenure, REPLAYS, [record])

    [(replay, event, _)] = way_in.given_back
    assert (replay.id, event.cause) == ("alice@events/0/7", Cause.OUTRUN)


def test_letters_that_can_not_be_taken_in_go_back_no_faster_than_others_go_there() -> None:
    """Where too much goes to the dead letters reading stops, whatever it is that goes there."""
    way_in = WayIn()
    way_in.guard = Guard(most_per_minute=1)
    way_in.intake._guard = way_in.guard
    way_in.replay(LONG)
    value = msgspec.json.encode(a_replay(LONG))

    record = Given(*REPLAYS, 1, value, timestamp=int(way_in.clock() * 1000))
    assert way_in.intake.take(way_in.tenure, REPLAYS, [record]) == 0

    assert len(way_in.given_back) == 1
    assert "more than 1 dead letters" in way_in.told[-1]


NO_REPLAYS: Final[list[bytes | None]] = [
    None,
    b"",
    b"[]",
    b"{}",
    b"\xff",
    b'{"id": "a", "origins": []}',
    b'{"id": "", "origins": [{"topic": "t", "partition": 0, "position": 0, "timestamp": 0}]}',
    b'{"v": 2, "id": "a", "origins": [{"topic": "t", "partition": 0, "position": 0, "timestamp": 0}]}',
    msgspec.json.encode(a_replay(GOLD, changes=[["SetAttribute", "tier"]])),
    msgspec.json.encode(a_replay(GOLD, changes=[["Rename", "tier", "level"]])),
    msgspec.json.encode(a_replay(GOLD, user=None)),
    b'{"id": ' + b"[" * 100_000,
]


@pytest.mark.parametrize("value", NO_REPLAYS)
def test_what_is_no_replay_is_a_dead_letter_of_its_own(value: bytes | None) -> None:
    """Anybody may write to the topic."""
    way_in = WayIn()
    way_in.take(REPLAYS, value)

    [(key, record, event, mark)] = way_in.buried
    assert (key, record.value, event.cause) == (REPLAYS, value, Cause.UNREADABLE)
    assert "no replay" in event.info
    mark.settle()
    assert way_in.settled(REPLAYS) == 1


def test_a_replay_is_written_as_short_as_it_can_be() -> None:
    """What it has not is not written, and is read as it was."""
    replay = a_replay(GOLD)

    assert set(msgspec.json.decode(msgspec.json.encode(replay))) == {"id", "user", "changes", "origins"}
    assert read_replay(msgspec.json.encode(replay)) == replay
