"""Histories from the command line: many seeds, one of them again, or each mutation until it is found."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext

from tests.simulation.courses import CourseName
from tests.simulation.drawing import plan_of
from tests.simulation.mutations import MUTATIONS, named
from tests.simulation.runner import Report, broken_by, lived_on_all_cores
from tests.simulation.searching import SEARCHES, Found, found_on_all_cores, in_short
from tests.simulation.world import live

TOLD_IN_FULL = 3
"""Broken histories whose timetable is shown; of the others the first line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 if a promise was broken, or a mutation not found."""
    given = _parser().parse_args(arguments)
    if given.mutations:
        return _all_mutations(given.seeds, given.processes)
    if given.seed is not None:
        return _one(given.seed, given.course, given.mutation)
    return _many(range(given.first, given.first + given.seeds), given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one history, with its whole timetable")
    parser.add_argument("--processes", type=int, help="how many at once; all cores by default")
    parser.add_argument("--course", type=CourseName, choices=list(CourseName), help="all of this kind")
    parser.add_argument("--mutation", choices=[each.name for each in MUTATIONS], help="with this misreading")
    parser.add_argument("--mutations", action="store_true", help="each misreading, until it is found")
    return parser


def _one(seed: int, course: CourseName | None, mutation: str | None) -> int:
    with named(mutation).applied() if mutation else nullcontext():
        world = live(plan_of(seed, course))
    print(*world.timetable, sep="\n")
    broken = broken_by(world)
    print(f"\n{broken.told(course=course, mutation=mutation)}" if broken else "\nEvery promise was kept.")
    return 1 if broken else 0


def _many(seeds: range, given: argparse.Namespace) -> int:
    begun, report = time.monotonic(), Report()
    course, mutation = given.course, given.mutation
    for piece in lived_on_all_cores(seeds, course=course, processes=given.processes, mutation=mutation):
        for broken in piece.broken:
            told = broken.told(course=course, mutation=mutation)
            print(told if len(report.broken) < TOLD_IN_FULL else told.splitlines()[0], flush=True)
        report.add(piece)
        _progress(report, len(seeds), time.monotonic() - begun)
    seconds = time.monotonic() - begun
    happened = ", ".join(f"{count:,} {what}" for what, count in report.counts.most_common())
    print(f"{report.histories:,} histories in {seconds:.0f} s: {happened}")
    if not report.broken:
        print("Every promise was kept.")
        return 0
    kinds = Counter(f"{broken.promise} after {broken.lately}" for broken in report.broken)
    print(
        f"{len(report.broken)} broken: " + ", ".join(f"{count} {what}" for what, count in kinds.most_common())
    )
    return 1


def _progress(report: Report, all_of_them: int, seconds: float) -> None:
    if sys.stderr.isatty():
        left = seconds / report.histories * (all_of_them - report.histories)
        line = f"{report.histories:,} of {all_of_them:,} histories, {len(report.broken)} broken, {left:.0f} s left"
        print(
            f"\r{line:<70}", end="" if report.histories < all_of_them else "\n", file=sys.stderr, flush=True
        )


def _all_mutations(most: int, processes: int | None) -> int:
    found: list[Found] = []
    for mutation, each in zip(
        MUTATIONS,
        found_on_all_cores(MUTATIONS, searches=SEARCHES, most=most, processes=processes),
        strict=True,
    ):
        found.append(each)
        told = f"median {each.median} histories" if each.always else f"NOT FOUND in {most} histories"
        print(f"{mutation.name:<50} {mutation.promise:<12} {told}", flush=True)
    print(in_short(found))
    return 0 if all(each.always for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
