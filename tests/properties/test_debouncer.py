"""Waiting, cutting, coming back and settling in any order: the result is what the events say."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)
from audience_sync.core.confirmations import Confirmations
from audience_sync.core.debouncer import Debouncer
from audience_sync.core.folding import Folded, changes_of
from audience_sync.core.ledger import Ledger
from audience_sync.core.limits import TAGS_PER_USER_AND_REQUEST, USERS_PER_REQUEST
from audience_sync.core.user_state import Round, User
from tests.properties.histories import State, attribute_changes, states, tag_changes
from tests.support.clock import START, FakeClock
from tests.support.tenures import TIMES

USERS: Final = [UserId(name) for name in ("alice", "bob", "carol")]


class Arrives(msgspec.Struct, frozen=True):
    """An event of a user; all of its changes are of attributes, or all of tags: each has its own topic."""

    user: int
    changes: tuple[Change, ...]
    urgent: bool = False


class Passes(msgspec.Struct, frozen=True):
    """Time passes."""

    seconds: float


class Leaves(msgspec.Struct, frozen=True):
    """A request is cut: one of the endpoints for which somebody is ready, if there is any."""

    choice: int


class Ends(msgspec.Struct, frozen=True):
    """A request under way ends: each user is confirmed or comes back, whether or not the API has applied it."""

    request: int
    confirmed: tuple[bool, bool, bool]
    applied: tuple[bool, bool, bool]


Step = Arrives | Passes | Leaves | Ends

three = st.tuples(st.booleans(), st.booleans(), st.booleans())
event_changes = st.lists(attribute_changes, min_size=1, max_size=4) | st.lists(
    tag_changes, min_size=1, max_size=14
)
steps: Final[st.SearchStrategy[Step]] = st.one_of(
    st.builds(Arrives, st.sampled_from([0, 0, 0, 1, 2]), event_changes.map(tuple), st.just(True)),
    st.builds(Arrives, st.integers(0, 2), event_changes.map(tuple)),
    st.builds(Leaves, st.integers(0, 4)),
    st.builds(Ends, st.integers(0, 2), three, three),
    st.builds(Passes, st.floats(0.0, 4.0)),
)
histories: Final = st.lists(steps, max_size=20) | st.lists(steps, min_size=20, max_size=60)


class History:
    """A debouncer, the API behind it, and the log before it. Checks at every step what is promised."""

    def __init__(self, state: State, known_seconds: float = 0.0) -> None:
        self.clock = FakeClock()
        known = Confirmations(seconds=known_seconds, most_names=12)
        self.debouncer = Debouncer(TIMES, may_send=lambda _: True, confirmations=known)
        self.ledgers = {kind: Ledger(kind, 0, 0) for kind in ("attributes", "tags")}
        self.log: list[tuple[Ledger, int, UserId, tuple[Change, ...]]] = []
        self.api = {user: state.copy() for user in USERS}
        self.expected = {user: state.copy() for user in USERS}
        self.last_word: dict[tuple[UserId, str], Change] = {}
        self.under_way: list[Request] = []
        self.not_before: dict[UserId, float] = {}

    def take(self, step: Step) -> None:
        """Let *step* happen, and look."""
        match step:
            case Arrives(user, changes, urgent):
                self._arrive(USERS[user], changes, urgent)
            case Passes(seconds):
                self.clock.advance(seconds)
            case Leaves(choice):
                self.debouncer.advance(self.clock())
                if ready := [endpoint for endpoint in Endpoint if self.debouncer.ready.waiting(endpoint)]:
                    self.leave(ready[choice % len(ready)])
            case Ends(number, confirmed, applied) if self.under_way:
                request = self.under_way.pop(number % len(self.under_way))
                self.end(request, confirmed, applied)
            case _:
                pass
        self._nothing_is_lost_if_the_process_dies_now()
        self._a_user_holds_one_mark_a_partition()

    def _arrive(self, user: UserId, changes: tuple[Change, ...], urgent: bool) -> None:
        of_attributes = isinstance(changes[0], SetAttribute | RemoveAttribute)
        ledger = self.ledgers["attributes" if of_attributes else "tags"]
        position, now = ledger.read_position, self.clock()
        self.debouncer.add(user, changes, ledger=ledger, position=position, at=now, now=now, urgent=urgent)
        ledger.read_up_to(position + 1)
        self.log.append((ledger, position, user, changes))
        self.expected[user].apply(changes)
        for change in changes:
            match change:
                case SetAttribute(name, _) | RemoveAttribute(name):
                    self.last_word[user, name] = change
                case AddTag(tag) | RemoveTag(tag):
                    self.last_word[user, tag] = change
                case RemoveAllTags():
                    for one, name in list(self.last_word):
                        if one == user and name.startswith("stock:"):
                            self.last_word[one, name] = RemoveTag(name)

    def leave(self, endpoint: Endpoint) -> None:
        """Cut a request, and look at what it says. Repeats may be skipped before."""
        self.debouncer.advance(self.clock())
        while self.debouncer.skip_repeats(endpoint, self.clock()) is not None:
            self._nothing_is_lost_if_the_process_dies_now()
        request = self.debouncer.cut(endpoint)
        if not request.parts:
            return
        assert len(request.parts) <= USERS_PER_REQUEST
        for user, part in request.parts.items():
            assert all(user not in other.parts for other in self.under_way), "in two requests at once"
            assert self.clock() >= self.not_before.get(user, 0.0), "sent before the API can be done with him"
            assert part or endpoint is Endpoint.REMOVE_ALL_TAGS, "a request says nothing of a user"
            if endpoint in (Endpoint.ADD_TAGS, Endpoint.REMOVE_TAGS):
                assert len(part) <= TAGS_PER_USER_AND_REQUEST
            self._no_stale_word_leaves(user, changes_of(endpoint, part))
        self.under_way.append(request)

    def _no_stale_word_leaves(self, user: UserId, changes: Iterable[Change]) -> None:
        for change in changes:
            match change:
                case SetAttribute(name, _) | RemoveAttribute(name) | AddTag(name) | RemoveTag(name):
                    assert change == self.last_word[user, name], "a stale word leaves"

    def end(self, request: Request, confirmed: Sequence[bool], applied: Sequence[bool]) -> None:
        """Settle some of its users, take the others back."""
        now = self.clock()
        for user, part in request.parts.items():
            number = USERS.index(user)
            if confirmed[number] or applied[number]:
                self.api[user].apply(changes_of(request.endpoint, part))
            if confirmed[number]:
                self.debouncer.settle(user, now)
            else:
                self.debouncer.came_back(request, user, not_before=now + 3.0)
                self.not_before[user] = now + 3.0
        settled = [user for user in request.parts if confirmed[USERS.index(user)]]
        self.debouncer.confirmed(request, settled, now)

    def _nothing_is_lost_if_the_process_dies_now(self) -> None:
        """The next owner reads again from what is settled, and everybody is in step."""
        api = {user: state.copy() for user, state in self.api.items()}
        settled = {ledger.topic: ledger.settled_position for ledger in self.ledgers.values()}
        for ledger, position, user, changes in self.log:
            if position >= settled[ledger.topic]:
                api[user].apply(changes)
        assert api == self.expected

    def _a_user_holds_one_mark_a_partition(self) -> None:
        for user in self.debouncer._users.values():
            for marks in (user.marks, user.round.marks if user.round else ()):
                assert len({mark.ledger.topic for mark in marks}) == len(marks)

    def drain(self) -> None:
        """Let everything that waits leave and be confirmed; bounded."""
        for request in self.under_way:
            self.end(request, [True] * 3, [True] * 3)
        self.under_way.clear()
        self.debouncer.drain(self.clock())
        for _ in range(100):
            self.clock.advance(3.0)
            for endpoint in Endpoint:
                self.leave(endpoint)
                while self.under_way:
                    self.end(self.under_way.pop(), [True] * 3, [True] * 3)
            if self.debouncer.drained:
                return
        raise AssertionError(f"{len(self.debouncer)} users never leave")


def check(state: State, history: list[Step], known_seconds: float) -> None:
    """Let *history* happen, and everything end well after it: everybody is in step, nothing is left."""
    run = History(state, known_seconds)
    for step in history:
        run.take(step)
    run.drain()

    assert run.api == run.expected
    assert len(run.debouncer) == 0
    for ledger in run.ledgers.values():
        assert ledger.settled_position == ledger.read_position, "a position is stuck"


@given(states, histories)
@settings(max_examples=200, deadline=None)
def test_what_leaves_has_the_effect_of_what_came(state: State, history: list[Step]) -> None:
    """However answers are delayed, doubled or missing; and nobody is forgotten."""
    check(state, history, 0.0)


@given(states, histories, st.sampled_from([3.0, 10.0, 1e9]))
@settings(max_examples=200, deadline=None)
def test_the_same_holds_where_repeats_are_skipped(
    state: State, history: list[Step], known_seconds: float
) -> None:
    """What is not sent stands in the API already: else its position would be settled too early."""
    check(state, history, known_seconds)


@given(st.lists(event_changes, max_size=60), st.lists(tag_changes, min_size=1, max_size=14))
@settings(max_examples=60, deadline=None)
def test_a_round_ends_whatever_arrives(arriving: list[list[Change]], first: list[Change]) -> None:
    """A user who never stops changing does not hold a position back for ever: his rounds are finite."""
    run = History(State())
    run.take(Arrives(0, tuple(first), urgent=True))
    requests = 0
    endless = arriving or [[AddTag("stock:0")]]
    while run.ledgers["tags"].settled_position == 0:
        for endpoint in Endpoint:
            run.leave(endpoint)
            while run.under_way:
                run.take(Arrives(0, tuple(endless[requests % len(endless)]), urgent=True))
                run.end(run.under_way.pop(), [True] * 3, [True] * 3)
                requests += 1
        assert requests < 100, "the round never ends"


@given(st.integers(1, 350), st.sampled_from([Endpoint.ADD_TAGS, Endpoint.SET_ATTRIBUTES]))
@settings(max_examples=20, deadline=None)
def test_no_request_names_more_than_a_hundred_users(users: int, endpoint: Endpoint) -> None:
    clock, ledger = FakeClock(), Ledger("events", 0, 0)
    debouncer = Debouncer(TIMES, may_send=lambda _: True)
    change = AddTag("a") if endpoint is Endpoint.ADD_TAGS else SetAttribute("city", "Shenzhen")
    for number in range(users):
        debouncer.add(UserId(f"{number}"), [change], ledger=ledger, position=number, at=clock(), now=clock())
    clock.advance(TIMES.quiet_seconds)
    debouncer.advance(clock())

    sizes = [len(debouncer.cut(endpoint).parts) for _ in range(-(-users // USERS_PER_REQUEST))]

    assert sum(sizes) == users
    assert sizes[:-1] == [USERS_PER_REQUEST] * (len(sizes) - 1)


def _forget_what_arrived(user: User, endpoint: Endpoint, part: Part, not_before: float) -> None:
    user.waiting = []
    _come_back(user, endpoint, part, not_before)


def _fold_over(user: User, endpoint: Endpoint, part: Part, not_before: float) -> None:
    arrived, user.waiting = user.waiting, []
    _come_back(user, endpoint, part, not_before)
    user.waiting[:0] = arrived


def _come_back_at_once(user: User, endpoint: Endpoint, part: Part, not_before: float) -> None:  # noqa: ARG001 - that is the mistake
    _come_back(user, endpoint, part, 0.0)


def _settle_the_round_early(user: User) -> Round | None:
    assert user.round is not None
    for mark in user.round.marks:
        mark.settle()
    return _settled(user)


def _drop_the_repeat(user: User, endpoint: Endpoint, part: Part, not_before: float) -> None:  # noqa: ARG001 - that is the mistake
    _come_back(user, endpoint, [] if endpoint is not Endpoint.SET_ATTRIBUTES else {}, not_before)


def _let_a_stale_word_leave(user: User, change: Change) -> bool:  # noqa: ARG001 - that is the mistake
    return False


_come_back, _settled = User.came_back, User.settled


@pytest.mark.parametrize(
    ("method", "mistake"),
    [
        pytest.param("came_back", _forget_what_arrived, id="what arrived during a request is forgotten"),
        pytest.param("came_back", _fold_over, id="what comes back is folded over what arrived"),
        pytest.param("came_back", _come_back_at_once, id="an ambiguous end is repeated at once"),
        pytest.param("came_back", _drop_the_repeat, id="what comes back is dropped"),
        pytest.param("settled", _settle_the_round_early, id="a round is settled with its first part"),
        pytest.param("_absorbed_by_the_round", _let_a_stale_word_leave, id="a round sends what is stale"),
    ],
)
def test_the_property_sees_a_planted_mistake(
    method: str, mistake: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A property that finds nothing in broken code says nothing of sound code."""
    monkeypatch.setattr(User, method, mistake)
    looking = given(states, histories, st.just(0.0))(check)

    with pytest.raises((AssertionError, KeyError, ExceptionGroup)):
        settings(max_examples=2000, deadline=None, phases=[Phase.generate], derandomize=True)(looking)()


def _known_when_it_leaves(self: Confirmations, user: UserId, endpoint: Endpoint, part: Part) -> None:
    _cut(self, user, endpoint, part)
    self.confirmed(user, endpoint, part, START)


def _known_while_it_is_under_way(*_: object) -> None:
    pass


def _under_a_barrier_too(self: Confirmations, user: UserId, left: Folded, now: float) -> Folded:
    barrier, left.removes_all_tags = left.removes_all_tags, False
    repeats = _skip(self, user, left, now)
    left.removes_all_tags = barrier
    return repeats


def _on_arrival(self: Debouncer, user: UserId, changes: Sequence[Change], **given: Any) -> None:
    folded = Folded()
    for change in changes:
        folded.fold(change)
    self._confirmations.skip(user, folded, given["now"])
    if folded:
        _add(self, user, changes, **given)


_cut, _skip, _add = Confirmations.cut, Confirmations.skip, Debouncer.add


@pytest.mark.parametrize(
    ("owner", "method", "mistake"),
    [
        pytest.param(Confirmations, "cut", _known_when_it_leaves, id="known before it is confirmed"),
        pytest.param(Confirmations, "cut", _known_while_it_is_under_way, id="known while it is under way"),
        pytest.param(Confirmations, "skip", _under_a_barrier_too, id="skipped behind a removal of all tags"),
        pytest.param(Debouncer, "add", _on_arrival, id="skipped on arrival"),
    ],
)
def test_the_property_of_repeats_sees_a_planted_mistake(
    owner: type, method: str, mistake: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above."""
    monkeypatch.setattr(owner, method, mistake)
    looking = given(states, histories, st.just(1e9))(check)

    with pytest.raises((AssertionError, KeyError, ExceptionGroup)):
        settings(max_examples=2000, deadline=None, phases=[Phase.generate], derandomize=True)(looking)()
