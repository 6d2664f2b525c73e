"""The benchmarks run, in their quick size: no figure is judged, only what must be true of every run."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.document import Document, read
from benchmarks.parts.throughput import Turns

pytestmark = pytest.mark.broker


def run(output: Path, broker: str, *arguments: str) -> Document:
    """What a run has written."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output), *arguments]
    environment = {**os.environ, "AUDIENCE_SYNC_TEST_BROKER": broker}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return read(output)


def test_ours_and_the_ceiling_take_turns_and_every_user_ends_in_step(tmp_path: Path, broker: str) -> None:
    """Counts are those of the workload, whatever the machine does meanwhile."""
    document = run(tmp_path / "performance.json", broker, "--only", "transports,throughput")

    assert document.quick
    assert document.machine.cores == os.cpu_count()
    assert set(document.parts) == set(document.parts_seconds) == {"transports", "throughput"}
    assert document.parts["transports"]["ours_per_httpx"]["median"] > 0
    for name in ("soon", "by_default"):
        turns = msgspec.convert(document.parts["throughput"][name], Turns, strict=False)
        assert turns.users_out_of_step == 0
        for ours in turns.ours:
            assert ours.out_of_step == 0
            assert ours.users > 0
            assert ours.requests >= ours.fewest_requests > 0
            assert ours.counters.refused == {}
            assert ours.used.cpu_seconds > 0
            assert ours.memory.peak_resident > 0
        for ceiling in turns.ceiling:
            assert ceiling.out_of_step is None
            assert ceiling.events == turns.ours[0].events
            assert ceiling.requests == 0


def test_a_part_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With those that are, and nothing is started."""
    command = [sys.executable, "-m", "benchmarks", "--only", "throughputs", "--output", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there is no part 'throughputs'; there are rules_engine" in done.stderr
