"""The rules beside the same translations written by hand."""

from collections.abc import Mapping
from typing import Final

from benchmarks.parts.rules_engine import Figures
from benchmarks.report.numbers import count, percent
from benchmarks.report.section import Goal, Part, Section, table

SHARE: Final = 0.8


def goals(figures: Figures | None) -> list[Goal]:
    """Rules in a file cost little more than Python."""
    share = None if figures is None else figures.with_decoding["ratio_median"]
    return [
        Goal(
            key="rules-by-hand",
            what="events a second through decoding and rules, ÷ the same written by hand in Python",
            wanted="at least 80 %",
            reached=None if figures is None else _share(figures.with_decoding),
            met=share is not None and share >= SHARE,
        )
    ]


def section(figures: Figures) -> Section:
    """With decoding and without."""
    return Section(
        title="Rules beside Python",
        text=f"""\
{
            table(
                ("", "rules, events a second", "by hand", "rules ÷ by hand"),
                [
                    _row("decoding and rules", figures.with_decoding),
                    _row("rules alone", figures.without_decoding),
                ],
            )
        }

One core, the three rules that ship, in turns of milliseconds; both sides give the same. Of ten turns eight lie
between the figures in brackets.""",
    )


def _row(name: str, figures: Mapping[str, float]) -> list[str]:
    rules, hand = figures["rules_events_per_second"], figures["by_hand_events_per_second"]
    return [name, count(rules), count(hand), _share(figures)]


def _share(figures: Mapping[str, float]) -> str:
    low, high = figures["ratio_of_the_lowest_tenth"], figures["ratio_of_the_highest_tenth"]
    return f"{percent(figures['ratio_median'])} ({percent(low)} to {percent(high)})"


PART = Part("rules_engine", Figures, goals, section)
