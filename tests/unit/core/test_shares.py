"""Whose part of the limit is how large."""

import pytest

from audience_sync.core.ownership import PartitionKey
from audience_sync.core.shares import Shares

TOPICS = ("membership", "city", "stocks")


def shares_of(*topics: str, partitions: int) -> Shares:
    """Those of topics with so many partitions each."""
    shares = Shares()
    shares.learn(dict.fromkeys(topics, partitions))
    return shares


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 8, 33, 100])
@pytest.mark.parametrize("replicas", [1, 2, 3, 4])
@pytest.mark.parametrize("topics", [TOPICS[:1], TOPICS])
def test_shares_are_whole_calls_that_add_up_to_the_limit(
    limit: int, replicas: int, topics: tuple[str, ...]
) -> None:
    """Fractions would not do: three replicas at five calls a second made six in some seconds."""
    shares = shares_of(*topics, partitions=8)
    calls = []
    for n in range(replicas):
        own = range(8 * n // replicas, 8 * (n + 1) // replicas)
        keys = [PartitionKey(topic, number) for topic in topics for number in own]
        calls.append(shares.of(keys, limit) * limit)
        assert calls[-1] == pytest.approx(limit * len(own) / 8, abs=1), (
            "nobody has much more than is due to him"
        )

    assert all(calls), "nobody is left without a call"
    if limit >= replicas * 2:
        assert sum(calls) == pytest.approx(limit)
        assert all(call == pytest.approx(round(call)) for call in calls)


def test_one_call_each_is_dealt_to_three_replicas_with_three_topics() -> None:
    """Dealt out topic after topic, all three went to whoever owns the last number of each."""
    shares = shares_of(*TOPICS, partitions=8)
    owned = [(0, 1, 2), (3, 4, 5), (6, 7)]

    calls = [shares.of([PartitionKey(t, n) for t in TOPICS for n in own], 3) * 3 for own in owned]

    assert calls == pytest.approx([1, 1, 1])


def test_a_partition_that_nobody_counted_adds_nothing() -> None:
    """It came later; its share would be above the limit."""
    keys = [PartitionKey("events", number) for number in (0, 1, 9)]

    assert shares_of("events", partitions=2).of(keys, 10) == 1.0


def test_who_owns_only_partitions_that_nobody_counted_has_a_call() -> None:
    """A replica may get nothing but them when topics have grown; without a call it would send nothing."""
    assert shares_of("events", partitions=2).of([PartitionKey("events", 9)], 10) == 0.1


def test_who_owns_nothing_has_no_share() -> None:
    assert shares_of("events", partitions=2).of([], 10) == 0.0


def test_before_anybody_has_counted_the_limit_is_ours() -> None:
    assert Shares().of([PartitionKey("events", 0)], 10) == 1.0
