"""`audience-sync capacity` as it is typed: figures, what does not suffice with what helps, and bad input."""

import json
from typing import Any

import pytest

from audience_sync.commands.stop import ExitCode
from audience_sync.settings import PREFIX
from tests.support.shell import Shell

SMALL = ("--users", "100000", "--events-per-second", "1000")
LARGE = ("--users", "100000000", "--events-per-second", "1000000")


def reckoned(*words: str, **environment: str) -> Any:
    """What it says as JSON."""
    told = Shell(environment)("capacity", *words, "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)


def test_a_small_load_takes_one_replica() -> None:
    """And nothing is in its way."""
    found = reckoned(*SMALL)

    assert found["suffices"]
    assert found["replicas"] == 1
    assert found["late_seconds"] == 0
    assert found["limits"] == []
    assert found["outage"]["in_step_after_seconds"] > 0
    assert found["requests"].keys() == {"set_attr", "add_tag"}


def test_a_hundred_million_users_are_late_and_it_is_said_why() -> None:
    """With what would suffice, and that gathering for longer would not."""
    found = reckoned(*LARGE)

    assert not found["suffices"]
    assert found["late_seconds"] == pytest.approx(100e6 / 9700, rel=0.05)
    assert any("set_attr would get" in limit and "calls would suffice" in limit for limit in found["limits"])
    assert any("no quiet time up to 600 s is long enough" in limit for limit in found["limits"])
    assert found["outage"]["in_step_after_seconds"] is None


def test_a_longer_quiet_time_is_proposed_where_it_helps() -> None:
    """The same load with it suffices."""
    load = ("--users", "50000", "--events-per-second", "50000", "--calls-per-second", "20")
    [proposed] = [limit for limit in reckoned(*load)["limits"] if "QUIET_SECONDS=" in limit]
    quiet = proposed.partition("QUIET_SECONDS=")[2].partition(" ")[0]

    assert reckoned(*load, "--quiet-seconds", quiet)["suffices"]


def test_settings_in_effect_count_where_nothing_is_said() -> None:
    """And what is said wins."""
    name = f"{PREFIX}CHAT__CALLS_PER_SECOND"
    found = reckoned(*SMALL, **{name: "5"})

    assert found["requests"]["set_attr"]["most_users_per_second"] == 485
    assert not found["suffices"]
    assert reckoned(*SMALL, "--calls-per-second", "50", **{name: "5"})["suffices"]


def test_distinct_users_say_how_steep_the_spread_is() -> None:
    """Fewer different users: more is folded."""
    few = reckoned(*SMALL, "--distinct-users", "10000")
    even = reckoned(*SMALL)

    assert few["load"]["distinct_users_within_a_minute"] == pytest.approx(10_000, rel=0.01)
    assert few["load"]["zipf"] > 0.5
    assert few["requests"]["set_attr"]["users_per_second"] < even["requests"]["set_attr"]["users_per_second"]


def test_too_few_partitions_are_told() -> None:
    """For folding, and for the replicas that are needed."""
    found = reckoned("--users", "10000000", "--events-per-second", "100000", "--partitions", "2")

    assert found["late_seconds"] is None
    assert any("leave out --partitions" in limit for limit in found["limits"])
    assert any("give work to as many" in limit for limit in found["limits"])


def test_one_user_with_more_than_a_replica_does_is_told() -> None:
    """Nobody can share him."""
    found = reckoned("--users", "1000", "--events-per-second", "1000000", "--zipf", "2")

    assert any("the busiest user alone" in limit for limit in found["limits"])


def test_elsewhere_than_on_a_terminal_it_prints_lines() -> None:
    """Texts with tabs between them, and the figures in sentences."""
    told = Shell({})("capacity", *SMALL)

    assert told.code == 0
    assert told.rows[0][0] == "set_attr"
    assert "1 replica" in told.out
    assert "The API's limit suffices." in told.out
    assert "After an outage of 10 min everybody is in step again within" in told.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--users", "0", "--events-per-second", "1"), "0 is not in the range"),
        (("--users", "10", "--events-per-second", "0"), "0.0 is not in the range"),
        (("--users", "10", "--events-per-second", "-5"), "-5.0 is not in the range"),
        (("--users", "ten", "--events-per-second", "5"), "'ten' is not a valid int"),
        (("--users", "10", "--events-per-second", "nan"), "--events-per-second nan is no number"),
        ((*SMALL, "--zipf", "5"), "5.0 is not in the range 0.0<=x<=3.0"),
        ((*SMALL, "--zipf", "nan"), "--zipf nan is no number"),
        ((*SMALL, "--zipf", "1", "--distinct-users", "500"), "give one"),
        ((*SMALL, "--distinct-users", "90000"), "different ones within 60 s; give a number between"),
        ((*SMALL, "--within", "0"), "0.0 is not in the range"),
        (
            (*SMALL, "--touches", "send_mail=0.5"),
            "there is no endpoint 'send_mail'; there are remove_all_tags",
        ),
        ((*SMALL, "--touches", "set_attr"), "'' is no part of the events; write set_attr=0.5"),
        ((*SMALL, "--touches", "set_attr=70"), "'70' is no part of the events"),
        ((*SMALL, "--touches", "set_attr=nan"), "'nan' is no part of the events"),
        ((*SMALL, "--touches", "set_attr=1", "--touches", "set_attr=1"), "was given before"),
        ((*SMALL, "--quiet-seconds", "700"), "700.0 is not in the range"),
        ((*SMALL, "--quiet-seconds", "20", "--longest-wait-seconds", "10"), "below the quiet time of 20 s"),
        ((*SMALL, "--calls-per-second", "0"), "0.0 is not in the range"),
        ((*SMALL, "--partitions", "0"), "0 is not in the range"),
        ((*SMALL, "--outage-minutes", "0"), "0.0 is not in the range"),
        ((*SMALL, "--event-microseconds", "0"), "0.0 is not in the range"),
        ((*SMALL, "--part-microseconds", "-1"), "-1.0 is not in the range"),
        ((*SMALL, "--user-bytes", "0"), "0.0 is not in the range"),
        ((*SMALL, "--busy", "1.5"), "1.5 is not in the range"),
    ],
)
def test_bad_input_is_named_with_its_value_and_the_way_out(words: tuple[str, ...], told: str) -> None:
    """And ends with the code that says so."""
    ended = Shell({})("capacity", *words)

    assert ended.code == ExitCode.BAD_INPUT
    assert told in " ".join(ended.seen.replace("│", " ").split())


def test_settings_that_are_wrong_are_told() -> None:
    """As with any other command."""
    ended = Shell({f"{PREFIX}DEBOUNCE__QUIET_SECONDS": "-1"})("capacity", *SMALL)

    assert ended.code == ExitCode.BAD_INPUT
    assert f"{PREFIX}DEBOUNCE__QUIET_SECONDS" in ended.err
