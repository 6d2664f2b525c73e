"""Permits over made-up demand and delays: never above the limit as the API counts it, and hardly below it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import chain, count, cycle, islice
from typing import Final, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import (
    HEADROOM,
    LONGEST_REST_SECONDS,
    SLOWEST,
    SPREAD_SECONDS,
    TRUSTED_ANSWERS,
    Call,
    Pace,
)
from audience_sync.core.shares import Shares

PARTITIONS: Final = 12
QUICKEST: Final = (0.005, 0.02)
"""The shortest way to the API, and the shortest rest until the answer is there (seconds)."""

limits = st.sampled_from([5, 7, 10, 33, 100, 200])
replicas = st.integers(1, 4)
ways = st.lists(
    st.tuples(st.floats(0.0, SPREAD_SECONDS) | st.floats(0.0, 0.01), st.floats(0.0, 1.0)),
    min_size=1,
    max_size=40,
)
"""How much longer a call is on its way there, and its answer comes after that, than the quickest (seconds)."""

timers = st.lists(st.floats(0.0, 0.02) | st.floats(0.0, 0.3), min_size=1, max_size=20)
"""How late a loop wakes up (seconds)."""

silences = st.lists(st.just(0.0) | st.floats(0.0, 3.0), min_size=1, max_size=10)
"""How long nobody is ready after a start (seconds)."""


class Served(NamedTuple):
    """What the API saw of all replicas: when calls reached it."""

    counted_at: list[float]

    def most_in_a_second(self) -> int:
        """How many the fullest sliding second holds."""
        moments = sorted(self.counted_at)
        return max(
            (index + 1 - bisect_left(moments, moment - 1.0 + 1e-6) for index, moment in enumerate(moments)),
            default=0,
        )


def live(
    *,
    limit: int,
    replicas: int,
    ways: list[tuple[float, float]],
    timers: list[float],
    silences: list[float],
    quickest: int = 0,
    seconds: float,
) -> Served:
    """So many replicas call for so many seconds, each with its share, as often as their permits allow.

    One of the first ten calls of each is the quickest that there can be: what a replica measures others against.
    """
    served = Served([])
    shares = Shares()
    shares.learn({"events": PARTITIONS})
    for replica in range(replicas):
        own = range(PARTITIONS * replica // replicas, PARTITIONS * (replica + 1) // replicas)
        pace = Pace(calls_per_second=limit, most_in_flight=10_000)
        pace.share = shares.of([PartitionKey("events", number) for number in own], limit)
        drawn = cycle(ways[replica:] + ways[:replica])
        _call(pace, served, chain(islice(drawn, quickest), [(0.0, 0.0)], drawn), timers, silences, seconds)
    return served


def _call(
    pace: Pace,
    served: Served,
    way: Iterator[tuple[float, float]],
    timers: list[float],
    silences: list[float],
    seconds: float,
) -> None:
    now, late, silence, tie = 1000.0, cycle(timers), cycle(silences), count()
    ends: list[tuple[float, int, Call]] = []

    def start(there: float, back: float) -> None:
        served.counted_at.append(now + QUICKEST[0] + there)
        heappush(ends, (now + sum(QUICKEST) + there + back, next(tie), pace.start(now)))

    start(*next(way))
    wanted = now + 1.0
    while now < 1000.0 + seconds:
        permit = pace.permit_at()
        assert permit is not None
        wake = max(now, permit, wanted)
        if ends and ends[0][0] <= wake:  # an answer may bring the permit forward
            now, _, call = heappop(ends)
            pace.ended(call, now)
            pace.confirmed(call)
        else:
            now = wake + next(late) if wake > now else now
            start(*next(way))
            wanted = now + next(silence)


@given(limits, replicas, ways, timers, silences, st.integers(0, TRUSTED_ANSWERS - 1))
@example(5, 1, [(0.0, 0.5), *[(0.5, 0.0)] * 5, *[(0.0, 0.5)] * 4], [0.0], [0.0], 9).via(
    "late, and none seems it"
)
@settings(max_examples=150, deadline=None)
def test_no_sliding_second_of_the_api_holds_more_calls_of_all_replicas_than_the_limit(
    limit: int,
    replicas: int,
    ways: list[tuple[float, float]],
    timers: list[float],
    silences: list[float],
    quickest: int,
) -> None:
    """In a stable group, each making the most that it may, whatever delays calls, answers and timers."""
    served = live(
        limit=limit,
        replicas=replicas,
        ways=ways,
        timers=timers,
        silences=silences,
        quickest=quickest,
        seconds=4.0,
    )

    assert served.most_in_a_second() <= limit


@given(
    limits,
    replicas,
    st.lists(st.tuples(st.floats(0.0, 0.01), st.floats(0.0, 0.03)), min_size=5, max_size=40),
    st.lists(st.floats(0.0, 0.02), min_size=5, max_size=20),
)
@settings(max_examples=40, deadline=None)
def test_endless_demand_uses_nearly_all_of_the_pace_though_timers_and_answers_are_late(
    limit: int, replicas: int, ways: list[tuple[float, float]], timers: list[float]
) -> None:
    """Loops that wake up to 20 ms late, and answers that differ by up to 40 ms."""
    seconds = 30.0
    served = live(limit=limit, replicas=replicas, ways=ways, timers=timers, silences=[0.0], seconds=seconds)

    assert len(served.counted_at) >= 0.95 * HEADROOM * limit * (
        seconds - 2
    )  # less the first, which waits for its answer
    assert served.most_in_a_second() <= limit


@given(limits, st.lists(st.tuples(st.floats(0.0, 2.0), st.booleans()), max_size=100))
@settings(max_examples=60, deadline=None)
def test_refusals_slow_an_endpoint_and_never_stop_it(limit: int, answers: list[tuple[float, bool]]) -> None:
    pace = Pace(calls_per_second=limit, most_in_flight=4)
    now = 1000.0
    for pause, refused in answers:
        permit = pace.permit_at()
        assert permit is not None
        assert permit - now <= LONGEST_REST_SECONDS + 1 / (SLOWEST * HEADROOM * limit) * 1.1, (
            "the longest rest, or a space"
        )
        now = max(now + pause, permit)
        call = pace.start(now)
        pace.ended(call, now)
        if refused:
            pace.refused_for_its_rate(call, now)
            pace.failed(now, 0.5)
        else:
            pace.confirmed(call)

    assert SLOWEST * HEADROOM * limit <= pace.calls_per_second(now) + 1e-9
    assert pace.calls_per_second(now) <= HEADROOM * limit + 1e-9
    assert pace.in_flight == 0


@given(st.integers(3, 50), st.sampled_from([100, 200]), st.floats(0.01, 0.4), st.floats(0.0, 0.999))
@settings(max_examples=30, deadline=None)
def test_a_limit_far_below_what_we_were_told_is_used_and_hardly_passed(
    limit: int, told: int, answer_seconds: float, chance: float
) -> None:
    """Endless demand at an API that allows *limit* calls a second, and we were told another number.

    Once the pace has found it: how fast that goes is in the scenarios.
    """
    pace, now, seconds, found_at = Pace(calls_per_second=told, most_in_flight=32), 0.0, 240.0, 60.0
    accepted: list[float] = []
    refused = 0
    ends: list[tuple[float, int, Call, bool]] = []
    ties = count()
    while now < seconds:
        permit = pace.permit_at()
        if ends and (permit is None or ends[0][0] <= permit):
            now, _, call, passed = heappop(ends)
            pace.ended(call, now)
            if passed:
                pace.confirmed(call)
            else:
                pace.refused_for_its_rate(call, now)
                pace.failed(now, chance)
            continue
        assert permit is not None
        now = max(now, permit)
        passed = len(accepted) - bisect_right(accepted, now - 1.0) < limit
        if passed:
            accepted.append(now)
        elif now >= found_at:
            refused += 1
        heappush(ends, (now + answer_seconds, next(ties), pace.start(now), passed))

    used = len(accepted) - bisect_right(accepted, found_at)
    assert refused <= 0.04 * (used + refused)
    assert used >= 0.78 * limit * (seconds - found_at)
