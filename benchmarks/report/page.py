"""The page `docs/performance.md` and its pictures, made of the run's JSON."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.document import ROOT, Document
from benchmarks.report.charts.ranges import Range, Spot, ranges
from benchmarks.report.findings import Finding, Findings
from benchmarks.report.section import Goal, Part, Section, picture, words
from benchmarks.report.sections import (
    costs,
    growth,
    latency,
    limited,
    memory,
    mixes,
    outage,
    peers,
    rules_engine,
    sizes,
    starting,
    throughput,
    transports,
)

DOCS: Final = ROOT / "docs"
MADE: Final = "<!-- Made from docs/performance.json by `python -m benchmarks --report`. -->"

PARTS: Final[tuple[Part[Any], ...]] = (
    throughput.PART,
    sizes.PART,
    limited.PART,
    latency.PART,
    memory.PART,
    peers.PART,
    growth.PART,
    outage.PART,
    mixes.PART,
    transports.PART,
    rules_engine.PART,
    costs.PART,
    starting.PART,
)
"""The parts in the page's order."""


def pages(document: Document, found: Findings) -> dict[str, str]:
    """{path below docs: text} of all that is made. Raises msgspec.ValidationError for figures of another shape."""
    told = {part.name: part.told(document.parts.get(part.name)) for part in PARTS}
    goals = [goal for of_part, _ in told.values() for goal in of_part]
    sections = [section for _, section in told.values() if section is not None]
    not_run = [name for name, (_, section) in told.items() if section is None]
    if found.findings:
        sections.append(_before_and_after(found.findings))
    sections.append(_how(document, not_run))
    drawn = {name: svg for section in sections for name, svg in section.pictures.items()}
    return {"performance.md": "\n".join(_page(document, goals, found, sections))} | {
        f"images/performance-{name}.svg": svg for name, svg in drawn.items()
    }


def write_pages(made: dict[str, str], folder: Path = DOCS) -> None:
    """Put them below *folder*; pictures that nobody makes any more are removed."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for old in folder.glob("images/performance-*.svg"):
        if f"images/{old.name}" not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text)


def _page(
    document: Document, goals: Sequence[Goal], found: Findings, sections: Sequence[Section]
) -> Iterator[str]:
    measured = [goal for goal in goals if goal.reached is not None]
    missed = [goal for goal in measured if not goal.met]
    yield f"""\
# Performance

{MADE}

What was promised before anything was measured, and what one run of `make bench` has found. Nearly every figure is a
ratio of two things measured in turns on one machine: here {document.machine.cores} cores ({document.machine.cpu}),
shared by broker, stub of the Chat API and whoever is measured. Of {len(goals)} goals {len(measured)} were measured
and {len(measured) - len(missed)} reached.

{words(("goal", "wanted", "measured", "reached"), [_row(goal) for goal in goals])}
"""
    if missed:
        yield "## What was not reached, and why\n"
        for goal in missed:
            reason = found.reasons.get(goal.key, "Nobody has found out yet.")
            yield f"- **{goal.what}**: {goal.reached} instead of {goal.wanted}. {reason}"
        yield ""
    for section in sections:
        yield f"## {section.title}\n\n{section.text.strip()}\n"


def _row(goal: Goal) -> list[str]:
    if goal.reached is None:
        return [goal.what, goal.wanted, "not run", ""]
    return [goal.what, goal.wanted, goal.reached, "yes" if goal.met else "**no**"]


def _before_and_after(found: Sequence[Finding]) -> Section:
    """Each in its own unit, so what is drawn is the part that is left."""
    drawn = ranges(
        title="What the figures asked for",
        below="Each finding's cost before and after, in percent of before",
        unit="percent of the cost before",
        names=[("after", 0), ("before", 1)],
        rows=[
            Range(
                each.title,
                [
                    Spot(100 * each.after / each.before, f"{each.after:g} {each.unit.split()[0]}", 0),
                    Spot(100, f"{each.before:g} {each.unit.split()[0]}", 1),
                ],
            )
            for each in found
        ],
    )
    told = "\n".join(
        f"- **{each.title}**: {each.before:g} → {each.after:g} {each.unit}. {each.what} ({each.how})"
        for each in found
    )
    return Section(
        title="What the figures asked for",
        text=f"{picture('findings', 'Before and after of the most costly findings')}\n\n{told}",
        pictures={"findings": drawn},
    )


def _how(document: Document, not_run: Sequence[str]) -> Section:
    machine = document.machine
    lacking = f"\nNot in this run: {', '.join(not_run)}.\n" if not_run else ""
    for name, why in document.failed.items():
        lacking += f"\n*{name}* has failed: {why.splitlines()[0]}\n"
    load = (
        "Nothing else ran on it when the run began."
        if machine.quiet
        else f"Other programs used {machine.busy_before:.0%} of its cores when the run began: ratios of turns hold, "
        "events a second and delays are worse than they would be alone."
    )
    return Section(
        title="How it was measured",
        text=f"""\
`make bench` does all of it in one run, with seeds that are fixed, before one real Kafka broker and a stub of the
Chat API that judges like the [emulator](emulator.md) and costs next to nothing; a test sends the same requests to
both. Topics are full before anybody starts, except where delays are measured. Whoever is compared takes turns. CPU
is the process's own user and system time, with its children. At the end of each run every user is compared with his
events.
{lacking}
| | |
| --- | --- |
| run ended | {document.taken}, after {document.seconds:.0f} s |
| machine | {machine.cores} cores, {machine.cpu}, {machine.memory_gigabytes:g} GB, {machine.system} |
| load | {load} |
| Python | {machine.python} |
| versions | {", ".join(f"{name} {number}" for name, number in machine.versions.items())} |

`python -m benchmarks --only throughput` measures one part, `--quick` tries all of them in small, `--report` makes
this page again from
[the figures](performance.json).""",
    )
