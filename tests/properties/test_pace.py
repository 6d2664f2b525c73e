"""Permits over made-up demand: never above the limit, and hardly below it."""

from bisect import bisect_left
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.core.pace import Pace, share_of

limits = st.sampled_from([5, 7, 10, 33, 100, 200])
delays = st.lists(st.floats(0.0, 0.02), min_size=1, max_size=20)
LATE = 0.02
"""As late as the pace promises to make good for."""


def most_in_a_second(moments: list[float]) -> int:
    """How many starts the fullest sliding second holds."""
    return max(
        (index + 1 - bisect_left(moments, moment - 1.0) for index, moment in enumerate(moments)), default=0
    )


@given(limits, st.lists(st.floats(0.0, 3.0) | st.floats(0.0, 0.02), min_size=1, max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_sliding_second_holds_more_than_the_limit(limit: int, idle: list[float]) -> None:
    """Whenever requests want to start: in bursts, late, or after a long silence."""
    pace = Pace(calls_per_second=limit, most_in_flight=10_000)
    now, moments = 1000.0, []
    for pause in idle:
        now += pause
        for _ in range(4):
            permit = pace.permit_at()
            assert permit is not None
            now = max(now, permit) if pause < LATE else now
            if permit <= now:
                pace.start(now)
                moments.append(now)

    assert most_in_a_second(moments) <= limit


@given(limits, delays)
@settings(max_examples=60, deadline=None)
def test_endless_demand_uses_nearly_all_of_the_limit_though_timers_are_late(
    limit: int, late: list[float]
) -> None:
    """A loop that wakes up to 20 ms late starts what it has missed."""
    pace = Pace(calls_per_second=limit, most_in_flight=100_000)
    now, moments, wakes = 1000.0, [], 0
    while now < 1060.0:
        permit = pace.permit_at()
        assert permit is not None
        if permit > now:
            now = permit + late[wakes % len(late)]
            wakes += 1
        pace.start(now)
        moments.append(now)

    assert len(moments) >= 0.95 * limit * 60
    assert most_in_a_second(moments) <= limit


@given(limits, st.lists(st.tuples(st.floats(0.0, 2.0), st.booleans()), max_size=100))
@settings(max_examples=60, deadline=None)
def test_refusals_slow_an_endpoint_and_never_stop_it(limit: int, answers: list[tuple[float, bool]]) -> None:
    pace = Pace(calls_per_second=limit, most_in_flight=4)
    now = 1000.0
    for pause, refused in answers:
        permit = pace.permit_at()
        assert permit is not None
        assert permit - now <= 30.0 + 20.0 / limit * 1.1, (
            "the longest rest, or a space at a twentieth of the pace"
        )
        now = max(now + pause, permit)
        pace.start(now)
        if refused:
            pace.refused_for_its_rate(now)
            pace.failed(now, 0.5)
        else:
            pace.confirmed()

    assert 0.05 * 0.97 * limit <= pace.calls_per_second(now) + 1e-9
    assert pace.calls_per_second(now) <= 0.97 * limit + 1e-9
    assert pace.in_flight == 0


@given(limits, st.integers(1, 4), st.lists(st.floats(0.0, 0.01), min_size=50, max_size=200), st.randoms())
@settings(max_examples=60, deadline=None)
def test_no_sliding_second_of_all_replicas_holds_more_than_the_limit(
    limit: int, replicas: int, late: list[float], chance: Random
) -> None:
    """In a stable group, each making the most that it may, with timers that are late as they like."""
    partitions = 12
    moments: list[float] = []
    for replica in range(replicas):
        own = range(partitions * replica // replicas, partitions * (replica + 1) // replicas)
        pace = Pace(calls_per_second=limit, most_in_flight=10_000)
        pace.share = share_of(own, partitions=partitions, calls_per_second=limit)
        if pace.share * limit < 1:
            return  # who has less than a call is the named exception
        now = 1000.0 + chance.random()
        for delay in late:
            at = pace.permit_at()
            assert at is not None
            now = max(now, at) + delay
            pace.start(now)
            moments.append(now)
    assert most_in_a_second(sorted(moments)) <= limit
