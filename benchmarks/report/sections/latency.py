"""From an event to its confirmation."""

from typing import Final

from benchmarks.parts.latency import GOAL_SECONDS, Figures
from benchmarks.report.numbers import count, exact, percent
from benchmarks.report.section import Goal, Part, Section, table

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
{table(head, rows)}

Of this, {figures.quiet_seconds:g} s are the quiet time, which is waited on purpose. Events come at a steady rate
from a process of their own, each of another user, and carry the moment at which they were due; what the producer was
late by is in the figures.""",
    )


PART = Part("latency", Figures, goals, section)
