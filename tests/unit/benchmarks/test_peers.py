"""What is said of peers follows from the runs: who is ahead in what, and who was not there."""

import subprocess
from typing import Any

import pytest

from benchmarks.contestants.peer import CannotBeHadError
from benchmarks.contestants.plain_faststream import PlainFastStream
from benchmarks.measuring import Memory, Used
from benchmarks.parts.peers import Figures, is_ready
from benchmarks.report.sections.peers import PART
from benchmarks.rig import Outcome
from benchmarks.stub import Counters


def run(contestant: str, **changed: Any) -> Outcome:
    values: dict[str, Any] = {
        "contestant": contestant,
        "workload": "yardstick",
        "events": 300_000,
        "users": 29_163,
        "out_of_step": 0,
        "seconds_to_start": 1.0,
        "seconds": 3.0,
        "seconds_to_confirmed": 2.9,
        "used": Used(3.0, 0.0),
        "used_to_start": Used(1.0, 0.0),
        "chat_used": Used(0.1, 0.0),
        "memory": Memory(100_000_000, 120_000_000),
        "counters": Counters(requests={"im_set_attr": 490}),
        "fewest_requests": 490,
    }
    return Outcome(**values | changed)


def figures(*peers: Outcome, beside_strangers: Outcome | None = None) -> Figures:
    """Ours first and last, as in a run."""
    ours = run("audience-sync")
    return Figures(
        configurations={each.contestant: "as it is" for each in (ours, *peers)},
        not_here={"Vector": "nobody has it"},
        all_known=[ours, *peers, ours],
        with_strangers=[ours, beside_strangers or run(peers[0].contestant, out_of_step=17)],
        strangers=3,
    )


SLOWER = {"seconds": 9.0, "used": Used(9.0, 0.0), "counters": Counters(requests={"im_set_attr": 700})}


def test_ahead_is_who_is_better_in_everything() -> None:
    [goal] = PART.goals(figures(run("peer", **SLOWER)))
    assert goal.met
    assert goal.reached == "ahead in all four"


def test_what_a_peer_does_better_is_named_with_him() -> None:
    thrifty = run("thrifty", **SLOWER | {"used": Used(1.0, 0.0)})
    hasty = run("hasty", **SLOWER | {"seconds": 1.0, "out_of_step": 5})
    [goal] = PART.goals(figures(thrifty, hasty))
    assert not goal.met
    assert goal.reached == "behind in events a second (hasty), CPU an event (thrifty)"


def test_what_ours_leaves_wrong_beside_strangers_counts() -> None:
    given = figures(run("peer", **SLOWER))
    wrong = run("audience-sync", out_of_step=2)
    told = Figures(
        configurations=given.configurations,
        not_here={},
        all_known=given.all_known,
        with_strangers=[wrong, run("peer")],
        strangers=3,
    )
    [goal] = PART.goals(told)
    assert goal.reached == "behind in users in step beside unknown ones (peer)"


def test_the_table_has_a_row_for_each_and_says_who_got_less_and_who_is_missing() -> None:
    slow = run("one by one", events=3_000, out_of_step=4)
    section = PART.section(figures(slow, beside_strangers=run("one by one", out_of_step=17)))
    assert "| audience-sync | 100,000 | 10.0 µs | 1.000 | 120 MB | 0 | 0 |" in section.text
    assert "| one by one | 1,000 | 1000.0 µs | 1.000 | 120 MB | 4 | 17 |" in section.text
    assert "*one by one* was given the first 3,000 events only" in section.text
    assert "- *Vector*: nobody has it." in section.text
    assert list(section.pictures) == ["peers"]


def test_who_did_not_come_to_an_end_with_strangers_has_no_figure_there() -> None:
    given = figures(run("peer"), run("fallen"))
    assert "| fallen | 100,000 | 10.0 µs | 1.000 | 120 MB | 0 | no end |" in PART.section(given).text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CannotBeHadError("there is no `go` on the path"), "there is no `go` on the path"),
        (subprocess.TimeoutExpired("pip", 600), "timed out after 600 seconds"),
    ],
)
def test_a_peer_that_cannot_be_had_is_named_and_ends_nothing(error: Exception, reason: str) -> None:
    class Absent(PlainFastStream):
        name = "absent"

        def prepare(self, *, patient: bool) -> None:
            assert patient
            raise error

    not_here: dict[str, str] = {}
    assert not is_ready(Absent(), not_here, patient=True)
    assert reason in not_here["absent"]
    assert is_ready(PlainFastStream(), not_here, patient=True)
    assert list(not_here) == ["absent"]
