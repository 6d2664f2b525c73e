"""From an event to its confirmation."""

from typing import Final

from benchmarks.parts.latency import GOAL_SECONDS, Figures
from benchmarks.report.charts.ranges import Range, Spot, ranges
from benchmarks.report.numbers import count, exact, percent
from benchmarks.report.section import Goal, Part, Section, picture, table

HALF: Final = 0.5


def goals(figures: Figures | None) -> list[Goal]:
    """At half of the limit, nearly all within a quarter of a second more than is waited on purpose."""
    half = [each.p99 for each in figures.levels if each.share_of_the_limit == HALF] if figures else []
    return [
        Goal(
            key="delay-at-half-of-the-limit",
            what="event to confirmation, 99 of a hundred, at half of an endpoint's limit",
            wanted=f"at most {GOAL_SECONDS:.2f} s: quiet time, fill time, and 250 ms",
            reached=f"{half[0]:.2f} s" if half else None,
            met=bool(half) and half[0] <= GOAL_SECONDS,
        )
    ]


def section(figures: Figures) -> Section:
    """Every level."""
    rows = [
        [
            f"{percent(each.share_of_the_limit)}: {count(each.events_per_second)}/s",
            f"{each.p50:.2f} s",
            f"{each.p90:.2f} s",
            f"{each.p99:.2f} s",
            f"{each.longest:.2f} s",
            f"{each.users_per_request:.1f}",
            percent(each.cpu_share),
            f"{each.producer_late_seconds:.2f} s",
            exact(each.out_of_step),
        ]
        for each in figures.levels
    ]
    head = (
        "events, of the limit",
        "half of them within",
        "90 %",
        "99 %",
        "all",
        "users a request",
        "CPU of a core",
        "producer late by",
        "users out of step",
    )
    return Section(
        title="From event to confirmation",
        text=f"""\
{picture("latency", "Delays beyond the quiet time at parts of the limit")}

{table(head, rows)}

Of this, {figures.quiet_seconds:g} s are the quiet time, which is waited on purpose. Events come at a steady rate
from a process of their own, each of another user, and carry the moment at which they were due; what the producer was
late by is in the figures.""",
        pictures={"latency": _picture(figures)},
    )


def _picture(figures: Figures) -> str:
    quiet = figures.quiet_seconds

    def spot(seconds: float, hue: int) -> Spot:
        beyond = max(0.0, seconds - quiet)
        return Spot(1000 * beyond, f"{1000 * beyond:,.0f} ms", hue)

    return ranges(
        title="From event to confirmation",
        below=f"Milliseconds beyond the quiet time of {quiet:g} s, which is waited on purpose",
        unit="milliseconds beyond the quiet time",
        names=[("p50", 0), ("p90", 3), ("p99", 2)],
        rows=[
            Range(
                f"{percent(level.share_of_the_limit)} of the limit",
                [spot(level.p50, 0), spot(level.p90, 3), spot(level.p99, 2)],
            )
            for level in figures.levels
        ],
        goal=(1000 * (figures.goal_p99_at_half - quiet), "goal for p99 at 50 %"),
    )


PART = Part("latency", Figures, goals, section)
