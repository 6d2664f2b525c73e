"""All unsettled changes: which users are ready, and when the next one will be."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import msgspec

from audience_sync.core.batches import ALONE, ReadyUsers
from audience_sync.core.changes import (
    ABOUT_TAGS,
    ADD_TAGS,
    NO_NAMES,
    REMOVE_ALL_TAGS,
    Change,
    Endpoint,
    Part,
    Request,
    UserId,
    about_names,
    names_in,
)
from audience_sync.core.confirmations import Confirmations
from audience_sync.core.folding import leaves_first
from audience_sync.core.ledger import Ledger, Mark
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.schedule import Schedule
from audience_sync.core.user_state import HELD, READY, WAITING, Refused, Round, User

SUSPECT_SECONDS: Final = 600.0
"""So long after he was given up a user travels alone. Ours: a bad user with many events costs a request each, not
the fifteen that finding him again would."""

MOST_SUSPECTS: Final = 1000
"""So many are remembered; beyond, the oldest is forgotten, and found again if need be."""


class DebounceTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long changes are gathered, in seconds."""

    quiet_seconds: float
    longest_wait_seconds: float
    fill_seconds: float


class Look(msgspec.Struct, frozen=True):
    """A user whose request shows whether an endpoint works, or brings him nearer to it.

    endpoint: where his request goes: there, or to one that comes first for him. user_id: None is a witness.
    company: how many users a request with him may name.
    """

    endpoint: Endpoint
    user_id: UserId | None
    company: int

    @property
    def suspected(self) -> bool:
        """Whether he was refused alone himself."""
        return self.company == ALONE


class Skipped(msgspec.Struct, frozen=True):
    """What was not sent, since it would have changed nothing.

    changes: how many. rounds: those that were settled with it.
    """

    changes: int
    rounds: tuple[Round, ...]


class Debouncer:
    """The users with unsettled changes, from a change's arrival to its confirmation.

    No user is in two requests at once. All moments are epoch seconds; `now` never goes back.

    may_send: whether the partitions that a user's marks name may be sent for (the hold of an assignment).
    confirmations: against which repeats are skipped; None: every change is sent.
    """

    def __init__(
        self,
        times: DebounceTimes,
        *,
        may_send: Callable[[Sequence[Mark]], bool],
        confirmations: Confirmations | None = None,
    ) -> None:
        self._times = times
        self._may_send = may_send
        nothing = Confirmations(seconds=0.0, most_names=0)
        self._confirmations = nothing if confirmations is None else confirmations
        self._users: dict[UserId, User] = {}
        self._schedule = Schedule()
        self._held: list[User] = []
        self._draining = False
        self._witnesses: dict[tuple[Endpoint, str], tuple[UserId, Part]] = {}
        self._suspects: OrderedDict[UserId, float] = OrderedDict()
        self._known: set[UserId] = set()  # witnesses and suspects: one look for each new user
        self.ready = ReadyUsers(fill_seconds=times.fill_seconds)
        self.seen_on_two_numbers = 0
        """Users whose records came from partitions of different numbers while they waited: a wrong key."""

    def __len__(self) -> int:
        return len(self._users)

    def add(
        self,
        user_id: UserId,
        changes: Sequence[Change],
        ledger: Ledger,
        position: int,
        at: float,
        now: float,
        urgent: bool = False,
    ) -> None:
        """Fold in what the event at *position* of *ledger* says of a user. *at*: the event's own moment."""
        if at > now:
            at = now
        user = self._users.get(user_id)
        if user is None:
            user = self._users[user_id] = User(user_id, at, now)
            if user_id in self._known:
                self._recall(user, now)
            user.absorb(changes, ledger, position, at, now)
            user.urgent = urgent
            self._wait(user, now)
            return
        marks = user.marks
        user.absorb(changes, ledger, position, at, now)
        if user.marks is not marks and len(user.marks) > 1:
            self.seen_on_two_numbers += user.marks[-1].ledger.number != user.marks[0].ledger.number
        if urgent and not user.urgent:
            user.urgent = True
            if user.step is WAITING:
                self._wait(user, now)
        if user.step is READY:
            self._stand_in_the_right_queue(user, changes)

    def advance(self, now: float) -> None:
        """Let everyone become ready whose moment has come."""
        for user in self._schedule.take(now):
            if user.step is not WAITING:
                continue
            if self._ready_at(user) <= now:
                self._make_ready(user, now)
            else:
                self._wait(user, now)

    def drain(self, now: float) -> None:
        """From now on nobody waits for quiet. Who came back from an ambiguous end still waits for that."""
        self._draining = True
        for user in self._users.values():
            if user.step is WAITING:
                self._wait(user, now)
        self.advance(now)

    def release(self, now: float) -> None:
        """A hold has ended: whoever was held and may now be sent is ready."""
        held, self._held = self._held, []
        for user in held:
            self._make_ready(user, now)

    @property
    def next_ready_at(self) -> float | None:
        """No later than the moment when the next waiting user becomes ready; None if nobody waits."""
        return self._schedule.next_at

    @property
    def drained(self) -> bool:
        """Whether nothing is unsettled but what is held."""
        return self.unheld == 0

    @property
    def held(self) -> int:
        """How many users are held."""
        return len(self._held)

    @property
    def unheld(self) -> int:
        """How many users are unsettled, those apart who are held."""
        return len(self._users) - len(self._held)

    def cut(self, endpoint: Endpoint) -> Request:
        """A request of up to 100 ready users to *endpoint*. Each of its users must be settled or come back."""
        return self._cut(endpoint, self.ready.take(endpoint))

    def skip_repeats(self, endpoint: Endpoint, now: float) -> Skipped | None:
        """Take out what the next request to *endpoint* would repeat in vain; None: it is to be cut as it is.

        Called right before `cut`, and again until there is nothing: others may have come forward.
        """
        if not self._confirmations.seconds:
            return None
        changes, rounds = 0, []
        for user_id in self.ready.foremost(endpoint):
            user = self._users[user_id]
            left = user.left
            repeats = self._confirmations.skip(user_id, left, now)
            if not repeats:
                continue
            changes += len(repeats)
            user.said_before(repeats, left)
            if (to := user.next_endpoint()) is endpoint:
                continue
            if to is not None:
                self.ready.move(user_id, endpoint, to, company=user.company)
                user.queue = to
                continue
            self.ready.take_one(endpoint, user_id, user.company)
            if (ended := self.settle(user_id, now)) is not None:
                rounds.append(ended)
        return Skipped(changes, tuple(rounds)) if changes else None

    def cut_witness(self, endpoint: Endpoint, names: frozenset[str]) -> Request | None:
        """A request that was confirmed before, of one user who waits for nothing since; None if nobody is known.

        It changes nothing at the API, and so tells whether *endpoint* works for these attribute names.
        """
        if (witness := self._witness(endpoint, names)) is None:
            return None
        user_id, part = witness
        user = self._users[user_id] = User(user_id, 0.0, 0.0)
        user.send_again()
        self._confirmations.cut(user_id, endpoint, part)
        return Request(endpoint, {user_id: part})

    def has_witness(self, endpoint: Endpoint, names: frozenset[str]) -> bool:
        """Whether `cut_witness` would find one."""
        return self._witness(endpoint, names) is not None

    def who_can_look(self, endpoint: Endpoint, names: frozenset[str]) -> Look | None:
        """Who could see whether *endpoint* works for *names*: the least suspected who stands there or comes there."""
        if self.has_witness(endpoint, names):
            return Look(endpoint, None, USERS_PER_REQUEST)
        users = self._users
        there = self.ready.find(endpoint, lambda user_id: users[user_id].speaks_of(names))
        if there is not None and there[1] != ALONE:
            return Look(endpoint, *there)
        for other in Endpoint:
            coming = self.ready.find(other, lambda user_id: users[user_id].heads_for(endpoint, names))
            if coming is not None and coming[1] != ALONE:
                return Look(other, *coming)
        return None if there is None else Look(endpoint, *there)

    def cut_look(self, look: Look, names: frozenset[str]) -> Request:
        """The request of one user that *look* stands for, which `who_can_look` has just returned."""
        endpoint, user_id = look.endpoint, look.user_id
        if user_id is None:
            witnessed = self.cut_witness(endpoint, names)
            assert witnessed is not None
            return witnessed
        self.ready.take_one(endpoint, user_id, look.company)
        return self._cut(endpoint, (user_id,))

    def confirmed(self, request: Request, users: Collection[UserId], now: float) -> frozenset[str]:
        """*users* of *request* were confirmed, and are settled: who is done may witness that its endpoint works.

        Returns the attribute names that they spoke of.
        """
        endpoint, witnessed = request.endpoint, set[str]()
        if self._confirmations.seconds:
            for user_id in users:
                self._confirmations.confirmed(user_id, endpoint, request.parts[user_id], now)
        names = NO_NAMES
        if about_names(endpoint):
            names = names.union(*(request.parts[user_id] for user_id in users))
        for user_id in users:
            if user_id in self._users:
                continue
            part = request.parts[user_id]
            for name in (names_in(endpoint, part) or ABOUT_TAGS) - witnessed:
                self._forget_witness((endpoint, name))
                self._witnesses[endpoint, name] = (user_id, part)
                self._known.add(user_id)
                witnessed.add(name)
            if len(witnessed) == len(names or ABOUT_TAGS):
                break
        return names

    def given_up(self, user_id: UserId, now: float) -> None:
        """The user was refused for himself: for a while he travels alone, so that others need not suffer for it.

        Called before his part is settled.
        """
        self._confirmations.forget(user_id)
        self._suspects[user_id] = now + SUSPECT_SECONDS
        self._suspects.move_to_end(user_id)
        self._known.add(user_id)
        if len(self._suspects) > MOST_SUSPECTS:
            self._known.discard(self._suspects.popitem(last=False)[0])

    def settle(self, user_id: UserId, now: float) -> Round | None:
        """The user's part of a request is settled. Returns his round if that was the last of it."""
        user = self._users[user_id]
        user.company = ALONE if user_id in self._suspects else USERS_PER_REQUEST
        user.refused, user.asked = None, False
        ended = user.settled()
        if ended is None:
            self._enqueue(user, now)
        elif user.waiting:
            self._wait(user, now)
        else:
            del self._users[user_id]
            if user_id not in self._suspects:
                self._may_witness(user_id, ended)
        return ended

    def came_back(
        self, request: Request, user_id: UserId, *, not_before: float, company: int | None = None
    ) -> None:
        """The user's part is unsettled still; he is not sent again before *not_before* (epoch seconds).

        *company*: the request was refused, and one with him may name so many users from now on.
        """
        user = self._users[user_id]
        if company is not None:
            user.company = company
        user.came_back(request.endpoint, request.parts[user_id], not_before)
        self._wait(user, not_before)

    def _cut(self, endpoint: Endpoint, user_ids: Iterable[UserId]) -> Request:
        parts = {user_id: self._users[user_id].cut(endpoint) for user_id in user_ids}
        if self._confirmations.seconds:
            for user_id, part in parts.items():
                self._confirmations.cut(user_id, endpoint, part)
        return Request(endpoint, parts)

    def _recall(self, user: User, now: float) -> None:
        """A user of whom something is known has changes again: he is no witness, and maybe a suspect."""
        for subject in [each for each, (user_id, _) in self._witnesses.items() if user_id == user.user_id]:
            self._forget_witness(subject)
        if now < self._suspects.get(user.user_id, 0.0):
            user.company = ALONE
        elif self._suspects.pop(user.user_id, None) is not None:
            self._known.discard(user.user_id)

    def _may_witness(self, user_id: UserId, ended: Round) -> None:
        """The user is done: any part of his round, sent again, changes nothing; so he stands in for who is missing.

        Not the removal of all tags, if he got some after it.
        """
        witnesses = self._witnesses
        for endpoint, part in ended.sent:
            if endpoint is REMOVE_ALL_TAGS and any(other is ADD_TAGS for other, _ in ended.sent):
                continue
            for name in part if about_names(endpoint) else ABOUT_TAGS:
                if (endpoint, name) not in witnesses:
                    witnesses[endpoint, name] = (user_id, part)
                    self._known.add(user_id)

    def _witness(self, endpoint: Endpoint, names: frozenset[str]) -> tuple[UserId, Part] | None:
        """Who was confirmed with all of *names*, and has not changed since."""
        for (where, name), (user_id, part) in self._witnesses.items():
            fits = where is endpoint and (not names or name in names) and user_id not in self._users
            if fits and names <= names_in(endpoint, part):
                return user_id, part
        return None

    def _forget_witness(self, subject: tuple[Endpoint, str]) -> None:
        user_id, _ = self._witnesses.pop(subject, (None, ()))
        if (
            user_id is not None
            and user_id not in self._suspects
            and all(user_id != other for other, _ in self._witnesses.values())
        ):
            self._known.discard(user_id)

    def unasked(self, request: Request) -> list[UserId]:
        """Those of *request* of whom it was not asked yet whether they exist."""
        return [user_id for user_id in request.parts if not self._users[user_id].asked]

    def not_absent(self, users: Iterable[UserId]) -> None:
        """It was asked whether they exist, and not denied: there is no need to ask again until they are settled."""
        for user_id in users:
            self._users[user_id].asked = True

    def refused(self, user_id: UserId, code: int, at: float) -> Refused:
        """A request with the user was refused with this code; the answer came at *at* (epoch seconds)."""
        self._confirmations.forget(user_id)
        user = self._users[user_id]
        user.refused = Refused(at, code, at) if user.refused is None else user.refused.again(code, at)
        return user.refused

    def forget_refusals(self) -> None:
        """What was refused so far says nothing of how long it is: requests were paused meanwhile."""
        for user in self._users.values():
            user.refused = None

    def refused_seconds(self, user_id: UserId, now: float) -> float:
        """For how long requests with the user are refused, whatever the code."""
        refused = self._users[user_id].refused
        return 0.0 if refused is None else now - refused.since

    def refused_of(self, request: Request) -> dict[UserId, Refused]:
        """{user: since when requests with him are refused}, of those with whom they are."""
        users = self._users
        return {
            user_id: refused for user_id in request.parts if (refused := users[user_id].refused) is not None
        }

    def user(self, user_id: UserId) -> User | None:
        """The user, if something of him is unsettled."""
        return self._users.get(user_id)

    def marks_of(self, user_id: UserId) -> Sequence[Mark]:
        """Where what is under way for the user began."""
        user = self._users[user_id]
        return user.round.marks if user.round else user.marks

    def _ready_at(self, user: User) -> float:
        if self._draining:
            return user.not_before
        return user.ready_at(self._times.quiet_seconds, self._times.longest_wait_seconds)

    def _wait(self, user: User, not_before: float) -> None:
        user.step = WAITING
        self._schedule.put(user, max(self._ready_at(user), not_before))

    def _make_ready(self, user: User, now: float) -> None:
        if self._may_send(user.marks):
            self._enqueue(user, now)
        else:
            user.step = HELD
            self._held.append(user)

    def _enqueue(self, user: User, now: float) -> None:
        endpoint = user.next_endpoint()
        assert endpoint is not None, f"user {user.user_id} is ready with nothing to send"
        user.step = READY
        user.queue = endpoint
        self.ready.add(user.user_id, endpoint, now, company=user.company)

    def _stand_in_the_right_queue(self, user: User, changes: Sequence[Change]) -> None:
        """*changes*, which he has absorbed, may have changed which of his parts leaves first."""
        assert user.queue is not None
        if user.round is None and leaves_first(user.queue, changes):
            return
        if user.round is not None and not user.round.rest:
            user.end_round_early()
        endpoint = user.next_endpoint()
        assert endpoint is not None
        if endpoint is not user.queue:
            self.ready.move(user.user_id, user.queue, endpoint, company=user.company)
            user.queue = endpoint
