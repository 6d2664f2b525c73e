"""One, two and four processes in one group, without a limit of calls and with one."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.parts.growth import Figures, Run
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import count, exact, megabytes, microseconds, percent, ratio
from benchmarks.report.section import Goal, Part, Section, picture, table

HEADROOM: Final = 0.97
"""What the service uses of a limit."""


def goals(_: Figures | None) -> list[Goal]:
    """None was promised; the section shows what sharing costs."""
    return []


def section(figures: Figures) -> Section:
    """What more processes cost, and that they keep one limit together."""
    by_number = _by_number(figures.unlimited)
    rows = [
        [
            _processes(number),
            count(median(run.events_per_second for run in runs)),
            microseconds(_cpu(runs)),
            ratio(_cpu(runs) / _cpu(next(iter(by_number.values())))),
            exact(median(sum(run.requests.values()) for run in runs)),
            megabytes(max(member.peak_resident for run in runs for member in run.members)),
            exact(sum(run.out_of_step for run in runs)),
        ]
        for number, runs in by_number.items()
    ]
    limited = [
        [
            _processes(run.processes),
            f"{run.calls_per_second:.1f}",
            percent(run.calls_per_second / (HEADROOM * figures.limit)),
            exact(run.most_calls_in_a_second),
            exact(run.refused),
            f"{run.users_per_request:.1f}",
            f"{run.seconds:.1f} s",
            exact(run.out_of_step),
        ]
        for run in figures.limited
    ]
    first = figures.unlimited[0]
    limit = f"{figures.limit:g}"
    events, users, partitions = exact(first.events), exact(first.users), figures.partitions
    return Section(
        title="One, two and four processes",
        text=f"""\
{events} events of {users} users become visible at one moment to a group that stands ready, in topics of
{
            partitions
        } partitions. The machine's cores are shared by all processes, the broker and the stub, so more processes
can't be faster here, and events a second say little. What can be seen is what sharing costs: CPU an event of all
processes together, and calls, for each process fills requests of its own. [How it grows](scale.md) reckons on.

{picture("growth", "CPU an event, calls, and calls a second with a limit, for one, two and four processes")}

{
            table(
                (
                    "no limit",
                    "events a second",
                    "CPU an event, all",
                    "÷ one process",
                    "calls",
                    "memory at most, each",
                    "out of step",
                ),
                rows,
            )
        }

With a limit of {
            limit
        } calls a second and endpoint. Nobody deals it out: each process has the part of it that its
partitions are of all partitions.

{
            table(
                (
                    "limited",
                    "calls a second, busiest endpoint",
                    "of the pace",
                    "most in any second",
                    "refused",
                    "users a request",
                    "in step after",
                    "out of step",
                ),
                limited,
            )
        }""",
        pictures={"growth": _picture(figures)},
    )


def _picture(figures: Figures) -> str:
    by_number = _by_number(figures.unlimited)
    numbers = list(by_number)
    limited = {run.processes: run for run in figures.limited}
    return bars(
        title="One, two and four processes at the same work",
        below="All processes of a group together, on one machine's cores",
        rows=[Row(_processes(number), 0) for number in numbers],
        panels=[
            Panel(
                title="µs of CPU an event",
                better="less",
                bars=[
                    Bar(
                        _cpu(runs),
                        f"{_cpu(runs):.1f}",
                        *((min(_each(runs)), max(_each(runs))) if len(runs) > 1 else (None, None)),
                    )
                    for runs in by_number.values()
                ],
            ),
            Panel(
                title="calls, no limit",
                better="less",
                bars=[
                    Bar(calls, exact(calls))
                    for runs in by_number.values()
                    for calls in [median(sum(run.requests.values()) for run in runs)]
                ],
            ),
            Panel(
                title="calls a second, limited",
                better="more",
                bars=[
                    Bar(limited[number].calls_per_second, f"{limited[number].calls_per_second:.1f}")
                    if number in limited
                    else None
                    for number in numbers
                ],
                goal=(figures.limit, f"limit: {figures.limit:g}, of all"),
            ),
        ],
    )


def _by_number(runs: Sequence[Run]) -> dict[int, list[Run]]:
    """{processes: their runs}."""
    found: dict[int, list[Run]] = {}
    for run in runs:
        found.setdefault(run.processes, []).append(run)
    return found


def _each(runs: Sequence[Run]) -> list[float]:
    return [run.microseconds_per_event for run in runs]


def _cpu(runs: Sequence[Run]) -> float:
    return median(_each(runs))


def _processes(number: int) -> str:
    return f"{number} process{'' if number == 1 else 'es'}"


PART = Part("growth", Figures, goals, section)
