"""How long to wait before the next try."""

import pytest

from audience_sync.core.backoff import FIRST_SECONDS, LONGEST_SECONDS, backoff_seconds


def test_the_wait_doubles_up_to_half_a_minute() -> None:
    assert [backoff_seconds(failures, chance=1.0) for failures in (1, 2, 3, 6, 7, 1000)] == [
        FIRST_SECONDS,
        2 * FIRST_SECONDS,
        4 * FIRST_SECONDS,
        16.0,
        LONGEST_SECONDS,
        LONGEST_SECONDS,
    ]


def test_who_calls_may_ask_for_shorter_waits() -> None:
    assert [backoff_seconds(failures, chance=1.0, longest=3.0) for failures in (1, 2, 3, 4, 1000)] == [
        FIRST_SECONDS,
        2 * FIRST_SECONDS,
        4 * FIRST_SECONDS,
        3.0,
        3.0,
    ]


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_chance_spreads_those_who_failed_together_over_the_upper_half(chance: float) -> None:
    assert LONGEST_SECONDS / 2 <= backoff_seconds(50, chance) < LONGEST_SECONDS
    assert backoff_seconds(50, chance) == LONGEST_SECONDS * (0.5 + chance / 2)
