"""What was confirmed last of users: bounded, and with the events that it is from."""

from audience_sync.core.changes import Endpoint, UserId
from audience_sync.core.last_confirmed import LastConfirmed
from audience_sync.core.ledger import Ledger, Origin

ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
LEDGER = Ledger("events", 3, 0)


def test_the_last_part_is_kept_an_endpoint_each() -> None:
    """With the first event of what was folded."""
    last = LastConfirmed(most_users=10)
    last.confirmed(ALICE, Endpoint.ADD_TAGS, ["a"], [LEDGER.mark(7, 1.0)], 2.0)
    last.confirmed(ALICE, Endpoint.SET_ATTRIBUTES, {"city": "A"}, [LEDGER.mark(8, 3.0)], 4.0)
    last.confirmed(ALICE, Endpoint.ADD_TAGS, ["b"], [LEDGER.mark(9, 5.0)], 6.0)

    found = last.of(ALICE)
    assert {endpoint: (each.part, each.at) for endpoint, each in found.items()} == {
        Endpoint.ADD_TAGS: (["b"], 6.0),
        Endpoint.SET_ATTRIBUTES: ({"city": "A"}, 4.0),
    }
    assert found[Endpoint.ADD_TAGS].origins == (Origin("events", 3, 9, 5.0),)
    assert last.of(BOB) == {}


def test_whoever_was_confirmed_longest_ago_is_forgotten() -> None:
    """Memory has a bound."""
    last = LastConfirmed(most_users=2)
    for at, user in enumerate((ALICE, BOB, ALICE, CAROL)):
        last.confirmed(user, Endpoint.ADD_TAGS, ["a"], [LEDGER.mark(at, 1.0)], float(at))

    assert len(last) == 2
    assert last.of(BOB) == {}
    assert last.of(ALICE)[Endpoint.ADD_TAGS].at == 2.0


def test_a_witness_tells_nothing_new() -> None:
    """He was sent what he had; what he was confirmed with before stays."""
    last = LastConfirmed(most_users=2)
    last.confirmed(ALICE, Endpoint.ADD_TAGS, ["a"], [LEDGER.mark(1, 1.0)], 2.0)
    last.confirmed(ALICE, Endpoint.ADD_TAGS, ["a"], [], 9.0)

    assert last.of(ALICE)[Endpoint.ADD_TAGS].at == 2.0
