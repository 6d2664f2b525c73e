"""What an event costs while users grow."""

from collections.abc import Sequence
from typing import Final

from benchmarks.parts.sizes import Figures, One
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import exact, megabytes, microseconds, ratio
from benchmarks.report.section import Goal, Part, Section, picture, table

GROWTH: Final = 1.15


def goals(figures: Figures | None) -> list[Goal]:
    """The same cost for any number of users."""
    growth = None if figures is None else figures.growth
    return [
        Goal(
            key="flat-over-users",
            what="CPU an event, up to a million users who have one event each: the dearest size ÷ the cheapest",
            wanted="at most 1.15",
            reached=None if growth is None else ratio(growth),
            met=growth is not None and growth <= GROWTH,
        )
    ]


def section(figures: Figures) -> Section:
    """All sizes; the goal is judged where nothing can be folded."""
    every = (*figures.folded, *figures.unfolded)
    return Section(
        title="From a thousand users to a million",
        text=f"""\
Events of the same user are folded into one, and a request takes a hundred users: the fewer users share the events,
the less is sent. The small sizes show what that saves. In the others each user has one event, so that all of them
send the same for an event, and the cost must stay the same.

{picture("sizes", "CPU an event and memory, for a thousand users to a million")}

{
            table(
                ("users", "events", "requests", "CPU an event", "most memory"),
                [
                    [
                        exact(each.users),
                        exact(each.events),
                        exact(each.outcome.requests),
                        microseconds(each.microseconds_per_event),
                        megabytes(each.peak_bytes),
                    ]
                    for each in every
                ],
            )
        }

Default settings, one run each. Users out of step at the end: {exact(figures.users_out_of_step)}.""",
        pictures={"sizes": _picture(every)},
    )


def _picture(every: Sequence[One]) -> str:
    return bars(
        title="From a thousand users to a million",
        below="The small ones share 100,000 events, which are folded; in the others each user has one event",
        rows=[Row(f"{exact(each.users)} users", 0) for each in every],
        panels=[
            Panel(
                title="µs of CPU an event",
                better="less",
                bars=[
                    Bar(each.microseconds_per_event, f"{each.microseconds_per_event:.1f}") for each in every
                ],
            ),
            Panel(
                title="most memory",
                better="less",
                bars=[Bar(each.peak_bytes / 1e6, megabytes(each.peak_bytes)) for each in every],
            ),
        ],
    )


PART = Part("sizes", Figures, goals, section)
