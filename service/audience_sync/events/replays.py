"""Letters that are replayed: how they travel, and how they are taken in again."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from audience_sync.core.changes import Change, UserId
from audience_sync.core.event import Cause, Ignored, Translated, Unusable
from audience_sync.core.folding import folded
from audience_sync.core.ledger import Mark, Origin
from audience_sync.core.limits import broken_limit
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.replay import is_outrun, known_of, left_of, replays_of
from audience_sync.core.replay_ledger import ReplayLedger, ReplayMark
from audience_sync.core.tenure import Tenure
from audience_sync.events.dead_letters import DeadLetter, changes_told
from audience_sync.events.intake import Record


class LookedBelow(msgspec.Struct, frozen=True):
    """Below this position of a partition the log was looked through for newer events."""

    topic: str
    partition: int
    position: int


class Replay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is still to be said of a dead letter, on its way back. Encoded as JSON.

    id, origins: as in the letter.
    changes: what it says of the user, but for what newer events say otherwise.
    looked_below: how far those events were looked for. Empty: not at all.
    """

    v: int = 1
    id: str
    user: str
    changes: list[list[str]]
    origins: list[Origin]
    looked_below: list[LookedBelow] = []

    def letter(self, *, cause: str, info: str, now: float) -> DeadLetter:
        """The letter again, with the reason why it is one still."""
        mine = f"{self.user}@"  # of a record that concerned several users, each has a letter of his own
        return DeadLetter(
            id=self.id if self.id.startswith(mine) else mine + self.id,
            cause=cause,
            info=info,
            user=self.user,
            changes=self.changes,
            origins=self.origins,
            given_up_at=now,
        )


class Watch(Protocol):
    """What an operator gets to see of replays: they are counted like events."""

    def translated(self, topic: str, events: Sequence[Translated]) -> None:
        """Letters have caused changes."""

    def ignored(self, topic: str, events: int) -> None:
        """Nothing of so many letters is left to be said: newer changes are known."""

    def unusable(self, topic: str, event: Unusable) -> None:
        """A letter goes back to the dead letters."""


class Replays:
    """Takes in letters that are replayed, as older than all that is known of their users.

    topic: what they are read from.
    bury: keeps a record that is no replay; give_back: keeps a letter that can't be taken in.
    """

    def __init__(
        self,
        topic: str,
        *,
        bury: Callable[[PartitionKey, Record, Unusable, Mark], None],
        give_back: Callable[[Replay, Unusable, Mark], None],
        watch: Watch,
    ) -> None:
        self.topic = topic
        self._bury = bury
        self._give_back = give_back
        self._watch = watch

    def take(
        self, tenure: Tenure, key: PartitionKey, record: Record, now: float, may_bury: Callable[[], bool]
    ) -> bool:
        """Take in one record of the topic. Returns whether it was: one that *may_bury* keeps back must wait."""
        ledger = tenure.ownership.partitions[key].ledger
        assert isinstance(ledger, ReplayLedger), f"{key.topic} is not the topic of replays"
        at = record.timestamp / 1000 if record.timestamp > 0 else now
        replay = read_replay(record.value)
        event = (
            replay
            if isinstance(replay, Unusable)
            else _as_older(replay, tenure, key.number, age_seconds=now - at)
        )
        match event:
            case Translated(user, changes):
                assert isinstance(replay, Replay)
                tenure.debouncer.add(user, changes, ledger=ledger, position=record.offset, at=at, now=now)
                _label(replays_of(tenure.debouncer.user(user)), record.offset, replay, changes)
                self._watch.translated(key.topic, [event])
            case Unusable():
                if not may_bury():
                    return False
                self._watch.unusable(key.topic, event)
                mark = ledger.mark(record.offset, at)
                if isinstance(replay, Replay):
                    self._give_back(replay, event, mark)
                else:
                    self._bury(key, record, event, mark)
            case Ignored():
                self._watch.ignored(key.topic, 1)
        return True


def _as_older(
    replay: Replay, tenure: Tenure, number: int, *, age_seconds: float
) -> Translated | Ignored | Unusable:
    """What is left to be said of *replay*, which is older than all that is known of its user."""
    user = UserId(replay.user)
    looked_below = {PartitionKey(look.topic, look.partition): look.position for look in replay.looked_below}
    if is_outrun(looked_below, tenure.ownership.forgotten_below(number), age_seconds=age_seconds):
        return Unusable(Cause.OUTRUN, OUTRUN)
    newer = known_of(tenure.debouncer.user(user))
    left = tuple(left_of(folded(changes_told(replay.changes)), newer).changes())
    for change in left:
        if (broken := broken_limit(user, change)) is not None:
            return Unusable(Cause.BROKEN_LIMIT, broken)
    if not left:
        return Ignored("newer events say otherwise")
    return Translated(user, left, urgent=False, event_seconds=None)


def _label(marks: Sequence[ReplayMark], position: int, replay: Replay, changes: Iterable[Change]) -> None:
    """Let the mark that was made for *replay*, or those that cover it, tell where its events stood once."""
    for mark in [mark for mark in marks if mark.position == position] or marks:
        mark.stand_for(replay.origins, folded(changes))


OUTRUN: Final = (
    "it was read so late that newer events of its user may have been settled since the log was looked through; "
    "replay it again"
)


def read_replay(value: bytes | None) -> Replay | Unusable:
    """A record of the topic of replays, or why it is none. Never raises."""
    try:
        replay = _DECODER.decode(value or b"")
        changes_told(replay.changes)
    except (ValueError, RecursionError) as error:  # what is no JSON or of another shape is a ValueError too
        return Unusable(Cause.UNREADABLE, f"it is no replay: {error}")
    if replay.v != 1 or not replay.id or not replay.origins:
        return Unusable(Cause.UNREADABLE, "it is no replay of version 1, or tells no id or origin")
    return replay


_DECODER: Final = msgspec.json.Decoder(Replay)
