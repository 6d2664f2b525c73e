"""Different events, and different APIs."""

from benchmarks.parts.mixes import Figures
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import count, exact, microseconds, ratio
from benchmarks.report.section import Goal, Part, Section, picture, table


def goals(figures: Figures | None) -> list[Goal]:
    """Whatever comes, everybody ends in step, and no limit is passed."""
    wrong = None if figures is None else figures.users_out_of_step
    refused = None if figures is None else sum(each.refused for each in figures.mixes)
    return [
        Goal(
            key="mixes-in-step",
            what="users out of step in the end, over all mixes",
            wanted="0",
            reached=None if wrong is None else exact(wrong),
            met=wrong == 0,
        ),
        Goal(
            key="mixes-refused",
            what="calls that the API refused, over all mixes",
            wanted="0",
            reached=None if refused is None else exact(refused),
            met=refused == 0,
        ),
    ]


def section(figures: Figures) -> Section:
    """A row each."""
    first = figures.mixes[0]
    meanings = "\n".join(
        f"- *{each.name}*: {each.meaning}" for each in figures.mixes[:-1]
    )  # the last is the first again
    return Section(
        title="Other events, other APIs",
        text=f"""\
{picture("mixes", "CPU an event and users a request, for each mix")}

{
            table(
                (
                    "",
                    "events",
                    "users",
                    "events a second",
                    "CPU an event",
                    "÷ the first",
                    "users a request",
                    "requests ÷ fewest",
                    "most calls a second",
                    "refused",
                    "out of step",
                ),
                [
                    [
                        f"{each.name}{' again' if place and each.name == first.name else ''}",
                        exact(each.events),
                        exact(each.users),
                        count(each.events_per_second),
                        microseconds(each.microseconds_per_event),
                        ratio(each.times_the_first),
                        f"{each.users_per_request:.0f}",
                        ratio(each.requests_per_fewest),
                        exact(each.most_calls_in_a_second),
                        exact(each.refused),
                        exact(each.users_out_of_step),
                    ]
                    for place, each in enumerate(figures.mixes)
                ],
            )
        }

{meanings}

Default settings, one run each; the first one runs again at the end, and what the two differ by is chance. Events a
second hold two seconds of waiting on purpose. The fewest requests are those in which each user is folded into one and
all are full; where much is ready at once, what is sent soon can't be folded with what is read later.""",
        pictures={"mixes": _picture(figures)},
    )


def _picture(figures: Figures) -> str:
    every = figures.mixes[:-1]
    return bars(
        title="Other events, other APIs",
        below="One process, default settings, one run each",
        rows=[Row(each.name, 0) for each in every],
        panels=[
            Panel(
                title="µs of CPU an event",
                better="less",
                bars=[
                    Bar(each.microseconds_per_event, f"{each.microseconds_per_event:.1f}") for each in every
                ],
            ),
            Panel(
                title="users a request",
                better="more",
                bars=[Bar(each.users_per_request, f"{each.users_per_request:.0f}") for each in every],
            ),
        ],
    )


PART = Part("mixes", Figures, goals, section)
