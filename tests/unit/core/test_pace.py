"""How many requests may start, and when."""

from itertools import pairwise
from typing import Final

import pytest

from audience_sync.core.pace import (
    CATCH_UP_SECONDS,
    HEADROOM,
    LONGEST_REST_SECONDS,
    MARGIN_SECONDS,
    SLOWEST,
    SPREAD_SECONDS,
    TRUSTED_ANSWERS,
    Call,
    Pace,
)

SECOND: Final = 1.0 + MARGIN_SECONDS


def starts(pace: Pace, now: float, *, until: float) -> list[float]:
    """Every start that permits allow, with timers that are never late and requests that end at once."""
    moments: list[float] = []
    while (at := pace.permit_at()) is not None and max(at, now) < until:
        now = max(at, now)
        confirm(pace, pace.start(now), now)
        moments.append(now)
    return moments


def confirm(pace: Pace, call: Call, now: float) -> None:
    """The call ends well."""
    pace.ended(call, now)
    pace.confirmed(call)


def fail(pace: Pace, call: Call, now: float, *, chance: float) -> None:
    """The call ends otherwise."""
    pace.ended(call, now)
    pace.failed(now, chance)


def refuse(pace: Pace, call: Call, now: float) -> None:
    """The call was one too many."""
    pace.ended(call, now)
    pace.refused_for_its_rate(call, now)


def seasoned(pace: Pace, *, answer_seconds: float) -> Pace:
    """Long ago there were answers enough, after so many seconds each."""
    for number in range(TRUSTED_ANSWERS):
        confirm(pace, pace.start(number), number + answer_seconds)
    return pace


def in_a_burst(pace: Pace, now: float) -> int:
    """How many may start at this moment; all of them stay under way."""
    count = 0
    while (at := pace.permit_at()) is not None and at <= now:
        pace.start(now)
        count += 1
    return count


def test_permits_are_evenly_spaced_below_the_limit() -> None:
    """From the first, wherever the API's second begins."""
    moments = starts(Pace(calls_per_second=100, most_in_flight=4), 1000.0, until=1010.0)

    assert len(moments) == pytest.approx(10 * 100 * HEADROOM, abs=1)
    spaces = [later - earlier for earlier, later in pairwise(moments)]
    assert spaces == pytest.approx([1 / 97] * len(spaces))


def test_the_pace_is_this_replicas_share() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    pace.share = 0.25

    assert pace.calls_per_second(0.0) == pytest.approx(24.25)


def test_without_a_share_nothing_starts() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    pace.share = 0.0

    assert pace.permit_at() is None


def test_permits_that_nobody_took_are_not_saved() -> None:
    """After an hour of nothing there is one call, and not a burst."""
    pace = Pace(calls_per_second=100, most_in_flight=1000)
    pace.start(1000.0)

    assert in_a_burst(pace, 4600.0) == 1


def test_a_late_timer_loses_no_permits() -> None:
    """What it has missed starts at once, as long as that is little."""
    pace = Pace(calls_per_second=100, most_in_flight=1000)
    pace.start(1000.0)

    assert in_a_burst(pace, 1000.0 + CATCH_UP_SECONDS) == int(CATCH_UP_SECONDS * 97)


def test_no_more_than_so_many_are_in_flight() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=2)
    first = pace.start(1000.0)
    pace.start(1001.0)
    assert (pace.in_flight, pace.permit_at()) == (2, None)

    pace.ended(first, 1002.0)

    assert pace.in_flight == 1
    assert pace.permit_at() is not None


def test_an_answer_that_took_longer_than_others_may_have_been_counted_late() -> None:
    """The call that is one too many for a second waits for so much longer."""
    pace = seasoned(Pace(calls_per_second=2, most_in_flight=10), answer_seconds=0.1)
    confirm(pace, pace.start(1000.6), 1000.9)  # 0.2 s longer
    confirm(pace, pace.start(1001.2), 1001.3)

    assert pace.permit_at() == pytest.approx(1000.6 + SECOND + 0.2)


def test_until_there_were_a_few_answers_each_may_have_been_counted_at_its_end() -> None:
    """Where all were late so far, the quickest of them hides how long the others were on their way."""
    pace = Pace(calls_per_second=2, most_in_flight=10)
    for number in range(TRUSTED_ANSWERS - 1):
        confirm(pace, pace.start(1000.0 + number), 1000.6 + number)
    last_but_one = 1000.0 + TRUSTED_ANSWERS - 3
    assert pace.permit_at() == pytest.approx(last_but_one + SECOND + 0.6)

    confirm(pace, pace.start(1020.0), 1020.6)
    confirm(pace, pace.start(1020.6), 1021.2)

    assert pace.permit_at() == pytest.approx(1020.0 + 2 / (2 * HEADROOM))


def test_a_call_without_an_answer_counts_as_late_as_can_be_and_no_later() -> None:
    """A time-out does not keep its place for the whole of its time."""
    pace = Pace(calls_per_second=2, most_in_flight=10)
    confirm(pace, pace.start(1000.0), 1000.1)
    under_way = pace.start(1000.6)
    confirm(pace, pace.start(1001.2), 1001.3)
    assert pace.permit_at() == pytest.approx(1000.6 + SECOND + SPREAD_SECONDS)

    pace.ended(under_way, 1004.0)

    assert pace.permit_at() == pytest.approx(1000.6 + SECOND + SPREAD_SECONDS)


def test_a_refusal_slows_and_quiet_makes_faster_again() -> None:
    """0.7 of the pace after each, 1.03 of it with every second, never below a hundredth nor above all of it."""
    pace = Pace(calls_per_second=100, most_in_flight=4)

    refuse(pace, pace.start(1000.0), 1000.0)
    assert pace.calls_per_second(1000.0) == pytest.approx(0.7 * 97)
    assert pace.calls_per_second(1005.0) == pytest.approx(0.7 * 1.03**5 * 97)
    assert pace.calls_per_second(1e9) == pytest.approx(97)
    for number in range(50):
        refuse(pace, pace.start(2000.0 + number), 2000.0 + number)

    assert pace.calls_per_second(2049.0) == pytest.approx(SLOWEST * 97)
    assert pace.calls_per_second(2049.0 + 150.0) < 97
    assert pace.calls_per_second(2049.0 + 160.0) == pytest.approx(97)


def test_calls_that_were_under_way_are_refused_for_the_pace_that_was_lowered_already() -> None:
    """Ten that were too fast together slow the endpoint once; one that is too fast after that, once more."""
    pace = Pace(calls_per_second=100, most_in_flight=20)
    calls = [pace.start(1000.0 + index / 100) for index in range(10)]

    for call in calls:
        refuse(pace, call, 1000.2)
    assert pace.calls_per_second(1000.2) == pytest.approx(0.7 * 97)

    refuse(pace, pace.start(1000.3), 1000.3)
    assert pace.calls_per_second(1000.3) == pytest.approx(0.7**2 * 1.03**0.1 * 97)


def test_an_endpoint_rests_longer_with_each_failure_in_a_row() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    now, rests = 1000.0, []
    for _ in range(9):
        fail(pace, pace.start(now), now, chance=0.999)
        permit = pace.permit_at()
        assert permit is not None
        rests.append(permit - now)
        now = permit

    assert rests[:4] == pytest.approx([0.5, 1.0, 2.0, 4.0], rel=0.01)
    assert rests[-1] == pytest.approx(LONGEST_REST_SECONDS, rel=0.01)


def test_requests_that_fail_together_are_one_failure() -> None:
    """Four that were in flight when the network went must not rest the endpoint for eight seconds."""
    pace = Pace(calls_per_second=100, most_in_flight=4)
    calls = [pace.start(1000.0 + index) for index in range(4)]

    for call in calls:
        fail(pace, call, 1004.0, chance=0.0)

    assert pace.permit_at() == pytest.approx(1004.25)


def test_a_confirmation_ends_the_row_of_failures() -> None:
    pace = Pace(calls_per_second=100, most_in_flight=4)
    for now in (1000.0, 1010.0, 1020.0):
        fail(pace, pace.start(now), now, chance=0.0)
    confirm(pace, pace.start(1030.0), 1030.0)
    fail(pace, pace.start(1031.0), 1031.0, chance=0.0)

    assert pace.permit_at() == pytest.approx(1031.25)
