"""What processes use, read from /proc; and what machine this is, and whether it is quiet."""

import os
import platform
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

TICKS: Final = os.sysconf("SC_CLK_TCK")
QUIET_SHARE: Final = 0.05
"""A machine is quiet if what else runs on it takes less than this of all its cores."""

PACKAGES: Final = (
    *("audience-sync", "faststream", "aiokafka", "msgspec", "uvloop", "httpx", "httpx-aiohttp", "aiohttp"),
    *("quixstreams", "confluent-kafka"),
)
"""Whose versions the report names, if they are installed."""


class Used(msgspec.Struct, frozen=True):
    """What a process and its descendants have used so far, also those that have ended and were waited for."""

    user_seconds: float
    system_seconds: float

    @property
    def cpu_seconds(self) -> float:
        """Both together. Steps of 10 ms for each process: the kernel's clock."""
        return self.user_seconds + self.system_seconds

    def __sub__(self, other: "Used") -> "Used":
        return Used(self.user_seconds - other.user_seconds, self.system_seconds - other.system_seconds)


class Memory(msgspec.Struct, frozen=True):
    """What a process and its descendants hold, in bytes."""

    resident: int
    peak_resident: int
    """The most that each held at any time, summed up."""


def tree(process: int) -> Iterator[int]:
    """The ids of a process and its descendants, as far as they still run."""
    yield process
    for task in _listed(Path(f"/proc/{process}/task")):
        for child in _text(task / "children").split():
            yield from tree(int(child))


def used(process: int) -> Used:
    """CPU of a process tree. Zero for one that is gone."""
    user = system = 0
    for each in tree(process):
        fields = _text(Path(f"/proc/{each}/stat")).rpartition(")")[2].split()
        if fields:
            own_user, own_system, ended_user, ended_system = map(int, fields[11:15])
            user += own_user + ended_user
            system += own_system + ended_system
    return Used(user / TICKS, system / TICKS)


def memory(process: int) -> Memory:
    """Memory of a process tree. Zero for one that is gone."""
    resident = peak = 0
    for each in tree(process):
        status = dict(line.split(":", 1) for line in _text(Path(f"/proc/{each}/status")).splitlines())
        resident += _kilobytes(status.get("VmRSS", "0 kB"))
        peak += _kilobytes(status.get("VmHWM", "0 kB"))
    return Memory(resident * 1024, peak * 1024)


def busy_share(seconds: float) -> float:
    """What part of all cores is in use, over so many seconds from now. Blocks."""
    before = _cores()
    time.sleep(seconds)
    idle, total = (after - earlier for after, earlier in zip(_cores(), before, strict=True))
    return 1 - idle / total if total else 0.0


class Machine(msgspec.Struct, frozen=True):
    """Where figures come from."""

    cores: int
    cpu: str
    memory_gigabytes: float
    system: str
    python: str
    versions: dict[str, str]
    busy_before: float
    """What part of its cores was in use before the run, by others."""

    @property
    def quiet(self) -> bool:
        """Whether the run had the machine for itself when it began."""
        return self.busy_before < QUIET_SHARE


def machine() -> Machine:
    """The one we are on. Takes two seconds."""
    models = [line for line in _text(Path("/proc/cpuinfo")).splitlines() if line.startswith("model name")]
    total = dict(line.split(":", 1) for line in _text(Path("/proc/meminfo")).splitlines()).get(
        "MemTotal", "0 kB"
    )
    return Machine(
        cores=os.cpu_count() or 1,
        cpu=models[0].partition(":")[2].strip() if models else platform.machine(),
        memory_gigabytes=round(_kilobytes(total) / 1024**2, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions=dict(_versions()),
        busy_before=round(busy_share(2.0), 3),
    )


class Spread(msgspec.Struct, frozen=True):
    """Several values of one figure."""

    median: float
    lowest: float
    highest: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """The median, and how far the values lie apart."""
    return Spread(median(values), min(values), max(values), len(values))


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _cores() -> tuple[int, int]:
    """Idle ticks and all ticks of all cores, since the machine started."""
    ticks = [int(each) for each in _text(Path("/proc/stat")).splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def _kilobytes(text: str) -> int:
    return int(text.split()[0])


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it has ended
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # it has ended
        return ""
