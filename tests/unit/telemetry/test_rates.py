"""How many a second."""

from audience_sync.telemetry.rates import Rates


def test_a_rate_needs_two_looks() -> None:
    """One total says nothing of how fast it came."""
    rates = Rates()
    assert rates.per_second(10.0) == {}
    rates.see({"records": 5}, 100.0)
    assert rates.per_second(10.0) == {}
    rates.see({"records": 5}, 100.0)
    assert rates.per_second(10.0) == {}


def test_a_short_time_and_a_long_one_are_told_apart() -> None:
    """Twenty quiet seconds after forty busy ones."""
    rates = Rates()
    for second in range(61):
        rates.see({"records": 100 * min(second, 40)}, 1000.0 + second)

    assert rates.per_second(10.0) == {"records": 0.0}
    assert rates.per_second(60.0) == {"records": round(4000 / 60, 3)}


def test_a_minute_is_all_that_is_kept() -> None:
    """However long it runs."""
    rates = Rates()
    for second in range(500):
        rates.see({"records": second**2}, float(second))

    assert rates.per_second(1000.0) == {"records": round((499**2 - 439**2) / 60, 3)}
