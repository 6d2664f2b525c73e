"""The report is made of whatever has run: goals that were reached and missed, and parts that are not there."""

from typing import Any, Final

import msgspec

from benchmarks.document import Document
from benchmarks.measuring import Machine, Spread, Used, spread
from benchmarks.measuring import Memory as Held
from benchmarks.parts import throughput
from benchmarks.report.findings import Finding, Findings, findings
from benchmarks.report.page import PARTS, pages
from benchmarks.rig import Outcome
from benchmarks.stub import Counters

MACHINE: Final = Machine(
    cores=2,
    cpu="a processor",
    memory_gigabytes=8.0,
    system="Linux",
    python="3.11",
    versions={},
    busy_before=0.0,
)


def outcome(**changed: Any) -> Outcome:
    """A run of ours."""
    values: dict[str, Any] = {
        "contestant": "audience-sync",
        "workload": "yardstick",
        "events": 300_000,
        "users": 29_046,
        "out_of_step": 0,
        "seconds_to_start": 1.0,
        "seconds": 3.0,
        "seconds_to_confirmed": 2.9,
        "used": Used(3.0, 0.1),
        "used_to_start": Used(1.0, 0.1),
        "memory": Held(100_000_000, 120_000_000),
        "counters": Counters(users_per_request={"im_set_attr": {100: 3}}),
        "fewest_requests": 900,
    }
    return Outcome(**values | changed)


def turns(*, share: float, cpu: float) -> throughput.Turns:
    """Both sides, so far apart."""

    def one(value: float) -> Spread:
        return spread([value * 0.98, value, value * 1.02])

    return throughput.Turns(
        settings={},
        ours=[outcome()],
        ceiling=[outcome(contestant="ceiling", out_of_step=None)],
        events_per_second=one(160_000 * share),
        ceiling_events_per_second=one(160_000),
        share_of_the_ceiling=one(share),
        microseconds_per_event=one(6 * cpu),
        ceiling_microseconds_per_event=one(6),
        times_the_ceilings_cpu=one(cpu),
        users_out_of_step=0,
        requests_per_fewest=one(1.004),
    )


def document(**parts: Any) -> Document:
    """A run with these parts, as it is read again."""
    written = Document(
        taken="2026-11-22T12:00:00+00:00",
        quick=False,
        seconds=600,
        machine=MACHINE,
        parts_seconds={},
        parts=parts,
    )
    return msgspec.json.decode(msgspec.json.encode(written), type=Document)


def measured(*, share: float, cpu: float) -> throughput.Figures:
    """What the part has found."""
    both = turns(share=share, cpu=cpu)
    return throughput.Figures(both, both, {"audience-sync": "as it is"})


def test_a_goal_is_reached_by_its_figure() -> None:
    """Not by what anybody says of it."""
    made = pages(document(throughput=measured(share=0.57, cpu=1.8)), Findings())["performance.md"]

    assert "| at least 50 % | 57 % (56 % to 58 %) | yes |" in made
    assert "| at most 2 | 1.80 (1.76 to 1.84) | yes |" in made
    assert "## What was not reached" not in made


def test_a_goal_that_is_missed_is_told_with_its_reason() -> None:
    """The figure of the run beside the reason that a person has found."""
    given = Findings(reasons={"share-of-the-ceiling": "Decoding takes half of it."})
    made = pages(document(throughput=measured(share=0.41, cpu=1.8)), given)["performance.md"]

    assert "| at least 50 % | 41 % (40 % to 42 %) | **no** |" in made
    assert "41 % (40 % to 42 %) instead of at least 50 %. Decoding takes half of it." in made


def test_what_has_not_run_is_said() -> None:
    """With its goals, which count as neither reached nor missed."""
    made = pages(document(), Findings())

    assert list(made) == ["performance.md"]
    assert "| at least 50 % | not run |  |" in made["performance.md"]
    assert f"Not in this run: {', '.join(part.name for part in PARTS)}." in made["performance.md"]
    assert "0 were measured" in made["performance.md"]


def test_before_and_after_are_shown() -> None:
    """In a picture and in words."""
    finding = Finding(
        title="parsing of addresses",
        what="Each call parsed it anew.",
        unit="µs a call",
        before=80.0,
        after=10.0,
        how="make bench",
    )
    made = pages(document(), Findings(findings=[finding]))

    assert "80 → 10 µs a call. Each call parsed it anew." in made["performance.md"]
    assert "parsing of addresses" in made["images/performance-findings.svg"]


def test_the_findings_can_be_read() -> None:
    """A slip in the file is found here, and a reason for a goal that is none."""
    keys = {goal.key for part in PARTS for goal in part.goals(None)}
    assert {*findings().reasons} <= keys
    assert all(each.before > 0 for each in findings().findings)
