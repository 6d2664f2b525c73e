"""What seeing and trying cost: CPU an event with and without metrics, and histories of the simulation a second."""

import subprocess
import sys
import time
from typing import Final

import msgspec

from benchmarks.contestants.contestant import Command, Task
from benchmarks.contestants.ours import Ours
from benchmarks.measuring import Spread, spread
from benchmarks.parts.size import Size
from benchmarks.rig import ROOT, Rig
from benchmarks.workloads import YARDSTICK

EVENTS: Final = 150_000
HISTORIES: Final = 40


class Unwatched(Ours):
    """The same service, whose parts tell nobody what they do."""

    def __init__(self) -> None:
        super().__init__("without metrics")

    def command(self, task: Task) -> Command:
        """The same, started by `benchmarks.without_metrics`."""
        command = super().command(task)
        argv = [each.replace("audience_sync", "benchmarks.without_metrics") for each in command.argv[:-1]]
        return Command(argv=[*argv, "run"], environment=command.environment)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of CPU an event, in turns; and what a history takes."""

    with_metrics: Spread
    without_metrics: Spread
    metrics_share: Spread
    """Of the CPU with metrics what goes into them, and into the log: 1 - without ÷ with, turn by turn."""

    out_of_step: int
    histories: int
    histories_per_second: float
    """Of the wall, on all cores."""

    histories_kept: bool
    """Whether every promise was kept in all of them."""


def measure(rig: Rig, size: Size) -> Figures:
    """With, without, with, without; then some histories."""
    workload = msgspec.structs.replace(YARDSTICK, name="costs", events=size.of(EVENTS, quick=3_000))
    data = rig.data(workload)
    pairs = []
    for _ in range(size.of(2, quick=1)):
        pairs.append((rig.through(Ours(), data), rig.through(Unwatched(), data)))
        watched, unwatched = pairs[-1]
        print(
            f"  {watched.microseconds_per_event:.2f} µs CPU an event with metrics, "
            f"{unwatched.microseconds_per_event:.2f} without",
            flush=True,
        )
    rig.forget(data)
    histories = size.of(HISTORIES, quick=2)
    seconds, kept = _histories(histories)
    print(f"  {histories / seconds:.1f} histories a second", flush=True)
    return Figures(
        with_metrics=spread([each.microseconds_per_event for each, _ in pairs]),
        without_metrics=spread([each.microseconds_per_event for _, each in pairs]),
        metrics_share=spread(
            [1 - less.microseconds_per_event / more.microseconds_per_event for more, less in pairs]
        ),
        out_of_step=sum(each.out_of_step or 0 for pair in pairs for each in pair),
        histories=histories,
        histories_per_second=histories / seconds,
        histories_kept=kept,
    )


def _histories(count: int) -> tuple[float, bool]:
    """Seconds for so many histories, and whether every promise was kept."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    return time.monotonic() - begun, done.returncode == 0
