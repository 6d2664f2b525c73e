"""The service at work on a stream of events, and what its admin port says of it."""

import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Final

import msgspec

from benchmarks.contestants.contestant import Command, Task
from benchmarks.contestants.ours import Ours
from benchmarks.producer import Produced, Stream
from benchmarks.rig import BenchmarkError, Chat, Process, Rig
from benchmarks.workloads import Workload

LOOK_SECONDS: Final = 0.25
SECONDS_TO_MAKE_AN_EVENT: Final = 50e-6
"""More than a busy machine takes; a stream begins when all of its events are made."""


@contextmanager
def working(
    rig: Rig, chat: Chat, *, settings: Mapping[str, str], topics: Mapping[str, str] | None = None
) -> Iterator[tuple[Task, Process]]:
    """Our service for the block, with partitions in its hands: of these topics, or of new ones."""
    task = rig.task(topics or rig.topics(), chat, settings)
    ours = Ours()
    with rig.started(ours, task) as process:
        rig.when_it_begins(ours, task, process)
        yield task, process


def stream_of(rig: Rig, task: Task, workload: Workload, *, events_per_second: float) -> Stream:
    """The workload as a stream that begins soon."""
    return Stream(
        broker=rig.broker,
        topics=dict(task.topics),
        workload=workload,
        events_per_second=events_per_second,
        begins_at=time.time() + 3.0 + workload.events * SECONDS_TO_MAKE_AN_EVENT,
    )


def produced(rig: Rig, stream: Stream) -> Produced:
    """Let a process of its own produce the stream, to its end."""
    command = Command(
        argv=[sys.executable, "-m", "benchmarks.producer", msgspec.json.encode(stream).decode()]
    )
    process = Process(command, rig.folder() / "producer.log")
    try:
        text = process.wait_for(
            lambda: process.text().strip() if not process.running or "{" in process.text() else None,
            "the producer ends",
            seconds=stream.begins_at - time.time() + stream.seconds + 120,
        )
    finally:
        process.end()
    try:
        return msgspec.json.decode(text, type=Produced)
    except msgspec.DecodeError as error:
        raise BenchmarkError(f"the producer failed:\n{text[-2000:]}") from error


def until_settled(rig: Rig, task: Task, process: Process, *, most_seconds: float) -> None:
    """Wait until everything in the task's topics is committed."""
    process.wait_for(
        lambda: rig.unsettled(task.group, task.topics) == 0, "everything is committed", seconds=most_seconds
    )


@contextmanager
def looked_at(look: Callable[[], Any]) -> Iterator[list[tuple[float, Any]]]:
    """What *look* says again and again during the block, with its moment (unix seconds)."""
    seen: list[tuple[float, Any]] = []
    over = Event()

    def run() -> None:
        while not over.wait(LOOK_SECONDS):
            seen.append((time.time(), look()))

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def admin_address(process: Process) -> str | None:
    """Where the admin port is, once the service has said so."""
    for line in process.text().splitlines():
        if found := re.search(r'"admin_port": ?(\d+)', line):
            return f"http://127.0.0.1:{found[1]}"
    return None


def is_ready(address: str) -> bool:
    """Whether the service says that it does its work."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.HTTPError, OSError):
        return False


def status(address: str) -> dict[str, Any]:
    """What the service tells of itself."""
    with urllib.request.urlopen(f"{address}/status", timeout=30) as answer:
        return dict(json.loads(answer.read()))
