"""The report is made of whatever has run: goals that were reached and missed, and parts that are not there."""

from typing import Any, Final

import msgspec

from benchmarks.document import Document
from benchmarks.measuring import Machine, Spread, Used, spread
from benchmarks.measuring import Memory as Held
from benchmarks.parts import growth, mixes, rules_engine, sizes, throughput, transports
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
        "chat_used": Used(0.1, 0.0),
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


def a_size(users: int, cost: float) -> sizes.One:
    """One of them."""
    return sizes.One(users, 100_000, cost, 200_000_000, outcome())


def test_the_growth_of_sizes_is_judged_where_nothing_is_folded() -> None:
    """Small sizes are cheaper, and no promise."""
    found = sizes.Figures([a_size(1_000, 3.0)], [a_size(100_000, 10.0), a_size(1_000_000, 11.0)], 1.1, 0)
    made = pages(document(sizes=found), Findings())

    assert "| at most 1.15 | 1.10 | yes |" in made["performance.md"]
    assert "| 1,000 | 100,000 | 0 | 3.0 µs | 200 MB |" in made["performance.md"]
    assert "1,000,000 users" in made["images/performance-sizes.svg"]
    worse = msgspec.structs.replace(found, growth=1.2)
    assert "| at most 1.15 | 1.20 | **no** |" in pages(document(sizes=worse), Findings())["performance.md"]


def test_a_mix_that_leaves_a_user_out_of_step_or_is_refused_misses_its_goal() -> None:
    """However fast it is; and the first mix is told again, as the last."""
    mix = mixes.Seen(
        name="zipf",
        meaning="few have most",
        events=10,
        users=5,
        events_per_second=1.0,
        microseconds_per_event=2.0,
        times_the_first=1.0,
        requests_per_fewest=1.0,
        users_per_request=5.0,
        most_calls_in_a_second=3,
        refused=0,
        users_out_of_step=0,
        outcome=outcome(),
    )
    bad = msgspec.structs.replace(mix, name="storm", meaning="one has all", refused=7, users_out_of_step=1)
    made = pages(document(mixes=mixes.Figures([mix, bad, mix], 1)), Findings())["performance.md"]

    assert "| users out of step in the end, over all mixes | 0 | 1 | **no** |" in made
    assert "| calls that the API refused, over all mixes | 0 | 7 | **no** |" in made
    assert "| zipf again |" in made
    assert made.count("few have most") == 1
    good = pages(document(mixes=mixes.Figures([mix, mix], 0)), Findings())["performance.md"]
    assert "| calls that the API refused, over all mixes | 0 | 0 | yes |" in good


def test_clients_and_rules_are_told() -> None:
    """Parts of which one has a goal."""
    three = transports.Figures(*(spread([value]) for value in (2.0, 0.7, 0.25, 0.35, 2.8)))
    rules = {
        "rules_events_per_second": 80_000.0,
        "by_hand_events_per_second": 100_000.0,
        "ratio_median": 0.79,
        "ratio_of_the_lowest_tenth": 0.7,
        "ratio_of_the_highest_tenth": 0.85,
    }
    made = pages(document(transports=three, rules_engine=rules_engine.Figures(rules, rules)), Findings())[
        "performance.md"
    ]

    assert "0.70 ms of CPU" in made
    assert "ours is 0.350 of it" in made
    assert "| at least 80 % | 79 % (70 % to 85 %) | **no** |" in made


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


def test_more_processes_are_told_beside_one() -> None:
    """CPU of all of them ÷ that of one, and the limit that they share."""

    def run(processes: int, cpu_seconds: float) -> growth.Run:
        return growth.Run(
            processes=processes,
            events=1_000_000,
            users=100,
            out_of_step=0,
            seconds=10.0,
            members=[growth.Member(cpu_seconds / processes, 90_000_000)] * processes,
            requests={"im_set_attr": 100},
            fewest_requests=90,
            users_per_request=99.5,
            refused=0,
            most_calls_in_a_second=19,
            calls_per_second=19.4,
        )

    found = growth.Figures(
        partitions=8, unlimited=[run(1, 10.0), run(2, 12.0)], limit=20.0, limited=[run(1, 10.0), run(2, 11.0)]
    )
    made = pages(document(growth=found), Findings())

    assert "| 2 processes | 100,000 | 12.0 µs | 1.20 | 100 | 90 MB | 0 |" in made["performance.md"]
    assert "| 2 processes | 19.4 | 100.0 % | 19 | 0 | 99.5 | 10.0 s | 0 |" in made["performance.md"]
    assert "2 processes: 12.0" in made["images/performance-growth.svg"]


def test_a_part_that_failed_is_told_with_its_reason() -> None:
    """In the first line of what it said."""
    failed = msgspec.structs.replace(document(), failed={"peers": "BenchmarkError: no broker\nand more"})

    assert "*peers* has failed: BenchmarkError: no broker\n" in pages(failed, Findings())["performance.md"]
