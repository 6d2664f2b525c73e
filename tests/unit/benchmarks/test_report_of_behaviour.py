"""The report of what behaves well or badly: goals that are reached, and the same that are missed."""

from typing import Any, Final

import msgspec
import pytest

from benchmarks.measuring import spread
from benchmarks.parts import costs, latency, limited, memory, outage, starting
from benchmarks.report.section import Goal, Section
from benchmarks.report.sections import costs as of_costs
from benchmarks.report.sections import latency as of_latency
from benchmarks.report.sections import limited as of_limited
from benchmarks.report.sections import memory as of_memory
from benchmarks.report.sections import outage as of_outage
from benchmarks.report.sections import starting as of_starting

RUN: Final = limited.Run(
    workload="backlog",
    events=120_000,
    users=120_000,
    calls_per_second=100.0,
    endpoints={},
    requests_over_fewest=1.0,
    users_per_request=100.0,
    refused_share=0.0,
    pace_used=0.99,
    parts_over_ideal=1.01,
    requests_over_ideal=1.0,
    most_in_a_second=98,
    out_of_step=0,
    seconds=12.4,
    cpu_seconds=6.0,
)
BAD_RUN: Final = msgspec.structs.replace(
    RUN,
    requests_over_fewest=1.03,
    users_per_request=97.0,
    refused_share=0.01,
    pace_used=0.9,
    parts_over_ideal=1.1,
)
LEVEL: Final = latency.Level(
    share_of_the_limit=0.5,
    events_per_second=5000.0,
    events=100_000,
    confirmed=100_000,
    p50=2.1,
    p90=2.2,
    p99=2.3,
    longest=2.6,
    beyond_the_wait_p50=0.1,
    beyond_the_wait_p99=0.3,
    users_per_request=99.0,
    refused=0,
    out_of_step=0,
    producer_late_seconds=0.01,
    cpu_share=0.3,
)
MEMORY: Final = memory.Figures(
    in_process=memory.InProcess(200_000, 740, 141.0, 5.0),
    users=1_000_000,
    idle_bytes=100_000_000,
    waiting_bytes=900_000_000,
    peak_bytes=950_000_000,
    bytes_a_user=800.0,
    sent=0,
)
OUTAGE: Final = outage.Figures(
    away_seconds=30.0,
    events=70_000,
    backlog_users=62_000,
    ideal_seconds=12.8,
    to_first_confirmation=6.0,
    to_in_step=19.2,
    times_the_ideal=1.5,
    out_of_step=0,
)


def told(part: Any, figures: Any) -> tuple[list[Goal], Section]:
    """What the page says of figures that went through a file."""
    goals, section = part.told(msgspec.json.decode(msgspec.json.encode(figures)))
    return goals, section


@pytest.mark.parametrize(
    ("part", "good", "bad"),
    [
        pytest.param(
            of_limited.PART, limited.Figures(RUN, RUN), limited.Figures(BAD_RUN, BAD_RUN), id="limited"
        ),
        pytest.param(
            of_latency.PART,
            latency.Figures(2.0, 0.1, 2.35, [LEVEL]),
            latency.Figures(2.0, 0.1, 2.35, [msgspec.structs.replace(LEVEL, p99=2.4)]),
            id="latency",
        ),
        pytest.param(
            of_memory.PART,
            MEMORY,
            msgspec.structs.replace(
                MEMORY,
                in_process=memory.InProcess(200_000, 1100, 210.0, 5.0),
                waiting_bytes=1_300_000_000,
            ),
            id="memory",
        ),
        pytest.param(of_outage.PART, OUTAGE, msgspec.structs.replace(OUTAGE, out_of_step=1), id="outage"),
    ],
)
def test_each_goal_is_reached_by_good_figures_and_missed_by_bad_ones(part: Any, good: Any, bad: Any) -> None:
    """And counts as not run where there are none."""
    reached, _ = told(part, good)
    missed, _ = told(part, bad)

    assert reached
    assert all(goal.met and goal.reached for goal in reached)
    assert not any(goal.met for goal in missed)
    assert not any(goal.met or goal.reached for goal in part.goals(None))


def test_figures_stand_in_the_tables() -> None:
    """Those that a reader looks for."""
    texts = [
        told(of_limited.PART, limited.Figures(RUN, RUN))[1].text,
        told(of_latency.PART, latency.Figures(2.0, 0.1, 2.35, [LEVEL]))[1].text,
        told(of_memory.PART, MEMORY)[1].text,
        told(of_outage.PART, OUTAGE)[1].text,
    ]

    for text, figure in zip(texts, ("| 100.0 |", "| 2.30 s |", "| 740 |", "| 19.2 s |"), strict=True):
        assert figure in text


def test_starts_and_costs_are_told_without_a_goal() -> None:
    one = spread([1.25])
    start = starting.Figures(
        to_ready=one,
        to_first_confirmation=one,
        cpu_to_first_confirmation=one,
        cpu_of_imports=one,
        modules=1246,
        slowest_imports={"aiohttp": 0.2},
    )
    cost = costs.Figures(
        with_metrics=one,
        without_metrics=one,
        metrics_share=spread([0.12]),
        out_of_step=0,
        histories=40,
        histories_per_second=3.2,
        histories_kept=True,
    )

    assert "1,246 modules" in told(of_starting.PART, start)[1].text
    assert "12 %" in told(of_costs.PART, cost)[1].text


def test_figures_are_drawn_beside_their_tables() -> None:
    """With the values that the goals are judged by."""
    drawn = of_latency.section(latency.Figures(2.0, 0.1, 2.35, [LEVEL])).pictures["latency"]
    assert "p50 100 ms, p90 200 ms, p99 300 ms" in drawn
    drawn = of_limited.section(limited.Figures(BAD_RUN, RUN)).pictures["limited"]
    assert "backlog: 97.0; stream: 100.0" in drawn
    assert "idle: " in of_memory.section(MEMORY).pictures["memory"]
