"""What others would use, beside us: the same events, the same stub of the Chat API, the same run.

Each does all of the yardstick once: reads, folds, sends, commits. One that calls for each event gets the yardstick's
first events only. We are there twice, first and last, so that a machine that slows down is seen; our events are
written right before, as we alone look at how old they are. Then all do the first events again with three users whom
nobody has imported: the Chat API refuses every request that names one of them. How many of the *other* users are
wrong in the end?

Nobody has to be there: a peer that can't be had is named with the reason, and one that fails too.
"""

import random
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import msgspec

from benchmarks.contestants.benthos import Benthos
from benchmarks.contestants.connect import Connect
from benchmarks.contestants.contestant import Contestant
from benchmarks.contestants.one_call_per_event import OneCallPerEvent
from benchmarks.contestants.ours import Ours
from benchmarks.contestants.peer import CannotBeHadError, Peer
from benchmarks.contestants.plain_faststream import PlainFastStream
from benchmarks.contestants.quix import Quix
from benchmarks.parts.size import Size
from benchmarks.parts.throughput import QUICK
from benchmarks.parts.told import told
from benchmarks.rig import BenchmarkError, Data, Outcome, Rig
from benchmarks.workloads import YARDSTICK, Made, Workload, made

OF_THE_STRANGERS: Final = 30_000
"""Events of the runs with strangers: what is counted there is users, not time."""

SLICE: Final = 3_000
"""Events for those who are slow: ten seconds or so."""

STRANGERS: Final = 3
MOST_SECONDS: Final = 300.0
"""Whoever takes longer has failed; a quiet machine needs a tenth of it."""

LEFT_OUT: Final = {
    "Vector": "we found it in no registry of packages that this machine reaches, but as a binary or an image",
    "Arroyo, Flink": "not tried: each wants processes of its own beside the broker, and two cores are few",
}
"""Peers that were looked for and not measured, and why."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    configurations: dict[str, str]
    """{contestant: how it is set up, and why so}."""

    not_here: dict[str, str]
    """{peer: why it was not measured}."""

    all_known: list[Outcome]
    """One run each, ours first and last. `events` says who got the first events only."""

    with_strangers: list[Outcome]
    """The same, with users whom the API does not know. They themselves do not count as out of step."""

    strangers: int


def peers() -> list[Peer]:
    """All of them, new."""
    return [OneCallPerEvent(), PlainFastStream(), Quix(1), Quix(5), Benthos(), Connect()]


def measure(rig: Rig, size: Size) -> Figures:
    """Fetch and build them first, then let them work."""
    not_here = dict(LEFT_OUT)
    here = [peer for peer in peers() if is_ready(peer, not_here, patient=not size.quick)]
    whole = size.of(YARDSTICK, quick=QUICK)
    slice_ = first_of(whole, size.of(SLICE, quick=500))
    runs: list[tuple[Contestant, Workload]] = [
        (Ours(), whole),
        *((peer, slice_ if peer.slow else whole) for peer in here),
        (Ours(), whole),
    ]
    part = first_of(whole, size.of(OF_THE_STRANGERS, quick=2_500))
    with_strangers: list[tuple[Contestant, Workload]] = [
        (Ours(), part),
        *((peer, slice_ if peer.slow else part) for peer in here),
    ]
    return Figures(
        configurations={each.name: each.configuration for each in (Ours(), *here)},
        not_here=not_here,
        all_known=list(_outcomes(rig, runs, not_here, 0)),
        with_strangers=list(_outcomes(rig, with_strangers, not_here, STRANGERS)),
        strangers=STRANGERS,
    )


def first_of(whole: Workload, events: int) -> Workload:
    """So many first events of a workload: chance gives the same ones."""
    return msgspec.structs.replace(whole, name=f"{whole.name}, first {events:,}", events=events)


def strangers_of(made: Made, number: int) -> Sequence[str]:
    """Some of its users, by chance: most users have few events, and so have they."""
    return random.Random(made.workload.seed).sample(sorted(made.truth), number)


def is_ready(peer: Peer, not_here: dict[str, str], *, patient: bool) -> bool:
    """Whether it is fetched and built; if not, the reason is added to *not_here*."""
    try:
        peer.prepare(patient=patient)
    except (CannotBeHadError, subprocess.SubprocessError) as error:
        not_here[peer.name] = str(error)
        print(f"  {peer.name}: {error}", flush=True)
        return False
    return True


def _outcomes(
    rig: Rig, runs: Sequence[tuple[Contestant, Workload]], not_here: dict[str, str], strangers: int
) -> Iterator[Outcome]:
    for contestant, workload in runs:
        with _written_for(contestant, rig, workload) as data:
            unknown = strangers_of(data.made, strangers)
            try:
                yield told(rig.through(contestant, data, strangers=unknown, most_seconds=MOST_SECONDS))
            except (BenchmarkError, subprocess.SubprocessError) as error:
                if isinstance(contestant, Ours):
                    raise
                first_line = str(error).splitlines()[0]
                not_here[contestant.name] = f"failed with {strangers} strangers: {first_line}"
                print(f"  {error}", flush=True)


def _written_for(contestant: Contestant, rig: Rig, workload: Workload) -> AbstractContextManager[Data]:
    """The workload written anew for ours, alone in looking at how old a record is; the others share one copy."""
    if isinstance(contestant, Ours):
        return rig.written_anew(made(workload))
    return nullcontext(rig.data(workload))
