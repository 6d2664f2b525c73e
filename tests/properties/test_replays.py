"""Letters replayed at any moment, between crashes and newer events: every user ends as the log says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)
from audience_sync.core.event import Cause, Translated, TranslatedMany, Translation, Unusable
from audience_sync.core.folding import Folded, changes_of, folded
from audience_sync.core.guard import Guard
from audience_sync.core.hold import start_from
from audience_sync.core.ledger import Mark
from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.replay import left_of, said_since
from audience_sync.core.replay_ledger import ReplayLedger, ReplayMark
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import Refusal
from audience_sync.events import replays
from audience_sync.events.dead_letters import (
    DeadLetter,
    changes_told,
    refused_letter,
    told_changes,
    unusable_letter,
)
from audience_sync.events.intake import Intake, Record
from audience_sync.events.replay_evidence import beginnings_of
from audience_sync.events.replays import LookedBelow, Replay, Replays
from tests.properties.histories import State, attribute_changes, changes, states, tag_changes
from tests.support.clock import FakeClock
from tests.support.kafka_client import Record as Given
from tests.support.tenures import TIMES

USERS: Final = [UserId(name) for name in ("alice", "bob")]
ATTRIBUTES, TAGS, REPLAYS = (PartitionKey(topic, 0) for topic in ("attributes", "tags", "replays"))
KEYS: Final = (ATTRIBUTES, TAGS, REPLAYS)
BOUNDS: Final = Bounds(lease_seconds=3.0, request_timeout_seconds=3.5, max_unsettled_records=1000)
TAKEOVER_SECONDS: Final = 10.0
"""A little more than the wait after an owner who did not end clean."""
REFUSED: Final = Refusal(code=70107, info="unknown", again=False)


@given(states, st.lists(changes, max_size=8), st.lists(changes, max_size=8))
@settings(max_examples=500, deadline=None)
def test_what_is_left_of_older_changes_can_be_said_after_newer_ones(
    state: State, older: list[Change], newer: list[Change]
) -> None:
    """As if both had come in order: a replay neither loses a word nor overrules one."""
    left = left_of(folded(older), folded(newer))

    assert state.copy().apply(newer).apply(left.changes()) == state.copy().apply(older).apply(newer)
    assert state.copy().apply(older).apply(newer).apply(left.changes()) == state.copy().apply(older).apply(
        newer
    ), "a repeat changes nothing more"


@given(states, st.lists(changes, max_size=8), st.lists(changes, max_size=8))
@settings(max_examples=500, deadline=None)
def test_what_went_out_too_late_is_set_right_by_what_was_said_since(
    state: State, older: list[Change], newer: list[Change]
) -> None:
    """The newer word again: the user ends as if both had come in order."""
    since = said_since(folded(older), folded(newer))

    assert state.copy().apply(newer).apply(older).apply(since.changes()) == state.copy().apply(older).apply(
        newer
    )


class Comes(msgspec.Struct, frozen=True):
    """An event of a user. One that is unreadable can be read once the rules are corrected."""

    user: int
    changes: tuple[Change, ...]
    readable: bool


class Reads(msgspec.Struct, frozen=True):
    """Records of one topic are taken in."""

    topic: int
    most: int


class Leaves(msgspec.Struct, frozen=True):
    """A request is cut, if somebody is ready."""

    choice: int


class Ends(msgspec.Struct, frozen=True):
    """A request ends for each user: confirmed, refused, or unknown and maybe applied."""

    ends: tuple[str, str]


class Passes(msgspec.Struct, frozen=True):
    """Time passes."""

    seconds: float


class Commits(msgspec.Struct, frozen=True):
    """What is settled is committed."""


class Dies(msgspec.Struct, frozen=True):
    """The replica dies; the next one reads again. What was under way is applied or not."""

    applied: bool
    corrected: bool
    seconds: float


class Works(msgspec.Struct, frozen=True):
    """All goes its way for a while: records are read, but of one topic, and what waits is sent and ends."""

    but: int
    ends: tuple[str, str]


class Asks(msgspec.Struct, frozen=True):
    """Somebody replays a letter."""

    letter: int


Step = Comes | Reads | Leaves | Ends | Passes | Commits | Works | Dies | Asks

event_changes = st.lists(attribute_changes, min_size=1, max_size=2) | st.lists(
    tag_changes, min_size=1, max_size=3
)
end = st.sampled_from(["confirmed", "refused", "refused", "applied", "lost"])
steps: Final[st.SearchStrategy[Step]] = st.one_of(
    st.builds(Comes, st.integers(0, 1), event_changes.map(tuple), st.sampled_from([True, True, True, False])),
    st.builds(Reads, st.integers(0, 2), st.integers(1, 4)),
    st.builds(Works, st.integers(0, 3), st.tuples(end, end)),
    st.builds(Works, st.integers(2, 3), st.just(("confirmed", "confirmed"))),
    st.builds(Leaves, st.integers(0, 4)),
    st.builds(Ends, st.tuples(end, end)),
    st.builds(Passes, st.floats(0.0, 6.0)),
    st.builds(Asks, st.integers(0, 5)),
    st.builds(Commits),
    st.builds(Dies, st.booleans(), st.booleans(), st.sampled_from([TAKEOVER_SECONDS] * 3 + [1000.0])),
)
histories: Final = st.lists(steps, max_size=30) | st.lists(steps, min_size=30, max_size=80)


@dataclass
class Asked:
    """A letter that somebody replayed: what it said then, and where its record stands."""

    letter: DeadLetter
    user: UserId
    words: Folded
    position: int
    looked_below: dict[PartitionKey, int]


@dataclass
class World:
    """The log, the API, the dead letters, one replica after another, and who replays.

    at_once: a replay is read as soon as it is written, if it may be, so that nothing can be settled that nobody
    looked at: then nobody looks again.
    """

    api: dict[UserId, State]
    at_once: bool
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.truth = {user: state.copy() for user, state in self.api.items()}
        self.events: list[Comes] = []
        self.log: dict[PartitionKey, list[bytes]] = {key: [] for key in KEYS}
        self.written_at: dict[PartitionKey, list[float]] = {key: [] for key in KEYS}
        self.committed: dict[PartitionKey, tuple[int, str]] = {}
        self.letters: dict[str, DeadLetter] = {}
        self.asked: list[Asked] = []
        self.under_way: Request | None = None
        self.corrected = False
        self.intake = Intake(
            translation=lambda topic: lambda record: self.translate(topic, record.value),
            by_event_time=lambda _: False,
            want=lambda _: None,
            bury=self._bury,
            stopped=lambda: False,
            guard=Guard(most_per_minute=100_000),
            max_waiting_users=1000,
            clock=self.clock,
            watch=self,
            replays=Replays(
                REPLAYS.topic,
                bury=self._bury,
                give_back=self._give_back,
                watch=self,
            ),
        )
        self.tenure = self._begin()

    # the replica

    def _begin(self) -> Tenure:
        starts = {
            key: start_from(
                committed=self.committed.get(key), beginning=0, end=len(self.log[key]), bound=1000
            )
            for key in KEYS
        }
        ownership = Ownership(
            epoch=1,
            starts=starts,
            topics=[key.topic for key in KEYS],
            bounds=BOUNDS,
            now=self.clock(),
            replay_topic=REPLAYS.topic,
        )
        return Tenure(ownership, TIMES)

    def translate(self, topic: str, value: bytes | None) -> Translation:
        """What an event says; nothing while it is unreadable."""
        event = self.events[int(value or b"")]
        assert topic == _topic_of(event).topic
        if not event.readable and not self.corrected:
            return Unusable(Cause.UNKNOWN_TYPE, "no rule")
        return Translated(USERS[event.user], event.changes, urgent=False, event_seconds=None)

    def take(self, step: Step) -> None:
        """Let *step* happen."""
        match step:
            case Comes(user, said):
                self.events.append(step)
                self.append(_topic_of(step), b"%d" % (len(self.events) - 1))
                self.truth[USERS[user]].apply(said)
            case Reads(topic, most):
                self.read(KEYS[topic], most)
            case Leaves(choice):
                self.leave(choice)
            case Ends(ends):
                self.end(dict(zip(USERS, ends, strict=True)))
            case Passes(seconds):
                self.clock.advance(seconds)
            case Commits():
                self.commit()
            case Works(but, ends):
                self.work(KEYS[:but] + KEYS[but + 1 :], ends)
            case Dies(applied, corrected, seconds):
                self.die(applied=applied, corrected=corrected, seconds=seconds)
            case Asks(number) if self.letters:
                self.ask(sorted(self.letters)[number % len(self.letters)])
            case _:
                pass

    def append(self, key: PartitionKey, value: bytes) -> None:
        """Write a record."""
        self.log[key].append(value)
        self.written_at[key].append(self.clock())

    def read(self, key: PartitionKey, most: int) -> None:
        """Take in the next records."""
        start = self.tenure.ownership.partitions[key].ledger.read_position
        values = self.log[key][start : start + most]
        records = [
            Given(*key, position, value, timestamp=int(self.written_at[key][position] * 1000))
            for position, value in enumerate(values, start)
        ]
        self.intake.take(self.tenure, key, records)

    def leave(self, choice: int) -> None:
        """Cut a request; one at a time is enough here."""
        debouncer = self.tenure.debouncer
        debouncer.advance(self.clock())
        ready = [endpoint for endpoint in Endpoint if debouncer.ready.waiting(endpoint)]
        if ready and self.under_way is None:
            self.under_way = debouncer.cut(ready[choice % len(ready)])

    def end(self, ends: dict[UserId, str]) -> None:
        """End the request under way."""
        request, self.under_way = self.under_way, None
        if request is None:
            return
        debouncer, now = self.tenure.debouncer, self.clock()
        for user, part in request.parts.items():
            if ends[user] in ("confirmed", "applied"):
                self.api[user].apply(changes_of(request.endpoint, part))
            if ends[user] == "refused":
                letter = refused_letter(
                    user_id=user,
                    changes=changes_of(request.endpoint, part),
                    marks=debouncer.marks_of(user),
                    cause="refused_user",
                    refusal=REFUSED,
                    now=now,
                )
                assert letter.origins, "a letter that tells no origin"
                assert all(origin.topic != REPLAYS.topic for origin in letter.origins)
                self.letters[letter.id] = letter
            if ends[user] in ("confirmed", "refused"):
                debouncer.settle(user, now)
            else:
                debouncer.came_back(request, user, not_before=now + 3.0)

    def commit(self) -> None:
        """Commit, and open what may be sent for."""
        ownership, now = self.tenure.ownership, self.clock()
        commit = ownership.commit(now)
        self.committed = {key: (position, note.text()) for key, (position, note) in commit.entries.items()}
        ownership.accepted(commit, sent_at=now)
        self.tenure.debouncer.release(now)

    def work(self, keys: Sequence[PartitionKey], ends: Sequence[str]) -> None:
        """Read, commit, send what waits, and let it end."""
        for key in keys:
            self.read(key, 1000)
        self.commit()
        self.clock.advance(20.0)
        for choice in range(len(Endpoint)):
            self.leave(choice)
            self.end(dict(zip(USERS, ends, strict=True)))

    def die(self, *, applied: bool, corrected: bool, seconds: float) -> None:
        """Lose all but what was committed, and begin again."""
        if self.under_way is not None and applied:
            for user, part in self.under_way.parts.items():
                self.api[user].apply(changes_of(self.under_way.endpoint, part))
        self.under_way = None
        self.corrected = self.corrected or corrected
        self.tenure = self._begin()
        self.clock.advance(seconds)

    def _bury(self, key: PartitionKey, record: Record, event: Unusable, mark: Mark) -> None:
        assert key != REPLAYS, event
        [origin] = mark.origins
        letter = unusable_letter(record, origin=origin, cause=event.cause, info=event.info, now=self.clock())
        self.letters[letter.id] = letter
        mark.settle()

    def _give_back(self, replay: Replay, event: Unusable, mark: Mark) -> None:
        self.letters[replay.id] = replay.letter(cause=event.cause, info=event.info, now=self.clock())
        mark.settle()

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Counted."""

    def late(self, topic: str, changes: int) -> None:
        """Nobody orders by time here."""

    def ignored(self, topic: str, events: int) -> None:
        """Counted."""

    def unusable(self, topic: str, event: Unusable) -> None:
        """Counted."""

    def too_many_dead_letters(self, reason: str) -> None:
        """There never are."""
        raise AssertionError(reason)

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """No key is."""

    # who replays

    def ask(self, letter_id: str) -> None:
        """Replay a letter: look through the log for newer events, and write what was found beside it."""
        letter = self.letters[letter_id]
        if letter.user is None:
            index = letter.origins[0].position
            event = self.translate(letter.origins[0].topic, self.log[_key(letter)][index])
            if isinstance(event, Unusable):
                return
            assert isinstance(event, Translated)
            user, words = event.user, folded(event.changes)
        else:
            user, words = UserId(letter.user), folded(changes_told(letter.changes))
        newer, looked_below = self._look(user, beginnings_of(letter))
        self._write(letter, user, left_of(words, newer), looked_below)

    def _look(self, user: UserId, since: dict[PartitionKey, int]) -> tuple[Folded, dict[PartitionKey, int]]:
        found: list[Change] = []
        for key, start in since.items():
            for value in self.log[key][start:]:
                event = self.translate(key.topic, value)
                if isinstance(event, Translated) and event.user == user:
                    found += event.changes
        return folded(found), {key: len(self.log[key]) for key in since}

    def _write(
        self,
        letter: DeadLetter,
        user: UserId,
        words: Folded,
        looked_below: dict[PartitionKey, int],
    ) -> None:
        if not words:
            return
        replay = Replay(
            id=letter.id,
            user=user,
            changes=told_changes(words.changes()),
            origins=letter.origins,
            looked_below=[LookedBelow(*key, position) for key, position in looked_below.items()],
        )
        self.asked.append(Asked(letter, user, words, len(self.log[REPLAYS]), looked_below))
        self.append(REPLAYS, msgspec.json.encode(replay))
        if self.at_once:
            self.read(REPLAYS, 1000)
            if self.tenure.ownership.partitions[REPLAYS].ledger.read_position == len(self.log[REPLAYS]):
                self.asked.pop()

    def look_again(self) -> None:
        """Once replays are settled: what came meanwhile may have gone out before them; then it is said again."""
        asked, self.asked = self.asked, []
        for each in asked:
            newer, looked_below = self._look(each.user, each.looked_below)
            self._write(each.letter, each.user, said_since(each.words, newer), looked_below)

    # the end

    def drain(self) -> None:
        """Read everything, and let everything be confirmed and committed."""
        for _ in range(100):
            self.work(KEYS, ["confirmed"] * len(USERS))
            if all(self.committed[key][0] == len(self.log[key]) for key in KEYS) and not len(
                self.tenure.debouncer
            ):
                return
        raise AssertionError(f"it never ends: {self.committed}")


def _topic_of(event: Comes) -> PartitionKey:
    return ATTRIBUTES if isinstance(event.changes[0], SetAttribute | RemoveAttribute) else TAGS


def _key(letter: DeadLetter) -> PartitionKey:
    return PartitionKey(letter.origins[0].topic, letter.origins[0].partition)


def test_what_is_newer_than_two_events_of_one_partition_begins_at_the_first() -> None:
    """A replayed letter whose words were folded with newer ones, and refused again, stands for both."""
    history: list[Step] = [
        Comes(0, (SetAttribute("city", "1"),), readable=True),
        Comes(0, (RemoveAllTags(), AddTag("stock:1")), readable=True),
        Works(0, ("refused", "confirmed")),
        Asks(1),
        Comes(0, (SetAttribute("city", "1"),), readable=True),
        Comes(0, (AddTag("stock:0"),), readable=True),
        Comes(0, (RemoveTag("stock:0"),), readable=True),
        Works(0, ("refused", "confirmed")),
    ]
    check(State({}, set()), history, at_once=True)


def check(state: State, history: Sequence[Step], *, at_once: bool) -> None:
    """Let *history* happen; then correct the rules, replay every letter that is left, and look at every user."""
    world = World({user: state.copy() for user in USERS}, at_once)
    world.commit()
    for step in history:
        world.take(step)
    world.die(applied=False, corrected=True, seconds=TAKEOVER_SECONDS)
    world.drain()
    world.look_again()
    for letter_id in sorted(world.letters):
        world.ask(letter_id)
    world.drain()
    while world.asked:
        world.look_again()
        world.drain()
    assert world.api == world.truth


@given(states, histories)
@settings(max_examples=300, deadline=None)
def test_replayed_letters_leave_every_user_as_the_log_says(state: State, history: list[Step]) -> None:
    """Whatever is refused, crashes, comes late or is replayed twice meanwhile."""
    check(state, history, at_once=True)


@given(states, histories)
@settings(max_examples=300, deadline=None)
def test_a_replay_that_is_read_late_is_set_right_by_a_second_look(state: State, history: list[Step]) -> None:
    """Newer events that were settled between the look at the log and the reading of the replay are said again."""
    check(state, history, at_once=False)


SILVER, GOLD = (SetAttribute("tier", value) for value in "12")

STUCK: Final[list[Step]] = [
    Comes(1, (SILVER,), True),
    Comes(0, (SILVER,), True),
    Works(3, ("refused", "refused")),
    Asks(1),
    Asks(0),
    Comes(0, (GOLD,), True),
    Works(3, ("confirmed", "lost")),
    Commits(),
    Dies(applied=False, corrected=False, seconds=TAKEOVER_SECONDS),
]

LATE: Final[list[Step]] = [
    Comes(0, (SILVER,), True),
    Works(3, ("refused", "confirmed")),
    Asks(0),
    Comes(0, (GOLD,), True),
    Works(2, ("confirmed", "confirmed")),
    Works(3, ("confirmed", "confirmed")),
    Commits(),
]


def test_what_a_replay_lost_against_is_known_again_after_a_crash() -> None:
    """Bob's replay is stuck, so alice's is read again after a crash; her newer event must be, too.

    Its position is settled. Were it committed, her replay would meet nobody who knows of it.
    """
    check(State(), STUCK, at_once=True)


def test_an_event_that_was_settled_before_its_replay_was_read_is_said_again() -> None:
    """Nobody knows of it when the replay is taken in; whoever replays looks again."""
    check(State(), LATE, at_once=False)


def _anchor_nothing(self: ReplayLedger, position: int, at: float) -> ReplayMark:
    mark = ReplayMark(self, position, at, anchors=[])
    self._marks.append(mark)
    return mark


def _let_anchors_stand(self: ReplayMark) -> None:
    Mark.settle(self)


def _know_nothing(_: object) -> Folded:
    return Folded()


def _look_once(self: "World") -> None:
    self.asked.clear()


@pytest.mark.parametrize(
    ("owner", "name", "mistake"),
    [
        (ReplayLedger, "mark", _anchor_nothing),
        (ReplayMark, "settle", _let_anchors_stand),
        (replays, "known_of", _know_nothing),
        (World, "look_again", _look_once),
    ],
    ids=["no anchors", "anchors stay", "nothing known", "one look"],
)
def test_a_planted_mistake_is_seen(
    owner: object, name: str, mistake: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These tests can fail: each promise that replays rest on, broken once."""
    monkeypatch.setattr(owner, name, mistake)

    @given(states, histories)
    @settings(max_examples=500, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    def search(state: State, history: list[Step]) -> None:
        check(state, history, at_once=True)

    def all_histories() -> None:
        check(State(), STUCK, at_once=True)
        check(State(), LATE, at_once=False)
        search()

    with pytest.raises(AssertionError):
        all_histories()
