"""CPU an event, for a thousand users to a million: it should stay the same.

More users share fewer repeats, so that less is folded and more is sent, and an event of a stranger costs more than
a regular's. Sizes are therefore compared where each user has one event and nothing can be folded; the two small ones
show beside them what folding saves.
"""

from typing import Final

import msgspec

from benchmarks.contestants.ours import Ours
from benchmarks.parts.size import Size
from benchmarks.parts.told import told
from benchmarks.rig import Outcome, Rig
from benchmarks.workloads import Spread, Workload

FOLDED: Final = (1_000, 10_000)
UNFOLDED: Final = (100_000, 1_000_000)
EVENTS_OF_THE_FOLDED: Final = 100_000


class One(msgspec.Struct, frozen=True):
    """One size."""

    users: int
    events: int
    microseconds_per_event: float
    peak_bytes: int
    outcome: Outcome


class Figures(msgspec.Struct, frozen=True):
    """All sizes."""

    folded: list[One]
    unfolded: list[One]
    growth: float
    """Of the unfolded ones, the dearest event ÷ the cheapest one: 1.15 is within 15 %."""

    users_out_of_step: int


def measure(rig: Rig, size: Size) -> Figures:
    """One run a size, the small ones first."""
    folded = [
        one(rig, Workload(name=f"{users:,} users", events=events, users=users))
        for users, events in size.of(
            [(users, EVENTS_OF_THE_FOLDED) for users in FOLDED], quick=[(100, 1_000)]
        )
    ]
    unfolded = [
        one(rig, Workload(name=f"{users:,} users", events=users, users=users, spread=Spread.ONCE))
        for users in size.of(UNFOLDED, quick=(1_000, 3_000))
    ]
    costs = [each.microseconds_per_event for each in unfolded]
    return Figures(
        folded,
        unfolded,
        max(costs) / min(costs),
        sum(each.outcome.out_of_step or 0 for each in (*folded, *unfolded)),
    )


def one(rig: Rig, workload: Workload) -> One:
    """A run of ours, on topics that are deleted afterwards."""
    data = rig.data(workload)
    outcome = told(rig.through(Ours(), data))
    rig.forget(data)
    return One(
        len(data.made.truth),
        workload.events,
        outcome.microseconds_per_event,
        outcome.memory.peak_resident,
        outcome,
    )
