"""How many histories a misreading takes until one of them breaks a promise; looked for on all cores."""

import gc
import multiprocessing
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Final

import msgspec

from tests.simulation.drawing import plan_of
from tests.simulation.mutations import Mutation, named
from tests.simulation.world import live

SEARCHES: Final = 5
"""So often a misreading is looked for, each time among other histories, to tell how many it takes."""

APART: Final = 100_000
"""Between the first seeds of two searches."""


class Found(msgspec.Struct, frozen=True):
    """What became of the searches for one misreading. taken: histories until it was found; None: it was not."""

    name: str
    taken: tuple[int | None, ...]

    @property
    def always(self) -> bool:
        """Whether every search has found it."""
        return None not in self.taken

    @property
    def median(self) -> int:
        """Histories that half of the searches need at most; only if it was always found."""
        return round(median(taken for taken in self.taken if taken is not None))


def searched(mutation: Mutation, *, first: int, most: int) -> tuple[int, str] | None:
    """The first seed from *first* on whose history breaks one of its promises, and which; None: no such seed."""
    with mutation.applied():
        for seed in range(first, first + most):
            violation = live(plan_of(seed, mutation.course)).violation
            if violation is not None and violation.promise in mutation.breaks:
                return seed, violation.promise
    return None


def found_on_all_cores(
    mutations: Sequence[Mutation], *, searches: int, most: int, processes: int | None = None
) -> Iterator[Found]:
    """Look for each so often, in *most* histories at most. One after another, as they are found.

    So it ends: after `mutations x searches x most` histories, of some hundredths of a second, at the latest.
    """
    wanted = [(mutation.name, search) for mutation in mutations for search in range(searches)]
    with multiprocessing.get_context("spawn").Pool(processes, _prepare) as pool:
        taken = pool.imap(partial(_histories_taken, most=most), wanted)
        for mutation in mutations:
            yield Found(mutation.name, tuple(next(taken) for _ in range(searches)))


def in_short(all_found: Sequence[Found]) -> str:
    """The figure that tells how sharp the histories are: how many a misreading takes, as a median and at most."""
    found = [each for each in all_found if each.always]
    if not found:
        return "no misreading was found"
    hardest = max(found, key=lambda each: each.median)
    return (
        f"{len(found)} of {len(all_found)} misreadings found; histories until one is: "
        f"median {median(each.median for each in found):g}, most {hardest.median} ({hardest.name})"
    )


def _histories_taken(wanted: tuple[str, int], *, most: int) -> int | None:
    name, search = wanted
    first = search * APART
    found = searched(named(name), first=first, most=most)
    gc.collect()
    return None if found is None else found[0] - first + 1


def _prepare() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # a history makes many objects and few circles
