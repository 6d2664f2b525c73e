"""How events spread over users, against made-up events and the real debouncer."""

import random
from typing import Final

import pytest

from audience_sync.core.activity import exponent_for, gathering_seconds, zipf
from audience_sync.core.changes import Endpoint, SetAttribute, UserId
from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.ledger import Ledger

QUIET: Final = 2.0
LONGEST: Final = 30.0


@pytest.mark.parametrize("users", [1, 64, 65, 1000, 10**6, 10**8])
@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.5])
def test_all_users_and_all_events_are_in_the_groups(users: int, exponent: float) -> None:
    """However they are grouped."""
    activity = zipf(users, 1000.0, exponent)

    assert sum(group.users for group in activity.groups) == users
    assert sum(group.users * group.events_per_second for group in activity.groups) == pytest.approx(1000.0)
    assert activity.busiest == max(group.events_per_second for group in activity.groups)


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.2])
def test_distinct_users_are_as_many_as_chance_makes(exponent: float) -> None:
    """20,000 events dealt out by chance."""
    chance, users = random.Random(7), 5000
    weights = [rank**-exponent for rank in range(1, users + 1)]
    drawn = len(set(chance.choices(range(users), weights, k=20_000)))

    assert zipf(users, 1000.0, exponent).distinct(20.0) == pytest.approx(drawn, rel=0.03)


def test_the_spread_follows_from_distinct_users() -> None:
    """There and back again."""
    distinct = zipf(100_000, 2000.0, 0.9).distinct(60.0)

    assert exponent_for(100_000, 2000.0, distinct=distinct, seconds=60.0) == pytest.approx(0.9, abs=0.001)


@pytest.mark.parametrize("distinct", [2.0, 100_000.0])
def test_more_users_than_events_can_not_be(distinct: float) -> None:
    """Nor fewer than the steepest spread has."""
    assert exponent_for(100_000, 1000.0, distinct=distinct, seconds=60.0) is None


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5, 1.0, 2.0, 5.0])
def test_gathering_takes_as_long_as_with_the_debouncer(rate: float) -> None:
    """The mean over many users, each with changes at random moments."""
    chance = random.Random(3)
    times = DebounceTimes(quiet_seconds=QUIET, longest_wait_seconds=LONGEST, fill_seconds=0.0)
    seconds = []
    for _ in range(400):
        debouncer = Debouncer(times, may_send=lambda _: True)
        ledger, user, now = Ledger("t", 0, 0), UserId("alice"), 0.0
        while True:
            debouncer.add(user, [SetAttribute("a", "b")], ledger=ledger, position=0, at=now, now=now)
            following = now + chance.expovariate(rate)
            while (ready_at := debouncer.next_ready_at) is not None and ready_at <= following:
                now = ready_at  # where he has changed since, he is only looked at again
                debouncer.advance(now)
            if debouncer.ready.waiting(Endpoint.SET_ATTRIBUTES):
                seconds.append(now)
                break
            now = following

    assert gathering_seconds(rate, quiet_seconds=QUIET, longest_wait_seconds=LONGEST) == pytest.approx(
        sum(seconds) / len(seconds), rel=0.1
    )


def test_gathering_is_never_longer_than_the_longest_wait() -> None:
    """Nor shorter than the quiet time, whatever the rate."""
    for rate in (0.0, 1e-12, 0.1, 1.0, 20.0, 1e6):
        found = gathering_seconds(rate, quiet_seconds=QUIET, longest_wait_seconds=LONGEST)
        assert QUIET <= found <= LONGEST
    assert gathering_seconds(1.0, quiet_seconds=5.0, longest_wait_seconds=5.0) == 5.0
    assert gathering_seconds(1e6, quiet_seconds=0.0, longest_wait_seconds=5.0) == 0.0
