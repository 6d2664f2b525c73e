"""One user's way: the moments and marks that the debouncer's tests do not see."""

from audience_sync.core.changes import AddTag, Endpoint, SetAttribute, UserId
from audience_sync.core.ledger import Ledger
from audience_sync.core.user_state import FEW, Step, User


def test_a_user_holds_one_mark_a_partition_however_many_records_he_waits_for() -> None:
    """Memory grows with users, not with events."""
    ledgers = [Ledger("one", 0, 0), Ledger("other", 0, 0)]
    user = User(UserId("alice"), 0.0, 0.0)

    for position in range(100):
        for ledger in ledgers:
            user.absorb([AddTag("a")], ledger, position, 0.0, 0.0)

    assert [(mark.ledger, mark.position) for mark in user.marks] == [(ledger, 0) for ledger in ledgers]


def test_a_user_waits_with_few_changes_however_many_come() -> None:
    """Memory grows with what there is to say of a user, not with how often it is said."""
    ledger, user, most = Ledger("events", 0, 0), User(UserId("alice"), 0.0, 0.0), 0
    for position in range(1000):
        user.absorb(
            [AddTag(f"{position % 5}"), SetAttribute("at", f"{position}")], ledger, position, 0.0, 0.0
        )
        most = max(most, len(user.waiting))

    assert most < 2 * FEW
    assert user.cut(Endpoint.ADD_TAGS) == ["0", "1", "2", "3", "4"]
    assert user.cut(Endpoint.SET_ATTRIBUTES) == {"at": "999"}


def test_the_wait_of_what_arrives_during_a_request_begins_with_its_own_first_event() -> None:
    ledger = Ledger("events", 0, 0)
    user = User(UserId("alice"), 10.0, 10.0)
    user.absorb([AddTag("a")], ledger, 0, 10.0, 10.0)
    user.cut(Endpoint.ADD_TAGS)
    user.absorb([AddTag("b")], ledger, 1, 50.0, 51.0)
    user.absorb([AddTag("c")], ledger, 2, 52.0, 59.9)
    user.settled()

    assert user.step is Step.SENDING  # the debouncer moves him
    assert user.ready_at(2.0, 10.0) == 60.0


def test_what_came_back_keeps_the_age_of_its_first_event() -> None:
    """A failed request does not make its users wait from the beginning."""
    ledger = Ledger("events", 0, 0)
    user = User(UserId("alice"), 10.0, 10.0)
    user.absorb([AddTag("a")], ledger, 0, 10.0, 10.0)
    part = user.cut(Endpoint.ADD_TAGS)
    user.absorb([AddTag("b")], ledger, 1, 19.0, 19.0)
    user.came_back(Endpoint.ADD_TAGS, part, 0.0)

    assert user.ready_at(2.0, 10.0) == 20.0


def test_a_word_that_the_round_absorbs_is_marked_there() -> None:
    """It leaves with the round, so the round's end must not settle it before."""
    one, other = Ledger("one", 0, 0), Ledger("other", 0, 0)
    user = User(UserId("alice"), 0.0, 0.0)
    user.absorb([AddTag("a"), SetAttribute("city", "Beijing")], one, 0, 0.0, 0.0)
    user.cut(Endpoint.ADD_TAGS)
    user.absorb([SetAttribute("city", "Shenzhen"), AddTag("b")], other, 7, 0.0, 0.0)
    other.read_up_to(8)

    assert user.settled() is None
    assert user.cut(Endpoint.SET_ATTRIBUTES) == {"city": "Shenzhen"}
    assert user.settled() is not None
    assert other.settled_position == 7, "the tag of the same event waits still"


def test_a_partition_whose_word_the_round_absorbs_is_held_until_the_rounds_end() -> None:
    """Though nothing of it waits outside the round."""
    one, other = Ledger("one", 0, 0), Ledger("other", 0, 0)
    user = User(UserId("alice"), 0.0, 0.0)
    user.absorb([AddTag("a"), SetAttribute("city", "Beijing")], one, 0, 0.0, 0.0)
    user.cut(Endpoint.ADD_TAGS)
    user.absorb([SetAttribute("city", "Shenzhen")], other, 7, 0.0, 0.0)
    other.read_up_to(8)
    user.settled()
    before = other.settled_position
    user.cut(Endpoint.SET_ATTRIBUTES)
    user.settled()

    assert (before, other.settled_position) == (7, 8)
