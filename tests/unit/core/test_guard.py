"""Too many dead letters stop the reading, and it goes on by itself."""

from audience_sync.core.guard import FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS, SOUND_EVENTS, Guard

NOW = 1000.0


def closed(most: int = 10) -> Guard:
    """A guard that has just closed."""
    guard = Guard(most_per_minute=most)
    assert all(guard.may_bury(NOW) for _ in range(most))
    assert not guard.may_bury(NOW)
    return guard


def test_so_many_a_minute_pass_and_the_next_one_closes_it() -> None:
    guard = closed()

    assert guard.closed
    assert guard.reason is not None
    assert "10 dead letters a minute" in guard.reason
    assert not guard.may_read(NOW + FIRST_LOOK_SECONDS - 0.01)


def test_a_steady_few_never_close_it() -> None:
    """A bad event every six seconds is ten a minute."""
    guard = Guard(most_per_minute=10)

    assert all(guard.may_bury(NOW + 6.0 * number) for number in range(1000))


def test_one_at_a_time_is_let_through_at_growing_intervals() -> None:
    guard, now, looks = closed(), NOW, []
    for _ in range(8):
        before = now
        while not guard.may_read(now):
            now += 0.5
        assert guard.may_bury(now)
        assert not guard.may_bury(now)
        looks.append(now - before)

    assert looks[:4] == [FIRST_LOOK_SECONDS, 10.0, 20.0, 40.0]
    assert looks[-1] == LONGEST_LOOK_SECONDS


def test_events_that_can_be_used_open_it() -> None:
    """Whatever was wrong is behind."""
    guard = closed()
    for _ in range(SOUND_EVENTS):
        assert guard.reason is not None
        guard.sound()

    assert guard.reason is None
    assert guard.may_read(NOW)


def test_a_bad_event_among_them_counts_them_anew() -> None:
    guard = closed()
    for _ in range(3):
        for _ in range(SOUND_EVENTS - 1):
            guard.sound()
        guard.may_bury(NOW)

    assert guard.closed


def test_quiet_minutes_open_it() -> None:
    """On a stream without other events nothing else could."""
    guard = closed()

    assert guard.may_bury(NOW + FIRST_LOOK_SECONDS + 60.0 + 1.0)
    assert not guard.closed
