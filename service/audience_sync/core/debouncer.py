"""All unsettled changes: which users are ready, and when the next one will be."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

import msgspec

from audience_sync.core.batches import ReadyUsers
from audience_sync.core.changes import Change, Endpoint, Part, Request, UserId
from audience_sync.core.ledger import Ledger, Mark
from audience_sync.core.user_state import Round, Step, User


class DebounceTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long changes are gathered, in seconds."""

    quiet_seconds: float
    longest_wait_seconds: float
    fill_seconds: float


class Debouncer:
    """The users with unsettled changes, from a change's arrival to its confirmation.

    No user is in two requests at once. All moments are epoch seconds; `now` never goes back.

    may_send: whether the partitions that a user's marks name may be sent for (the hold of an assignment).
    """

    def __init__(self, times: DebounceTimes, *, may_send: Callable[[Sequence[Mark]], bool]) -> None:
        self._times = times
        self._may_send = may_send
        self._users: dict[UserId, User] = {}
        self._schedule: list[tuple[float, UserId]] = []
        self._held: list[User] = []
        self._draining = False
        self.ready = ReadyUsers(fill_seconds=times.fill_seconds)
        self.seen_on_two_numbers = 0
        """Users whose records came from partitions of different numbers while they waited: a wrong key."""

    def __len__(self) -> int:
        return len(self._users)

    def add(
        self,
        user_id: UserId,
        changes: Sequence[Change],
        *,
        ledger: Ledger,
        position: int,
        at: float,
        now: float,
        urgent: bool = False,
    ) -> None:
        """Fold in what the event at *position* of *ledger* says of a user. *at*: the event's own moment."""
        at = min(at, now)
        user = self._users.get(user_id)
        if user is None:
            user = self._users[user_id] = User(user_id, at, now)
            user.absorb(changes, ledger, position, at, now)
            user.urgent = urgent
            self._wait(user)
            return
        marks = len(user.marks)
        user.absorb(changes, ledger, position, at, now)
        if len(user.marks) > max(marks, 1):
            self.seen_on_two_numbers += user.marks[-1].ledger.number != user.marks[0].ledger.number
        if urgent and not user.urgent:
            user.urgent = True
            if user.step is Step.WAITING:
                self._wait(user)
        if user.step is Step.READY:
            self._stand_in_the_right_queue(user)

    def advance(self, now: float) -> None:
        """Let everyone become ready whose moment has come."""
        schedule, users = self._schedule, self._users
        while schedule and schedule[0][0] <= now:
            moment, user_id = heappop(schedule)
            user = users.get(user_id)
            if user is None or user.step is not Step.WAITING or user.scheduled_at != moment:
                continue
            if self._ready_at(user) <= now:
                self._make_ready(user, now)
            else:
                self._wait(user)

    def drain(self, now: float) -> None:
        """From now on nobody waits for quiet. Who came back from an ambiguous end still waits for that."""
        self._draining = True
        for user in self._users.values():
            if user.step is Step.WAITING:
                self._wait(user)
        self.advance(now)

    def release(self, now: float) -> None:
        """A hold has ended: whoever was held and may now be sent is ready."""
        held, self._held = self._held, []
        for user in held:
            self._make_ready(user, now)

    @property
    def next_ready_at(self) -> float | None:
        """No later than the moment when the next waiting user becomes ready; None if nobody waits."""
        return self._schedule[0][0] if self._schedule else None

    @property
    def drained(self) -> bool:
        """Whether nothing is unsettled but what is held."""
        return len(self._users) == len(self._held)

    def cut(self, endpoint: Endpoint) -> Request:
        """A request of up to 100 ready users to *endpoint*. Each of its users must be settled or come back."""
        parts: dict[UserId, Part] = {}
        for user_id in self.ready.take(endpoint):
            parts[user_id] = self._users[user_id].cut(endpoint)
        return Request(endpoint, parts)

    def settle(self, user_id: UserId, now: float) -> Round | None:
        """The user's part of a request is settled. Returns his round if that was the last of it."""
        user = self._users[user_id]
        ended = user.settled()
        if ended is None:
            self._enqueue(user, now)
        elif user.waiting:
            self._wait(user)
        else:
            del self._users[user_id]
        return ended

    def came_back(self, request: Request, user_id: UserId, *, not_before: float) -> None:
        """The user's part is unsettled still; he is not sent again before *not_before* (epoch seconds)."""
        user = self._users[user_id]
        user.came_back(request.endpoint, request.parts[user_id], not_before)
        self._wait(user)

    def marks_of(self, user_id: UserId) -> Sequence[Mark]:
        """Where what is under way for the user began."""
        user = self._users[user_id]
        return user.round.marks if user.round else user.marks

    def _ready_at(self, user: User) -> float:
        if self._draining:
            return user.not_before
        return user.ready_at(self._times.quiet_seconds, self._times.longest_wait_seconds)

    def _wait(self, user: User) -> None:
        user.step = Step.WAITING
        user.scheduled_at = self._ready_at(user)
        heappush(self._schedule, (user.scheduled_at, user.user_id))

    def _make_ready(self, user: User, now: float) -> None:
        if self._may_send(user.marks):
            self._enqueue(user, now)
        else:
            user.step = Step.HELD
            self._held.append(user)

    def _enqueue(self, user: User, now: float) -> None:
        endpoint = user.next_endpoint()
        assert endpoint is not None, f"user {user.user_id} is ready with nothing to send"
        user.step = Step.READY
        user.queue = endpoint
        self.ready.add(user.user_id, endpoint, now)

    def _stand_in_the_right_queue(self, user: User) -> None:
        if user.round is not None and not user.round.rest:
            user.end_round_early()
        endpoint = user.next_endpoint()
        assert endpoint is not None
        assert user.queue is not None
        if endpoint is not user.queue:
            self.ready.move(user.user_id, user.queue, endpoint)
            user.queue = endpoint
