"""Which partitions are ours, until when that is certain, what of them may be read, sent and committed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from audience_sync.core.hold import Note, Start
from audience_sync.core.ledger import Ledger, Mark
from audience_sync.core.limits import SERVER_TIMEOUT_SECONDS
from audience_sync.core.replay_ledger import ReplayLedger


class PartitionKey(NamedTuple):
    """A partition: its topic and its number."""

    topic: str
    number: int


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What an assignment keeps to.

    lease_seconds: how long an accepted commit proves that the partitions are ours; counts from its sending.
    request_timeout_seconds: how long a request to the Chat API may take.
    max_unsettled_records: positions between the committed and the read one, a partition.
    """

    lease_seconds: float
    request_timeout_seconds: float
    max_unsettled_records: int


class Partition:
    """One partition of ours."""

    __slots__ = ("gate", "ledger", "start")

    def __init__(self, key: PartitionKey, start: Start) -> None:
        self.ledger = Ledger(key.topic, key.number, start.position)
        self.start = start
        self.gate = start.target
        """Records below it may be taken in: the hold's target, later what an accepted commit has reserved."""

    @property
    def reached_its_target(self) -> bool:
        """Whether all was read that the last owner may have sent."""
        return self.ledger.read_position >= self.start.target


class Commit(msgspec.Struct, frozen=True):
    """A commit to make: {partition: (position, note)}, and the numbers that may be sent for once it is accepted."""

    entries: Mapping[PartitionKey, tuple[int, Note]]
    opens: frozenset[int]


class Ownership:
    """The partitions of one assignment, from their assignment to their revocation. Moments are epoch seconds.

    A number is a partition's number over all topics: users of number 3 of one topic are the users of number 3
    of the others. So it is sent for only while we own it in every topic, when each of its partitions has been
    read up to its target, the wait after an owner who did not end clean is over, and the first commit that
    says so has been accepted.

    replay_topic: the one of *topics* that letters are replayed through. It may have fewer partitions than the
    others: a number without one is whole, and one of a number that we do not own elsewhere is not read.
    """

    def __init__(
        self,
        *,
        epoch: int,
        starts: Mapping[PartitionKey, Start],
        topics: Sequence[str],
        bounds: Bounds,
        now: float,
        replay_topic: str | None = None,
    ) -> None:
        self.epoch = epoch
        self._bounds = bounds
        self._replay_topic = replay_topic
        self.partitions = {key: Partition(key, start) for key, start in starts.items()}
        self._numbers: dict[int, list[Partition]] = {}
        for key, partition in self.partitions.items():
            self._numbers.setdefault(key.number, []).append(partition)
        for key, start in starts.items():
            if key.topic == replay_topic:
                self.partitions[key].ledger = self._replay_ledger(key, start)
        self._open: set[int] = set()
        sources = set(topics) - {replay_topic}
        whole = {
            number
            for number, owned in self._numbers.items()
            if sources <= {partition.ledger.topic for partition in owned}
        }
        wait = bounds.lease_seconds + bounds.request_timeout_seconds + SERVER_TIMEOUT_SECONDS
        self._may_open_at = {
            number: now if all(partition.start.clean for partition in self._numbers[number]) else now + wait
            for number in whole
        }
        self._lease_from: float | None = None
        self._ambiguous_at = 0.0
        self.closing = False

    @property
    def incomplete_numbers(self) -> list[int]:
        """Numbers that we do not own in every topic: neither read nor sent for. Replays alone make none."""
        of_sources = {key.number for key in self.partitions if key.topic != self._replay_topic}
        return sorted(of_sources - self._may_open_at.keys())

    @property
    def held_numbers(self) -> list[int]:
        """Numbers that may not be sent for yet."""
        return sorted(self._numbers.keys() - self._open)

    def may_send(self, marks: Sequence[Mark]) -> bool:
        """Whether the holds of all partitions that *marks* name have ended."""
        everything = len(self._open) == len(self._numbers)
        return everything or all(mark.ledger.number in self._open for mark in marks)

    def lease_valid(self, now: float) -> bool:
        """Whether it is certain that the partitions are still ours: look right before each write."""
        return (
            not self.closing
            and self._lease_from is not None
            and now < self._lease_from + self._bounds.lease_seconds
        )

    def readable_below(self, key: PartitionKey, *, full: bool) -> int:
        """The records of the partition below this position may be taken in; the others wait.

        *full*: some bound on the whole is reached. It stops every partition but those below their target:
        a hold that can't end would keep its users for ever.
        """
        partition = self.partitions[key]
        if key.number not in self._may_open_at:
            return partition.ledger.read_position
        if key.number not in self._open:
            return partition.start.target
        if full:
            return partition.ledger.read_position
        return min(partition.gate, partition.ledger.settled_position + self._bounds.max_unsettled_records)

    def forgotten_below(self, number: int) -> Mapping[PartitionKey, int]:
        """What was read of that number below these positions may be settled and forgotten.

        While nothing has been sent, that is only what was settled before.
        """
        return {
            key: partition.ledger.forgotten_below if number in self._open else partition.start.position
            for key, partition in self.partitions.items()
            if key.number == number
        }

    def ambiguous(self, now: float) -> None:
        """A request ended without a definite answer: the API may still be applying it."""
        self._ambiguous_at = now

    def opens_next(self, now: float) -> bool:
        """Whether a commit made now would end a hold."""
        return bool(self._opening(now))

    def wants_commit(self) -> bool:
        """Whether a partition has read all that the last accepted commit has reserved."""
        return any(
            key.number in self._open
            and partition.ledger.read_position >= partition.gate
            and partition.gate < partition.ledger.settled_position + self._bounds.max_unsettled_records
            for key, partition in self.partitions.items()
        )

    def commit(self, now: float, *, last: bool = False) -> Commit:
        """What to commit now. *last*: nothing will be sent any more, and nothing is in flight.

        While a number is held, its partitions' commits repeat the note that was found: this owner may die too.
        """
        opening = frozenset() if last else self._opening(now)
        clean = last and now - self._ambiguous_at >= SERVER_TIMEOUT_SECONDS
        entries: dict[PartitionKey, tuple[int, Note]] = {}
        for key, partition in self.partitions.items():
            position, read = partition.ledger.settled_position, partition.ledger.read_position
            if key.number not in self._open and key.number not in opening:
                found = partition.start.note
                entries[key] = (position, found or Note(sent_below=position, clean=True))
            elif last:
                entries[key] = (position, Note(sent_below=read, clean=clean))
            else:
                bound = self._bounds.max_unsettled_records
                ahead = max(partition.gate, min(position + bound, read + max(1, bound // 4)))
                entries[key] = (position, Note(sent_below=ahead, clean=False))
        return Commit(entries, opening)

    def accepted(self, commit: Commit, *, sent_at: float) -> None:
        """The broker has accepted *commit*, sent at that moment: the lease counts from there, and holds may end."""
        self._lease_from = sent_at
        self._open |= commit.opens
        for key, (_, note) in commit.entries.items():
            if key.number in self._open:
                self.partitions[key].gate = note.sent_below

    def ledgers(self) -> Iterable[tuple[PartitionKey, Ledger]]:
        """Each partition with its ledger."""
        return ((key, partition.ledger) for key, partition in self.partitions.items())

    def _replay_ledger(self, replays: PartitionKey, start: Start) -> ReplayLedger:
        sources = [
            partition.ledger
            for key, partition in self.partitions.items()
            if key.number == replays.number and key != replays
        ]
        return ReplayLedger(replays.topic, replays.number, start.position, sources=sources)

    def _opening(self, now: float) -> frozenset[int]:
        return frozenset(
            number
            for number, at in self._may_open_at.items()
            if number not in self._open
            and now >= at
            and all(partition.reached_its_target for partition in self._numbers[number])
        )
