"""The API is away, and comes back."""

from benchmarks.parts.outage import Figures
from benchmarks.report.numbers import exact, ratio
from benchmarks.report.section import Goal, Part, Section, table


def goals(figures: Figures | None) -> list[Goal]:
    """Nobody is lost by it."""
    out = None if figures is None else figures.out_of_step
    return [
        Goal(
            key="in-step-after-an-outage",
            what="users out of step after the API was away under load",
            wanted="none",
            reached=None if out is None else exact(out),
            met=out == 0,
        )
    ]


def section(figures: Figures) -> Section:
    """How soon all are in step."""
    row = [
        f"{figures.away_seconds:g} s",
        exact(figures.backlog_users),
        f"{figures.to_first_confirmation:.1f} s",
        f"{figures.to_in_step:.1f} s",
        f"{figures.ideal_seconds:.1f} s",
        ratio(figures.times_the_ideal),
        exact(figures.out_of_step),
    ]
    head = (
        "the API is away for",
        "users behind",
        "first confirmed after",
        "all in step after",
        "ideal",
        "times",
        "users out of step",
    )
    return Section(
        title="After an outage",
        text=f"""\
{table(head, [row])}

Counted from the API's return. The ideal is the users behind in full requests at the pace. An endpoint that
fails rests longer each time, and up to the last rest passes before the first request;
that is the difference.""",
    )


PART = Part("outage", Figures, goals, section)
