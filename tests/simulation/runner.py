"""Many histories, on all cores; and what is told of those that break a promise."""

import gc
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial

import msgspec

from tests.simulation.courses import CourseName
from tests.simulation.drawing import plan_of
from tests.simulation.mutations import named
from tests.simulation.world import World, live

AT_ONCE: int = 10
"""Histories that a worker lives before it reports."""


class Broken(msgspec.Struct, frozen=True):
    """A history that broke a promise. lately: what had broken last before it did. lines: of its timetable."""

    seed: int
    promise: str
    what: str
    lately: str
    lines: list[str]

    def told(self, *, course: CourseName | None = None, mutation: str | None = None) -> str:
        """All that a person needs to begin with."""
        with_it = (f" COURSE={course}" if course else "") + (f" MUTATION={mutation}" if mutation else "")
        return "\n".join(
            [
                f"seed {self.seed} breaks {self.promise}, after {self.lately}: {self.what}",
                *(f"  {line}" for line in self.lines),
                f"  replay: make simulate SEED={self.seed}{with_it}",
            ]
        )


class Report(msgspec.Struct):
    """What came of some histories: how many, what happened in them, which of them broke a promise."""

    histories: int = 0
    counts: Counter[str] = Counter()
    broken: list[Broken] = []

    def add(self, other: "Report") -> None:
        """Join another one."""
        self.histories += other.histories
        self.counts = self.counts + other.counts
        self.broken = self.broken + other.broken


def broken_by(world: World) -> Broken | None:
    """What the history broke, if it did."""
    violation = world.violation
    if violation is None:
        return None
    lines = world.timetable.about(violation.about)
    return Broken(world.plan.seed, violation.promise, violation.what, world.lately, lines)


def lived(seeds: Iterable[int], course: CourseName | None = None) -> Report:
    """Live the histories of these seeds, here: of that course, or of any."""
    report = Report()
    for seed in seeds:
        world = live(plan_of(seed, course))
        report.histories += 1
        report.counts = report.counts + world.counts()
        if (broken := broken_by(world)) is not None:
            report.broken = [*report.broken, broken]
    return report


def _lived_and_cleared(seeds: Iterable[int], course: CourseName | None) -> Report:
    """`lived` in a worker, which looks for garbage only when a piece is done."""
    report = lived(seeds, course)
    gc.collect()
    return report


def lived_on_all_cores(
    seeds: range,
    *,
    course: CourseName | None = None,
    processes: int | None = None,
    mutation: str | None = None,
) -> Iterator[Report]:
    """Live the histories of these seeds on so many processes (None: as many as there are cores). A report a piece."""
    pieces = [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]
    with multiprocessing.get_context("spawn").Pool(processes, _prepare, (mutation,)) as pool:
        yield from pool.imap_unordered(partial(_lived_and_cleared, course=course), pieces)


_KEPT = ExitStack()


def _prepare(mutation: str | None) -> None:
    """In each worker: the mutation holds for its life, and nothing is looked at for garbage while histories go on."""
    if mutation is not None:
        _KEPT.enter_context(named(mutation).applied())
    gc.collect()
    gc.freeze()
    gc.disable()
