"""Which positions are settled."""

from audience_sync.core.ledger import Ledger, earliest


def test_what_may_be_committed_is_the_lowest_unsettled_position() -> None:
    ledger = Ledger("events", 0, 10)
    assert ledger.settled_position == 10

    first, second = ledger.mark(10, 1.0), ledger.mark(12, 2.0)
    ledger.read_up_to(20)
    assert (ledger.settled_position, ledger.oldest_at) == (10, 1.0)
    second.settle()
    assert ledger.settled_position == 10, "what is settled behind an unsettled one waits for it"
    first.settle()
    first.settle()

    assert (ledger.settled_position, ledger.oldest_at) == (20, None)


def test_records_that_cause_nothing_are_settled_when_read() -> None:
    ledger = Ledger("events", 0, 0)
    ledger.read_up_to(7)

    assert ledger.settled_position == 7


def test_what_was_read_never_goes_back() -> None:
    ledger = Ledger("events", 0, 5)
    ledger.read_up_to(3)

    assert ledger.read_position == 5


def test_of_two_lists_of_marks_the_earlier_of_each_partition_stays() -> None:
    one, other = Ledger("one", 0, 0), Ledger("other", 0, 0)
    early, late, only = one.mark(3, 0.0), one.mark(8, 0.0), other.mark(5, 0.0)
    for ledger in (one, other):
        ledger.read_up_to(9)

    assert earliest([late], [only, early]) == (early, only)

    early.settle()
    assert (one.settled_position, other.settled_position) == (9, 5), (
        "the later one was settled, the only one not"
    )
