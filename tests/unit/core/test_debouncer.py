"""When a user is sent."""

from collections.abc import Sequence

import pytest

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)
from audience_sync.core.confirmations import Confirmations
from audience_sync.core.debouncer import Debouncer
from audience_sync.core.ledger import Ledger, Mark
from audience_sync.core.replay import known_of
from tests.support.clock import START, FakeClock
from tests.support.tenures import TIMES

ALICE, BOB = UserId("alice"), UserId("bob")


class Users:
    """A debouncer with one partition behind it, and the clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ledger = Ledger("events", 0, 0)
        self.held = False
        self.debouncer = Debouncer(TIMES, may_send=self._may_send)

    def _may_send(self, marks: Sequence[Mark]) -> bool:
        assert marks
        return not self.held

    def tell(
        self,
        user_id: UserId,
        *changes: Change,
        age: float = 0.0,
        urgent: bool = False,
        ledger: Ledger | None = None,
    ) -> int:
        """The next event says this of a user, and happened *age* seconds ago. Returns its position."""
        ledger = ledger or self.ledger
        position = ledger.read_position
        now = self.clock()
        self.debouncer.add(
            user_id, changes, ledger=ledger, position=position, at=now - age, now=now, urgent=urgent
        )
        ledger.read_up_to(position + 1)
        return position

    def ready(self, endpoint: Endpoint = Endpoint.ADD_TAGS) -> int:
        """How many are ready now."""
        self.debouncer.advance(self.clock())
        return self.debouncer.ready.waiting(endpoint)

    def cut(self, endpoint: Endpoint = Endpoint.ADD_TAGS) -> Request:
        """The next request now."""
        self.debouncer.advance(self.clock())
        return self.debouncer.cut(endpoint)

    def confirm(self, request: Request) -> None:
        """All of its users are settled."""
        for user_id in request.parts:
            self.debouncer.settle(user_id, self.clock())


@pytest.fixture
def users() -> Users:
    return Users()


def test_a_quiet_user_is_ready_after_the_quiet_time(users: Users) -> None:
    users.tell(ALICE, AddTag("a"))

    users.clock.advance(1.999)
    assert users.ready() == 0
    users.clock.advance(0.001)
    assert users.ready() == 1


def test_a_user_who_never_goes_quiet_is_sent_after_the_longest_wait(users: Users) -> None:
    """Activity delays a user, but never for ever."""
    for second in range(10):
        users.tell(ALICE, AddTag(f"viewed-{second}"))
        assert users.ready() == 0
        users.clock.advance(1.0)

    assert list(users.cut().parts) == [ALICE]


def test_an_old_event_makes_its_user_ready_at_once(users: Users) -> None:
    """After a long outage the wait is over before it begins; users are folded while they queue."""
    users.tell(ALICE, AddTag("a"), age=3600)

    assert users.ready() == 1


def test_an_event_from_the_future_counts_as_one_of_now(users: Users) -> None:
    """A producer's clock that is ahead must not hold a user back."""
    users.tell(ALICE, AddTag("a"), age=-3600)
    for _ in range(10):
        users.clock.advance(1.0)
        users.tell(ALICE, AddTag("a"), age=-3600)

    assert users.ready() == 1


def test_an_urgent_change_is_ready_at_once_and_takes_what_waits_with_it(users: Users) -> None:
    users.tell(ALICE, AddTag("a"))
    users.tell(ALICE, AddTag("b"), urgent=True)

    assert users.cut().parts == {ALICE: ["a", "b"]}


def test_an_urgent_change_does_not_make_the_next_ones_urgent(users: Users) -> None:
    users.tell(ALICE, AddTag("a"), urgent=True)
    users.confirm(users.cut())
    users.tell(ALICE, AddTag("b"))

    assert users.ready() == 0


def test_a_user_takes_what_arrives_until_his_request_is_cut(users: Users) -> None:
    """The later it is folded, the fewer requests."""
    users.tell(ALICE, AddTag("a"))
    users.clock.advance(2.0)
    assert users.ready() == 1
    users.tell(ALICE, AddTag("b"))

    assert users.cut().parts == {ALICE: ["a", "b"]}


def test_a_ready_user_changes_queues_with_what_arrives(users: Users) -> None:
    """The part that leaves first is another one now."""
    users.tell(ALICE, AddTag("a"), urgent=True)
    users.tell(ALICE, RemoveTag("b"))

    assert (users.ready(), users.ready(Endpoint.REMOVE_TAGS)) == (0, 1)


def test_nobody_is_in_two_requests(users: Users) -> None:
    """What arrives while a request is under way waits for its end, and for quiet."""
    users.tell(ALICE, AddTag("a"), urgent=True)
    request = users.cut()
    users.tell(ALICE, RemoveTag("a"))
    users.clock.advance(60)

    assert users.ready(Endpoint.REMOVE_TAGS) == users.ready() == 0
    users.confirm(request)
    assert users.cut(Endpoint.REMOVE_TAGS).parts == {ALICE: ["a"]}


def test_the_parts_of_a_user_leave_one_after_another(users: Users) -> None:
    """Tags before attributes, each when the one before is confirmed; settled when the last one is."""
    users.tell(ALICE, SetAttribute("city", "Shenzhen"), AddTag("a"), urgent=True)

    tags = users.cut()
    assert users.ready(Endpoint.SET_ATTRIBUTES) == 0
    users.confirm(tags)
    assert users.ledger.settled_position == 0
    attributes = users.cut(Endpoint.SET_ATTRIBUTES)
    users.confirm(attributes)

    assert (tags.parts, attributes.parts) == ({ALICE: ["a"]}, {ALICE: {"city": "Shenzhen"}})
    assert users.ledger.settled_position == 1
    assert len(users.debouncer) == 0


def test_a_newer_word_replaces_what_the_round_has_not_sent(users: Users) -> None:
    """A stale value never leaves once a newer one is known."""
    users.tell(ALICE, SetAttribute("city", "Beijing"), AddTag("a"), urgent=True)
    tags = users.cut()
    users.tell(ALICE, SetAttribute("city", "Shenzhen"))
    users.confirm(tags)

    assert users.cut(Endpoint.SET_ATTRIBUTES).parts == {ALICE: {"city": "Shenzhen"}}


def test_a_round_ends_whatever_arrives(users: Users) -> None:
    """Its position is settled in the end, though its user never stops changing."""
    first = users.tell(ALICE, AddTag("0"), urgent=True)
    request = users.cut()
    for tag in range(1, 30):
        users.tell(ALICE, AddTag(f"{tag}"))
    users.confirm(request)

    assert users.ledger.settled_position == first + 1


def test_all_tags_removed_ends_what_the_round_had_left_of_tags(users: Users) -> None:
    """The user stands in a queue with nothing left of his round: what arrived takes its place."""
    users.tell(ALICE, *(AddTag(f"{n}") for n in range(15)), urgent=True)
    users.confirm(users.cut())
    assert users.ready() == 1

    users.tell(ALICE, RemoveAllTags(), AddTag("a"))

    assert users.ready() == 0
    users.confirm(users.cut(Endpoint.REMOVE_ALL_TAGS))
    last = users.cut()
    assert last.parts == {ALICE: ["a"]}
    assert users.ledger.settled_position == 0
    users.confirm(last)
    assert users.ledger.settled_position == 2


def test_who_comes_back_waits_while_others_go_on(users: Users) -> None:
    """After an ambiguous end the API may still be applying the request."""
    users.tell(ALICE, AddTag("a"), urgent=True)
    request = users.cut()
    users.debouncer.came_back(request, ALICE, not_before=users.clock() + 3.0)
    users.tell(ALICE, AddTag("b"), urgent=True)
    users.tell(BOB, AddTag("a"), urgent=True)

    assert list(users.cut().parts) == [BOB]
    users.clock.advance(2.999)
    assert users.ready() == 0
    users.clock.advance(0.001)
    assert users.cut().parts == {ALICE: ["a", "b"]}


def test_what_comes_back_holds_its_position(users: Users) -> None:
    users.tell(ALICE, AddTag("a"), urgent=True)
    request = users.cut()
    users.tell(ALICE, AddTag("b"))
    users.debouncer.came_back(request, ALICE, not_before=0.0)

    assert users.ledger.settled_position == 0
    users.clock.advance(2.0)
    users.confirm(users.cut())
    assert users.ledger.settled_position == 2


def test_a_wake_up_is_never_later_than_the_next_ready_user(users: Users) -> None:
    """On an idle stream the clock wakes the loop, not the next event."""
    wake_ups = [users.debouncer.next_ready_at]
    users.tell(ALICE, AddTag("a"))
    wake_ups.append(users.debouncer.next_ready_at)
    users.clock.advance(1.0)
    users.tell(BOB, AddTag("a"), urgent=True)
    wake_ups.append(users.debouncer.next_ready_at)

    assert wake_ups == [None, START + 2.0, START + 1.0]


def test_a_held_user_is_ready_when_the_hold_ends(users: Users) -> None:
    users.held = True
    users.tell(ALICE, AddTag("a"), urgent=True)
    assert users.ready() == 0
    users.tell(ALICE, AddTag("b"), urgent=True)

    users.held = False
    assert users.ready() == 0
    users.debouncer.release(users.clock())

    assert users.cut().parts == {ALICE: ["a", "b"]}


def test_a_drain_waits_for_no_quiet_and_sends_nobody_who_is_held(users: Users) -> None:
    users.tell(ALICE, AddTag("a"))
    users.debouncer.drain(users.clock())
    assert users.ready() == 1
    users.confirm(users.cut())
    assert users.debouncer.drained

    users.held = True
    users.tell(BOB, AddTag("a"))
    users.debouncer.advance(users.clock())

    assert users.debouncer.drained
    assert len(users.debouncer) == 1


def test_a_drain_waits_out_an_ambiguous_end(users: Users) -> None:
    users.tell(ALICE, AddTag("a"), urgent=True)
    users.debouncer.came_back(users.cut(), ALICE, not_before=users.clock() + 3.0)

    users.debouncer.drain(users.clock())

    assert users.ready() == 0
    users.clock.advance(3.0)
    assert users.ready() == 1


def test_users_on_partitions_of_two_numbers_are_counted(users: Users) -> None:
    """A wrong key: two replicas may then be sending one user's changes."""
    same, other = Ledger("others", 0, 0), Ledger("others", 1, 0)
    users.tell(ALICE, AddTag("a"))
    users.tell(ALICE, AddTag("b"), ledger=same)
    assert users.debouncer.seen_on_two_numbers == 0

    users.tell(BOB, AddTag("a"))
    users.tell(BOB, AddTag("b"), ledger=other)

    assert users.debouncer.seen_on_two_numbers == 1


def test_it_is_told_where_what_is_under_way_began(users: Users) -> None:
    """The dead letters name it, so that a repeat is recognised."""
    users.tell(BOB, AddTag("a"))
    users.tell(ALICE, AddTag("a"), urgent=True)
    assert [mark.position for mark in users.debouncer.marks_of(ALICE)] == [1]
    users.cut()
    users.tell(ALICE, AddTag("b"))

    assert [mark.position for mark in users.debouncer.marks_of(ALICE)] == [1]


def test_who_was_confirmed_and_waits_for_nothing_may_witness(users: Users) -> None:
    """Sending him again changes nothing, and tells whether the endpoint works."""
    users.tell(ALICE, AddTag("a"), urgent=True)
    request = users.cut()
    users.confirm(request)
    users.debouncer.confirmed(request, [ALICE], 0.0)

    assert users.debouncer.cut_witness(Endpoint.ADD_TAGS, frozenset()) == request
    assert not users.debouncer.has_witness(Endpoint.ADD_TAGS, frozenset())
    assert users.debouncer.settle(ALICE, users.clock()) is not None
    assert len(users.debouncer) == 0


def test_who_waits_for_something_newer_is_no_witness_until_that_is_confirmed(users: Users) -> None:
    """His old value would be sent after the newer one."""
    users.tell(ALICE, SetAttribute("city", "old"), urgent=True)
    request = users.cut(Endpoint.SET_ATTRIBUTES)
    users.tell(ALICE, SetAttribute("city", "new"), urgent=True)
    users.confirm(request)
    users.debouncer.confirmed(request, [ALICE], 0.0)
    assert users.debouncer.cut_witness(Endpoint.SET_ATTRIBUTES, frozenset({"city"})) is None
    users.confirm(users.cut(Endpoint.SET_ATTRIBUTES))

    witnessed = users.debouncer.cut_witness(Endpoint.SET_ATTRIBUTES, frozenset({"city"}))
    assert witnessed is not None
    assert witnessed.parts == {ALICE: {"city": "new"}}


def test_a_witness_speaks_for_the_names_of_his_own_change(users: Users) -> None:
    users.tell(ALICE, SetAttribute("city", "x"), urgent=True)
    request = users.cut(Endpoint.SET_ATTRIBUTES)
    users.confirm(request)

    assert users.debouncer.confirmed(request, [ALICE], 0.0) == {"city"}
    assert users.debouncer.has_witness(Endpoint.SET_ATTRIBUTES, frozenset({"city"}))
    assert not users.debouncer.has_witness(Endpoint.SET_ATTRIBUTES, frozenset({"tier"}))
    assert not users.debouncer.has_witness(Endpoint.REMOVE_ATTRIBUTES, frozenset({"city"}))


def test_what_was_skipped_is_known_until_its_round_is_settled(users: Users) -> None:
    """Else a dead letter that is replayed meanwhile would bring an older value over it."""
    known = Confirmations(seconds=60.0, most_names=100)
    users.debouncer = Debouncer(TIMES, may_send=lambda _: True, confirmations=known)
    known.confirmed(ALICE, Endpoint.SET_ATTRIBUTES, {"city": "new"}, users.clock())
    users.tell(ALICE, AddTag("a"), SetAttribute("city", "new"), urgent=True)
    users.ready()

    skipped = users.debouncer.skip_repeats(Endpoint.ADD_TAGS, users.clock())
    assert skipped is not None
    assert skipped.changes == 1
    assert users.debouncer.skip_repeats(Endpoint.ADD_TAGS, users.clock()) is None
    assert users.cut().parts == {ALICE: ["a"]}
    assert known_of(users.debouncer.user(ALICE)).attributes == {"city": "new"}
    assert users.debouncer.settle(ALICE, users.clock()) is not None
    assert users.ledger.settled_position == 1
