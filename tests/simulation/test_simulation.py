"""The service keeps its promises in made-up histories, and each of them can be had again."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.courses import CourseName
from tests.simulation.drawing import plan_of
from tests.simulation.runner import lived
from tests.simulation.world import live

HISTORIES: Final = 240
A_PIECE: Final = 20
ROOT: Final = Path(__file__).parents[2]

DIGEST: Final = """
from tests.simulation.test_simulation import digest
print(*(digest(seed) for seed in range(500, 512)))
"""


def digest(seed: int) -> str:
    """A history in short: the same timetable has the same digest."""
    return hashlib.sha256("\n".join(live(plan_of(seed)).timetable).encode()).hexdigest()


@pytest.mark.parametrize("first", range(0, HISTORIES, A_PIECE))
def test_every_promise_is_kept_in_made_up_histories(first: int) -> None:
    """Kills, freezes, rebalances, an API in trouble: nothing is lost, doubled, reordered or stuck."""
    report = lived(range(first, first + A_PIECE))
    assert report.histories == A_PIECE
    assert not report.broken, "\n\n".join(broken.told() for broken in report.broken)


@pytest.mark.parametrize("course", CourseName)
def test_every_promise_is_kept_in_histories_of_each_course(course: CourseName) -> None:
    """Sequences that chance seldom makes have histories of their own."""
    report = lived(range(20), course)
    assert not report.broken, "\n\n".join(broken.told() for broken in report.broken)


def test_histories_are_full_of_everything_that_can_happen() -> None:
    """A world in which nothing breaks would keep every promise."""
    counts = lived(range(1000, 1080)).counts
    for what in ("kill", "freeze", "stop", "join", "badweather", "cut", "stall", "replace", "lettersdown"):
        assert counts[f"faults: {what}"], f"no history has a fault of the kind {what}"
    assert counts["requests"] > 1000
    assert counts["sent again"] > 100
    assert counts["dead letters"] > 100


def test_the_same_seed_is_the_same_history() -> None:
    """What was found once can be looked at again, in the same process."""
    for seed in range(40, 46):
        assert digest(seed) == digest(seed)


def test_the_same_seed_is_the_same_history_in_another_interpreter() -> None:
    """No order depends on how an interpreter hashes names."""
    seen = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(seen) == 1
