"""The ledger against a model that keeps every position."""

from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.ledger import Ledger, Mark, earliest

steps = st.lists(st.tuples(st.sampled_from(["mark", "skip", "settle"]), st.integers(0, 30)), max_size=60)


@given(st.integers(0, 1000), steps)
def test_what_may_be_committed_is_the_lowest_unsettled_position(
    start: int, history: list[tuple[str, int]]
) -> None:
    """Whatever is settled in whatever order, with gaps, and settled twice."""
    ledger = Ledger("events", 0, start)
    marks: list[Mark] = []
    unsettled: set[int] = set()
    read = start
    for step, number in history:
        if step == "settle" and marks:
            mark = marks[number % len(marks)]
            mark.settle()
            unsettled.discard(mark.position)
        elif step == "mark":
            position = read + number % 3  # compaction and markers leave gaps
            marks.append(ledger.mark(position, float(position)))
            unsettled.add(position)
            read = position + 1
            ledger.read_up_to(read)
        elif step == "skip":
            read += number
            ledger.read_up_to(read)

        assert ledger.settled_position == min(unsettled, default=read)
        assert ledger.oldest_at == (float(min(unsettled)) if unsettled else None)
        assert ledger.read_position == read


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12))
def test_two_lists_of_marks_become_one_that_covers_both(drawn: list[tuple[int, bool]]) -> None:
    """One mark a partition remains, and no position that was unsettled is let go."""
    ledgers = [Ledger("events", number, 0) for number in range(3)]
    lists: tuple[list[Mark], list[Mark]] = ([], [])
    for position, (number, second) in enumerate(drawn):
        marks = lists[second]
        if all(mark.ledger is not ledgers[number] for mark in marks):
            marks.append(ledgers[number].mark(position, 0.0))
            ledgers[number].read_up_to(position + 1)
    before = [ledger.settled_position for ledger in ledgers]

    kept = earliest(*lists)

    assert len({mark.ledger.number for mark in kept}) == len(kept)
    assert [ledger.settled_position for ledger in ledgers] == before
    for mark in kept:
        mark.settle()
    assert [ledger.settled_position for ledger in ledgers] == [ledger.read_position for ledger in ledgers]
