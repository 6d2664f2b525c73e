"""What seeing and trying cost."""

from benchmarks.parts.costs import Figures
from benchmarks.report.numbers import exact, microseconds, percent, spread
from benchmarks.report.section import Goal, Part, Section, table


def goals(figures: Figures | None) -> list[Goal]:  # noqa: ARG001 - nothing was promised of it
    """None."""
    return []


def section(figures: Figures) -> Section:
    """Metrics, and histories."""
    rows = [
        ["CPU an event with metrics and log lines", spread(figures.with_metrics, microseconds)],
        ["without", spread(figures.without_metrics, microseconds)],
        ["what goes into them", spread(figures.metrics_share, percent)],
    ]
    return Section(
        title="What seeing and trying cost",
        text=f"""\
{table(("", "in turns"), rows)}

The simulation lives {figures.histories_per_second:.1f} histories a second on all cores;
{exact(figures.histories)} were lived.""",
    )


PART = Part("costs", Figures, goals, section)
