"""Which requests are struck, by which fault, and until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.emulator.faults import FailNext, Faults, FaultSettings, Step


def some(settings: FaultSettings, *, now: float = 0.0, seed: int = 0) -> Faults:
    faults = Faults(latency_seconds=0, seed=seed)
    faults.change(settings, now=now)
    return faults


def strike(faults: Faults, endpoint: str = "im_add_tag", *users: str, now: float = 0.0) -> str | None:
    return faults.strike(endpoint, users=users, now=now)


def test_the_list_goes_in_order_and_is_used_up() -> None:
    """Each entry as often as it says; then chance has its turn."""
    faults = some(
        FaultSettings(fail_next=[FailNext("code:91000", count=2), FailNext("half")], chance={"garbage": 1.0})
    )
    assert [strike(faults) for _ in range(5)] == ["code:91000", "code:91000", "half", "garbage", "garbage"]
    faults.change(FaultSettings(chance={}), now=0)
    assert strike(faults) is None


def test_an_entry_of_one_endpoint_leaves_the_others_alone() -> None:
    """Also those of the other family, whose names look alike."""
    faults = some(FaultSettings(fail_next=[FailNext("reset", "timpush/add_tag")]))
    assert [strike(faults, name) for name in ("im_add_tag", "account_check", "timpush/add_tag")] == [
        None,
        None,
        "reset",
    ]


def test_an_entry_for_users_strikes_requests_that_name_one_of_them() -> None:
    """Whoever else is in the request; one without users is never struck."""
    faults = some(FaultSettings(fail_next=[FailNext("code:91000", users=["alice", "bob"], count=9)]))
    assert strike(faults, "im_add_tag", "carol") is None
    assert strike(faults, "im_add_tag", "carol", "bob") == "code:91000"
    assert strike(faults, "im_get_attr_name") is None


def test_a_burst_strikes_every_request_for_so_long() -> None:
    """Its end is not in it; a count may end it earlier."""
    faults = some(FaultSettings(fail_next=[FailNext("code:60007", for_seconds=5)]), now=100)
    assert [strike(faults, now=now) for now in (100, 103, 104.999, 105, 200)] == ["code:60007"] * 3 + [
        None
    ] * 2
    faults = some(FaultSettings(fail_next=[FailNext("code:60007", for_seconds=5, count=2)]), now=100)
    assert [strike(faults, now=now) for now in (101, 102, 103)] == ["code:60007"] * 2 + [None]


def test_an_entry_with_a_probability_counts_only_what_it_strikes() -> None:
    """What it spares is left to the next entry."""
    entries = [FailNext("code:91000", count=3, probability=0.5), FailNext("half", count=100)]
    faults = some(FaultSettings(fail_next=entries))
    struck = [strike(faults) for _ in range(60)]
    assert struck.count("code:91000") == 3
    assert struck.count("half") == 57
    assert struck[:3] != ["code:91000"] * 3


def test_a_script_changes_the_settings_at_its_moments() -> None:
    """Counted from when it was given, in order of time, and past moments are caught up with."""
    script = [
        Step(at_seconds=20, chance={"reset": 1.0}),
        Step(at_seconds=5, fail_next=[FailNext("code:60007", for_seconds=10)]),
        Step(at_seconds=30, chance={}, latency_seconds=2),
    ]
    faults = some(FaultSettings(script=script), now=1_000)
    moments = (1_000, 1_004.9, 1_005, 1_014.9, 1_015, 1_020, 1_029, 1_030)
    assert [strike(faults, now=now) for now in moments] == (
        [None, None, "code:60007", "code:60007", None, "reset", "reset", None]
    )
    assert faults.latency_seconds == 2
    assert faults.now_set(1_030).script == []


def test_a_burst_of_a_script_begins_at_its_moment_and_not_when_it_is_noticed() -> None:
    """A quiet client does not make it longer."""
    faults = some(FaultSettings(script=[Step(at_seconds=5, fail_next=[FailNext("half", for_seconds=10)])]))
    assert strike(faults, now=14) == "half"
    assert strike(faults, now=15) is None


def test_what_is_left_is_shown_in_the_form_it_was_given() -> None:
    """So that it can be sent again."""
    asked = FaultSettings(
        latency_seconds=0.5,
        fail_next=[FailNext("reset", count=3), FailNext("half", for_seconds=8)],
        chance={"garbage": 0.0},
        script=[Step(at_seconds=60, chance={"reset": 1.0})],
    )
    faults = some(asked, now=100)
    assert strike(faults, now=101) == "reset"
    assert faults.now_set(102) == FaultSettings(
        latency_seconds=0.5,
        fail_next=[FailNext("reset", count=2), FailNext("half", for_seconds=6)],
        chance={"garbage": 0.0},
        script=[Step(at_seconds=58, chance={"reset": 1.0})],
    )
    assert asked.fail_next == [FailNext("reset", count=3), FailNext("half", for_seconds=8)]


def test_the_revision_moves_with_what_is_shown() -> None:
    """Whoever looks again only then misses nothing."""
    faults = some(FaultSettings(fail_next=[FailNext("half", count=2), FailNext("reset", for_seconds=5)]))
    seen = faults.revision
    strike(faults)
    assert faults.revision > seen
    seen = faults.revision
    faults.advance(4)
    assert faults.revision == seen
    faults.advance(6)
    assert faults.revision > seen


@given(st.integers(), st.integers())
def test_chance_is_the_same_for_the_same_seed(one: int, other: int) -> None:
    """So that a failing test can be run again."""

    def struck(seed: int) -> list[str | None]:
        faults = some(FaultSettings(chance={"code:91000": 0.5, "half": 0.5}, seed=seed))
        return [strike(faults) for _ in range(128)]

    assert struck(one) == struck(one)
    assert one == other or struck(abs(one)) != struck(abs(other)) or abs(one) == abs(other)
    assert {None, "code:91000", "half"} == set(struck(one))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (FaultSettings(fail_next=[FailNext("nonsense")]), "nonsense"),
        (FaultSettings(fail_next=[FailNext("code")]), "whole number"),
        (FaultSettings(fail_next=[FailNext("code:0")]), "code:0"),
        (FaultSettings(fail_next=[FailNext("code:x")]), "code:x"),
        (FaultSettings(fail_next=[FailNext("http:200")]), "http:200"),
        (FaultSettings(fail_next=[FailNext("reset:1")]), "reset:1"),
        (FaultSettings(fail_next=[FailNext("timeout:1")]), "timeout:1"),
        (FaultSettings(fail_next=[FailNext("delay")]), "seconds"),
        (FaultSettings(fail_next=[FailNext("stall:-1")]), "-1"),
        (FaultSettings(fail_next=[FailNext("stall:nan")]), "nan"),
        (FaultSettings(fail_next=[FailNext("stall:")]), "stall:"),
        (FaultSettings(fail_next=[FailNext("reset", "im_nothing")]), "im_nothing"),
        (FaultSettings(fail_next=[FailNext("reset", "add_tag")]), "add_tag"),
        (FaultSettings(fail_next=[FailNext("reset", count=0)]), "count 0"),
        (FaultSettings(fail_next=[FailNext("reset", for_seconds=-1)]), "for_seconds"),
        (FaultSettings(fail_next=[FailNext("reset", users=[])]), "users"),
        (FaultSettings(fail_next=[FailNext("reset", probability=2)]), "2"),
        (FaultSettings(chance={"reset": 1.1}), "1.1"),
        (FaultSettings(chance={"nonsense": 0.5}), "nonsense"),
        (FaultSettings(latency_seconds=-1.0), "latency_seconds"),
        (FaultSettings(latency_seconds=float("inf")), "latency_seconds"),
        (FaultSettings(script=[Step(at_seconds=-1)]), "at_seconds"),
        (FaultSettings(script=[Step(at_seconds=1, chance={"x": 1})]), "'x'"),
        (FaultSettings(script=[Step(at_seconds=1, script=[])]), "script of its own"),
    ],
)
def test_faults_that_cannot_be(settings: FaultSettings, named: str) -> None:
    """They are refused with what is wrong, and nothing changes."""
    faults = some(FaultSettings(fail_next=[FailNext("half")], chance={"reset": 0.25}))
    before = faults.now_set(0)
    with pytest.raises(ValueError, match=named):
        faults.change(settings, now=0)
    assert faults.now_set(0) == before
