"""How many requests may start, and when."""

from itertools import pairwise

import pytest

from audience_sync.core.pace import CATCH_UP_SECONDS, HEADROOM, SLOWEST, Pace, share_of


def starts(pace: Pace, now: float, *, until: float) -> list[float]:
    """Every start that permits allow, with timers that are never late and requests that end at once."""
    moments: list[float] = []
    while (at := pace.permit_at()) is not None and max(at, now) < until:
        now = max(at, now)
        pace.start(now)
        pace.confirmed()
        moments.append(now)
    return moments


def test_permits_are_evenly_spaced_below_the_limit() -> None:
    moments = starts(Pace(calls_per_second=100, most_in_flight=4), 1000.0, until=1010.0)

    assert len(moments) == pytest.approx(10 * 100 * HEADROOM, abs=3)
    spaces = [later - earlier for earlier, later in pairwise(moments[5:])]
    assert spaces == pytest.approx([1 / 97] * len(spaces))


def test_the_pace_is_this_replicas_share() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    pace.share = 0.25

    assert pace.calls_per_second(0.0) == pytest.approx(24.25)


@pytest.mark.parametrize("limit", [1, 3, 5, 7, 8, 33, 100])
@pytest.mark.parametrize("replicas", [1, 2, 3, 4])
def test_shares_are_whole_calls_that_add_up_to_the_limit(limit: int, replicas: int) -> None:
    """Fractions would: three replicas at five calls a second made six in some seconds."""
    partitions = 8
    owned = [range(partitions * n // replicas, partitions * (n + 1) // replicas) for n in range(replicas)]
    shares = [share_of(own, partitions=partitions, calls_per_second=limit) for own in owned]
    calls = [share * limit for share in shares]

    if limit >= replicas * 2:
        assert sum(calls) == pytest.approx(limit)
        assert all(call == pytest.approx(round(call)) for call in calls)
    assert all(calls), "nobody is left without a call"


def test_a_partition_that_nobody_counted_adds_nothing() -> None:
    """It came later; its share would be above the limit."""
    assert share_of([0, 1, 9], partitions=2, calls_per_second=10) == 1.0


def test_without_a_share_nothing_starts() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    pace.share = 0.0

    assert pace.permit_at() is None


def test_permits_that_nobody_took_are_not_saved() -> None:
    """After an hour of nothing, the burst is what a late timer may catch up, not an hour's calls."""
    pace = Pace(calls_per_second=100, most_in_flight=1000)
    pace.start(1000.0)

    burst = 0
    while (at := pace.permit_at()) is not None and at <= 4600.0:
        pace.start(4600.0)
        burst += 1

    assert burst <= 1 + CATCH_UP_SECONDS * 97


def test_no_more_than_so_many_are_in_flight() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=2)
    pace.start(1000.0)
    pace.start(1001.0)
    assert (pace.in_flight, pace.permit_at()) == (2, None)

    pace.untried()

    assert pace.in_flight == 1
    assert pace.permit_at() is not None


def test_a_refusal_slows_and_quiet_makes_faster_again() -> None:
    """0.7 of the pace after each, 0.02 more with every second, never below a twentieth nor above all of it."""
    pace = Pace(calls_per_second=100, most_in_flight=4)

    pace.refused_for_its_rate(1000.0)
    assert pace.calls_per_second(1000.0) == pytest.approx(0.7 * 97)
    assert pace.calls_per_second(1005.0) == pytest.approx(0.8 * 97)
    assert pace.calls_per_second(2000.0) == pytest.approx(97)
    for _ in range(50):
        pace.refused_for_its_rate(2000.0)

    assert pace.calls_per_second(2000.0) == pytest.approx(SLOWEST * 97)


def test_an_endpoint_rests_longer_with_each_failure_in_a_row() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    now, rests = 1000.0, []
    for _ in range(9):
        pace.start(now)
        pace.failed(now, chance=0.999)
        permit = pace.permit_at()
        assert permit is not None
        rests.append(permit - now)
        now = permit

    assert rests[:4] == pytest.approx([0.5, 1.0, 2.0, 4.0], rel=0.01)
    assert rests[-1] == pytest.approx(30.0, rel=0.01)


def test_requests_that_fail_together_are_one_failure() -> None:
    """Four that were in flight when the network went must not rest the endpoint for eight seconds."""
    pace = Pace(calls_per_second=100, most_in_flight=4)
    for index in range(4):
        pace.start(1000.0 + index)

    for _ in range(4):
        pace.failed(1004.0, chance=0.0)

    assert pace.permit_at() == pytest.approx(1004.25)


def test_a_confirmation_ends_the_row_of_failures() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    for now in (1000.0, 1010.0, 1020.0):
        pace.start(now)
        pace.failed(now, chance=0.0)
    pace.start(1030.0)
    pace.confirmed()
    pace.start(1031.0)
    pace.failed(1031.0, chance=0.0)

    assert pace.permit_at() == pytest.approx(1031.25)
