"""One user's way: waiting, ready, sending (and what arrived meanwhile)."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import msgspec

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveTag,
    UserId,
)
from audience_sync.core.folding import Folded, carrier_of, folded, folded_part, part_of
from audience_sync.core.ledger import Ledger, Mark, earliest
from audience_sync.core.limits import USERS_PER_REQUEST

FEW: Final = 16
"""So many changes of a user wait as they came. Ours: most users leave with fewer, and a short list of them takes a
third of the memory that they take folded. Whoever has more is folded each time they have doubled."""


class Step(Enum):
    """Where a user with unsettled changes stands."""

    WAITING = auto()
    """for the quiet time, the longest wait, or the moment before which he may not be sent again."""
    HELD = auto()
    """ready, but a partition of his may not be sent for yet."""
    READY = auto()
    """in the queue of an endpoint."""
    SENDING = auto()
    """in the one request that may carry him."""


WAITING: Final = Step.WAITING
HELD: Final = Step.HELD
READY: Final = Step.READY
SENDING: Final = Step.SENDING
"""The steps by their names alone: they are asked for with each change."""


class Refused(msgspec.Struct, frozen=True):
    """Requests with a user are refused. Moments are epoch seconds, of the answers.

    since: when the first was. code, code_since: the code of the last one, and since when it is this one.
    """

    since: float
    code: int
    code_since: float

    def again(self, code: int, at: float) -> "Refused":
        """One more was refused."""
        return self if code == self.code else Refused(self.since, code, at)


class Round(msgspec.Struct, eq=False, gc=False):
    """What was cut from a user's changes together, and leaves in up to a dozen requests, one after another.

    A round is finite whatever arrives meanwhile, so its marks are settled in the end.

    first_at: the moment of the first event in it (epoch seconds).
    sent: what has left of it, under way or confirmed, and what need not leave.
    """

    rest: Folded
    marks: tuple[Mark, ...]
    first_at: float
    sent: list[tuple[Endpoint, Part]] = []


class User(msgspec.Struct, eq=False, gc=False):
    """One user's unsettled changes. What arrives is folded in; nothing is forgotten before it is settled.

    Nothing of it leads back to the user: he is in no cycle, and need not be looked through for one (`gc=False`).

    company: how many users a request with him may name.
    refused: since when requests with him are refused, or None: they are not.
    waiting: what is to be said of him after the round, in the log's order; folded no later than it leaves.
    fold_at: how many changes of it are too many to wait as they came.
    asked: whether the API was asked, since he was refused, if he exists, and has not denied it.
    first_at, last_at: epoch seconds; the moment of the first event in `waiting`, and when the last one came.
    """

    user_id: UserId
    first_at: float
    last_at: float
    step: Step = WAITING
    waiting: list[Change] = []
    fold_at: int = FEW
    marks: tuple[Mark, ...] = ()
    round: Round | None = None
    not_before: float = 0.0
    urgent: bool = False
    company: int = USERS_PER_REQUEST
    refused: Refused | None = None
    asked: bool = False
    queue: Endpoint | None = None
    scheduled_at: float = 0.0

    def ready_at(self, quiet_seconds: float, longest_wait_seconds: float) -> float:
        """The moment in epoch seconds from which this user may be sent."""
        if self.urgent:
            return self.not_before
        quiet, longest = self.last_at + quiet_seconds, self.first_at + longest_wait_seconds
        ready_at = min(longest, quiet)
        return max(self.not_before, ready_at)

    def absorb(self, changes: Sequence[Change], ledger: Ledger, position: int, at: float, now: float) -> None:
        """Fold in what the event at *position* says of this user. *at*: the event's own moment."""
        if self.round is not None:
            others = [change for change in changes if not self._absorbed_by_the_round(change)]
            if len(others) < len(changes):
                self.round.marks = _held(self.round.marks, ledger, position, at)
            if not others:
                return
            changes = others
        waiting = self.waiting
        if not waiting:
            self.first_at = at
        waiting += changes
        if len(waiting) > self.fold_at:
            self._wait_with(folded(waiting))
        self.last_at = now
        for mark in self.marks:  # `_held`, without a call for each event
            if mark.ledger is ledger:
                return
        self.marks = (*self.marks, ledger.mark(position, at))

    def _absorbed_by_the_round(self, change: Change) -> bool:
        """Whether the unsent rest of the round has taken *change*, so that no stale value leaves."""
        assert self.round is not None
        rest = self.round.rest
        if type(change) is RemoveAllTags:
            rest.tags.clear()
            return False
        if type(change) is AddTag or type(change) is RemoveTag:
            takes = change.tag in rest.tags
        else:
            takes = change.name in rest.attributes
        if takes:
            rest.fold(change)
        return takes

    @property
    def left(self) -> Folded:
        """What leaves next: the rest of the round that is under way, or all that waits."""
        return self.round.rest if self.round else folded(self.waiting)

    def next_endpoint(self) -> Endpoint | None:
        """The endpoint that this user's next part is for."""
        if self.round is None and len(self.waiting) == 1:
            return carrier_of(self.waiting[0])
        return self.left.next_endpoint()

    def speaks_of(self, names: frozenset[str]) -> bool:
        """Whether what would leave next is about all these attribute names; none: whatever it is about."""
        return names <= self.left.attributes.keys()

    def heads_for(self, endpoint: Endpoint, names: frozenset[str]) -> bool:
        """Whether he comes to *endpoint*, now or after other parts, with all these attribute names."""
        return self.left.has_part_for(endpoint) and names <= self.left.attributes.keys()

    def cut(self, endpoint: Endpoint) -> Part:
        """Take this user's part for *endpoint*, which begins a round if none is under way."""
        self.step = SENDING
        if self.round is None and len(self.waiting) == 1:
            part = part_of(self.waiting[0])
            begun = self._begun(Folded())
        else:
            begun = self._begun()
            part = begun.rest.take(endpoint)
        begun.sent.append((endpoint, part))
        return part

    def _begun(self, left: Folded | None = None) -> Round:
        """The round that is under way; all that waits, or what is *left* of it, begins one if none is."""
        if self.round is None:
            self.round = Round(folded(self.waiting) if left is None else left, self.marks, self.first_at)
            self.waiting, self.fold_at, self.marks, self.urgent = [], FEW, (), False
        return self.round

    def said_before(self, repeats: Folded, left: Folded) -> None:
        """These words are taken out of what is *left*, for the API has them: they count like what was confirmed."""
        begun = self._begun(left)
        while (endpoint := repeats.next_endpoint()) is not None:
            begun.sent.append((endpoint, repeats.take(endpoint)))

    def send_again(self) -> None:
        """What was settled before leaves once more, and nothing waits for it."""
        self.round = Round(Folded(), (), self.first_at)
        self.step = SENDING

    def settled(self) -> Round | None:
        """The part that was cut is settled. Returns the round if that was all of it, its marks now settled."""
        assert self.round is not None
        if self.round.rest:
            return None
        ended, self.round = self.round, None
        for mark in ended.marks:
            mark.settle()
        return ended

    def came_back(self, endpoint: Endpoint, part: Part, not_before: float) -> None:
        """The part that was cut is unsettled still: fold it under what arrived meanwhile, and wait again."""
        assert self.round is not None
        self.round.rest.fold_under(folded_part(endpoint, part))
        self.end_round_early()
        self.not_before = not_before

    def end_round_early(self) -> None:
        """Put the round's rest back under what arrived meanwhile. All marks that matter are kept."""
        assert self.round is not None
        waiting = folded(self.waiting)
        waiting.fold_under(self.round.rest)
        self._wait_with(waiting)
        self.marks = earliest(self.round.marks, self.marks)
        self.first_at = self.round.first_at
        self.round = None

    def _wait_with(self, waiting: Folded) -> None:
        self.waiting = [*waiting.changes()]
        self.fold_at = FEW + 2 * len(self.waiting)


def _held(marks: tuple[Mark, ...], ledger: Ledger, position: int, at: float) -> tuple[Mark, ...]:
    """*marks* with one of *ledger*. An earlier one covers *position*: one mark a partition, not a record."""
    for mark in marks:
        if mark.ledger is ledger:
            return marks
    return (*marks, ledger.mark(position, at))
