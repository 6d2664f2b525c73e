"""How long the service takes to start: until it is ready, until the first event is confirmed; and what it imports.

The event lies in its topic before, and is older than the longest wait: so nothing is waited for on purpose. Modules
are compiled before, as they are in the image.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from benchmarks.contestants.ours import Ours
from benchmarks.live import admin_address, is_ready
from benchmarks.measuring import Spread, spread
from benchmarks.parts.size import Size
from benchmarks.rig import ROOT, Rig
from benchmarks.workloads import CITY, Workload

ONE: Final = Workload(name="one event", events=1, users=1, kinds=(CITY,), age_seconds=120.0)
IMPORT: Final = "import audience_sync.commands.run"
PACKAGES: Final = 10


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of the wall from the process's start, unless they say CPU."""

    to_ready: Spread
    to_first_confirmation: Spread
    cpu_to_first_confirmation: Spread
    cpu_of_imports: Spread
    """CPU of a Python that imports what `run` needs and ends, less that of one that imports nothing."""

    modules: int
    """How many modules that are."""

    slowest_imports: dict[str, float]
    """{package: seconds of its modules by themselves}, the slowest ten of one run with `-X importtime`."""


def measure(rig: Rig, size: Size) -> Figures:
    """Start it some times, and import some times; the first of each is for the compiled modules."""
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(rig.folder())}
    turns = [_turn(rig, compiled) for _ in range(1 + size.of(2, quick=1))][1:]
    imports = [_cpu(IMPORT, compiled) - _cpu("pass", compiled) for _ in range(size.of(5, quick=1))]
    count = _run(
        [f"import sys; before = len(sys.modules); {IMPORT}; print(len(sys.modules) - before)"], compiled
    )
    figures = Figures(
        to_ready=spread([ready for ready, _, _ in turns]),
        to_first_confirmation=spread([confirmed for _, confirmed, _ in turns]),
        cpu_to_first_confirmation=spread([cpu for _, _, cpu in turns]),
        cpu_of_imports=spread(imports),
        modules=int(count.stdout),
        slowest_imports=slowest(_run([IMPORT], compiled, "-X", "importtime").stderr),
    )
    print(
        f"  ready after {figures.to_ready.median:.2f} s, first confirmation after "
        f"{figures.to_first_confirmation.median:.2f} s; {figures.cpu_to_first_confirmation.median:.2f} s CPU, "
        f"of which {figures.cpu_of_imports.median:.2f} s import {figures.modules} modules",
        flush=True,
    )
    return figures


def _turn(rig: Rig, environment: Mapping[str, str]) -> tuple[float, float, float]:
    """Seconds to ready and to the first confirmation, and CPU seconds until then."""
    data, ours = rig.data(ONE), Ours()
    with rig.chat() as chat:
        task = rig.task(data.topics, chat, environment)
        with rig.started(ours, task) as process:
            address = process.wait_for(lambda: admin_address(process), "the admin port is told")
            process.wait_for(lambda: is_ready(address), "the service is ready")
            ready = time.monotonic() - process.started_at
            first_at = process.wait_for(lambda: chat.counters().first_at, "an event is confirmed")
            return ready, first_at - process.started_at, process.used().cpu_seconds


def _cpu(code: str, environment: Mapping[str, str]) -> float:
    """CPU seconds of a Python that runs *code*; it says so itself at its end."""
    told = "import resource as r; u = r.getrusage(r.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
    return float(_run([f"{code}; {told}"], environment).stdout.split()[-1])


def _run(code: list[str], environment: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-c", *code]
    path = {"PYTHONPATH": f"{ROOT / 'service'}", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=ROOT, env={**path, **environment}, capture_output=True, text=True, check=True
    )


def slowest(printed: str) -> dict[str, float]:
    """The packages whose modules took longest, from what `-X importtime` has printed."""
    seconds: Counter[str] = Counter()
    for line in printed.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) == 3 and fields[0].strip().isdigit():
            seconds[fields[2].strip().split(".")[0]] += int(fields[0])
    return {name: round(micros / 1e6, 4) for name, micros in seconds.most_common(PACKAGES)}
