"""How long a start takes."""

from benchmarks.parts.starting import Figures
from benchmarks.report.numbers import exact, spread
from benchmarks.report.section import Goal, Part, Section, table


def goals(figures: Figures | None) -> list[Goal]:  # noqa: ARG001 - nothing was promised of it
    """None."""
    return []


def section(figures: Figures) -> Section:
    """Until ready, until the first confirmation, and what is imported."""
    rows = [
        ["until it is ready", spread(figures.to_ready, _seconds)],
        ["until the first event is confirmed", spread(figures.to_first_confirmation, _seconds)],
        ["CPU until then", spread(figures.cpu_to_first_confirmation, _seconds)],
        [f"of it, importing {exact(figures.modules)} modules", spread(figures.cpu_of_imports, _seconds)],
    ]
    packages = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in figures.slowest_imports.items())
    return Section(
        title="A start",
        text=f"""\
{table(("from the process's start", "seconds"), rows)}

The event lies in its topic before, and is older than the longest wait. What imports take, by package: {packages}.""",
    )


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


PART = Part("starting", Figures, goals, section)
