"""A gap in the log is a loss only if the partition begins behind what was to be read."""

from audience_sync.core.ownership import PartitionKey
from audience_sync.events.gaps import Gaps

KEY, OTHER = PartitionKey("city-changed", 0), PartitionKey("city-changed", 1)


def test_what_retention_cut_is_lost_from_what_was_to_be_read_to_the_beginning() -> None:
    gaps = Gaps()
    gaps.passed(KEY, 100, 180)

    assert gaps.lost({KEY: 180}) == {KEY: (100, 180)}
    assert not gaps


def test_markers_and_what_was_compacted_away_are_no_loss() -> None:
    """The partition still begins before them."""
    gaps = Gaps()
    gaps.passed(KEY, 100, 101)
    gaps.passed(OTHER, 50, 9_000)

    assert gaps.lost({KEY: 0, OTHER: 50}) == {}


def test_what_retention_cut_after_it_was_read_is_no_loss() -> None:
    """It begins behind the gap by the time somebody looks."""
    gaps = Gaps()
    gaps.passed(KEY, 100, 101)

    assert gaps.lost({KEY: 5_000}) == {}


def test_the_widest_gap_of_a_partition_is_kept() -> None:
    """A marker beside it must not hide it."""
    gaps = Gaps()
    gaps.passed(KEY, 100, 101)
    gaps.passed(KEY, 200, 900)
    gaps.passed(KEY, 1_000, 1_001)

    assert gaps.lost({KEY: 850}) == {KEY: (200, 850)}


def test_records_that_follow_each_other_are_no_gap() -> None:
    gaps = Gaps()
    gaps.passed(KEY, 100, 100)

    assert not gaps


def test_without_an_answer_nothing_is_claimed() -> None:
    gaps = Gaps()
    gaps.passed(KEY, 100, 180)

    assert gaps.lost({}) == {}
