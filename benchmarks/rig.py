"""One run's surroundings: a broker, topics with events in them, stubs of the Chat API, and contestants at work.

    with Rig.open() as rig:
        data = rig.data(YARDSTICK)                  # made and written once, then read by each contestant's own group
        outcome = rig.through(Ours(), data)         # started, watched until everything is committed, ended

Whoever needs more than `through` builds on `chat`, `task` and `started`.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec
from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs leave two of them out
    AdminClient,
    NewTopic,
    OffsetSpec,
)

from benchmarks.contestants.contestant import Command, Contestant, Task
from benchmarks.measuring import Memory, Used, memory, used
from benchmarks.stub import Behaviour, Counters
from benchmarks.workloads import KINDS, Known, Made, Workload, made, out_of_step
from tests.support.broker import real_broker
from tests.support.ending import end_with_us

PARTITIONS: Final = 8
LOOK_SECONDS: Final = 0.05
"""How often it is looked how far a contestant is: the step of wall-clock times."""

START_SECONDS: Final = 180.0
"""So long a contestant may take to join its group; a busy machine needs ten times what a quiet one does."""

QUIET_SECONDS: Final = 1.0
"""So long no request comes after the end of one who commits before his work is done."""

ROOT: Final = Path(__file__).parents[1]
T = TypeVar("T")


class BenchmarkError(Exception):
    """A run that says nothing: a contestant ended, or did not come to its end. The message shows its last words."""


class Data(msgspec.Struct, frozen=True):
    """A workload in topics of its own."""

    made: Made
    topics: dict[str, str]
    """{kind of event: its topic}."""

    partitions: int

    @property
    def workload(self) -> Workload:
        """What it was made from."""
        return self.made.workload


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One contestant, one workload, one run. Seconds are of the wall unless they say CPU."""

    contestant: str
    workload: str
    events: int
    users: int
    out_of_step: int | None
    """Users whose attributes and tags are not as the events say; None for one who sends nothing."""

    seconds_to_start: float
    """From the process's start until the group has handed it partitions."""

    seconds: float
    """From then until everything is confirmed and committed; steps of LOOK_SECONDS."""

    seconds_to_confirmed: float | None
    """From then until the last request was confirmed; None for one who sends nothing."""

    used: Used
    """CPU over `seconds`."""

    used_to_start: Used
    chat_used: Used
    """CPU of the stub over `seconds`: far below them, or the stub would be what is measured."""

    memory: Memory
    """At the end; its peak is that of the whole life."""

    counters: Counters
    fewest_requests: int

    @property
    def events_per_second(self) -> float:
        """Of the wall."""
        return self.events / self.seconds

    @property
    def microseconds_per_event(self) -> float:
        """Of CPU."""
        return self.used.cpu_seconds / self.events * 1e6

    @property
    def requests(self) -> int:
        """Calls that write users."""
        return sum(
            number for name, number in self.counters.requests.items() if not name.endswith("get_attr_name")
        )


class Process:
    """A process of the run. It ends with the block that started it, or with us, however that comes."""

    def __init__(self, command: Command, log: Path) -> None:
        self.log = log
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AUDIENCE_SYNC_")
        } | {"PYTHONUNBUFFERED": "1", **command.environment}
        self.started_at = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command.argv,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watcher = end_with_us(self._process.pid)

    @property
    def number(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def used(self) -> Used:
        """CPU so far, its children's too."""
        return used(self.number)

    def memory(self) -> Memory:
        """What it holds now, with its children."""
        return memory(self.number)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.running:
            self._process.send_signal(number)

    def wait_for(self, look: Callable[[], T | None], what: str, *, seconds: float = 60.0) -> T:
        """What *look* finds once it finds something. BenchmarkError after so many seconds, or when it ends."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if not self.running or time.monotonic() > deadline:
                how = "ended" if not self.running else f"did not come so far in {seconds:g} s"
                raise BenchmarkError(f"{what}: the process {how}. Its last words:\n{self.text()[-3000:]}")
            time.sleep(LOOK_SECONDS)
        return found

    def end(self, *, seconds: float = 30.0) -> None:
        """Ask it to end, and see that it does."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._watcher.kill()
        self._watcher.communicate()


class Chat:
    """A stub of the Chat API in a process of its own."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = process.wait_for(lambda: process.text().strip() or None, "the stub tells its address")

    def counters(self) -> Counters:
        """What it has counted."""
        return msgspec.json.decode(self.ask("counters"), type=Counters)

    def state(self) -> dict[str, Known]:
        """{user: {attribute: value, tag: True}} of users who have any."""
        return msgspec.json.decode(self.ask("state"), type=dict[str, Known])

    def moments(self) -> list[tuple[float, float]]:
        """(confirmed, the event's own moment) of each attribute that was set, if they are kept; unix seconds."""
        return msgspec.json.decode(self.ask("moments"), type=list[tuple[float, float]])

    def behave(self, behaviour: Behaviour) -> None:
        """Behave like this from now on."""
        self.ask("settings", msgspec.json.encode(behaviour))

    def reset(self) -> None:
        """Forget users and counts."""
        self.ask("reset", b"{}")

    def ask(self, name: str, body: bytes | None = None) -> bytes:
        """Ask its control address."""
        with urllib.request.urlopen(f"{self.url}/control/{name}", body, timeout=60) as answer:
            return bytes(answer.read())


class Rig:
    """A broker, and what was written to it."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.broker, self._folder = broker, folder
        self._admin = AdminClient({"bootstrap.servers": broker})
        self._data: dict[tuple[Workload, int], Data] = {}
        self._numbers = count(1)
        self._run = f"bench-{os.getpid()}-{int(time.time())}"

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """A rig for the block: all that it starts ends with it. The broker is the tests' (`tests.support.broker`)."""
        with real_broker() as broker, tempfile.TemporaryDirectory(prefix="audience-sync-bench-") as folder:
            rig = cls(broker, Path(folder))
            try:
                yield rig
            finally:
                del rig._admin  # while the broker is there: without it, the client may wait for it for ever

    def folder(self) -> Path:
        """A new, empty folder."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    # Topics

    def data(self, workload: Workload, *, partitions: int = PARTITIONS) -> Data:
        """The workload, made and written; the same one the next time."""
        found = self._data.get((workload, partitions))
        if found is None:
            found = self._data[workload, partitions] = self._written(made(workload), partitions)
        return found

    @contextmanager
    def written_anew(self, work: Made) -> Iterator[Data]:
        """Its events in topics of their own for the block, as young as they can be."""
        data = self._written(work, PARTITIONS)
        try:
            yield data
        finally:
            self.delete(data)

    def _written(self, work: Made, partitions: int) -> Data:
        topics = self.topics(partitions=partitions)
        self.write(work.records, topics, age_seconds=work.workload.age_seconds)
        return Data(work, topics, partitions)

    def delete(self, data: Data) -> None:
        """Delete its topics."""
        for each in self._admin.delete_topics(list(data.topics.values())).values():
            each.result()

    def forget(self, data: Data) -> None:
        """Delete its topics, and let its memory go."""
        self._data.pop((data.workload, data.partitions), None)
        self.delete(data)

    def topics(self, *, partitions: int = PARTITIONS) -> dict[str, str]:
        """New, empty topics, one for each kind of event."""
        number = next(self._numbers)
        topics = {kind: f"{self._run}-{number}-{kind}" for kind in KINDS}
        self.create(topics.values(), partitions=partitions)
        return topics

    def create(self, topics: Sequence[str] | Any, *, partitions: int = PARTITIONS) -> None:
        """Create topics of these names."""
        wanted = [NewTopic(topic, num_partitions=partitions, replication_factor=1) for topic in topics]
        for each in self._admin.create_topics(wanted).values():
            each.result()

    def write(
        self,
        records: Iterable[tuple[str, bytes, bytes]],
        topics: Mapping[str, str],
        *,
        age_seconds: float = 0.0,
    ) -> None:
        """Write events to their topics, to the partition of their key as Java's clients choose it; acknowledged."""
        producer = Producer(
            {
                "bootstrap.servers": self.broker,
                "linger.ms": 50,
                "batch.num.messages": 10_000,
                "queue.buffering.max.messages": 1_000_000,
                "partitioner": "murmur2_random",
                "acks": "all",
                "enable.idempotence": True,
            }
        )
        at = int((time.time() - age_seconds) * 1000)
        for kind, key, value in records:
            while True:
                try:
                    producer.produce(topics[kind], value, key, on_delivery=_must_arrive, timestamp=at)
                    break
                except BufferError:
                    producer.poll(0.1)
        if left := producer.flush(120):
            raise BenchmarkError(f"{left} events were not taken by the broker within two minutes")

    # The Chat API

    @contextmanager
    def chat(self, behaviour: Behaviour = Behaviour()) -> Iterator[Chat]:  # noqa: B008 - it is never altered
        """A stub of the Chat API for the block."""
        process = Process(_stub(behaviour), self._folder / f"chat-{next(self._numbers)}.log")
        try:
            yield Chat(process)
        finally:
            process.end()

    # Contestants

    def task(self, topics: Mapping[str, str], chat: Chat, settings: Mapping[str, str] | None = None) -> Task:
        """Work for one contestant, once: with a group and a folder of its own."""
        number = next(self._numbers)
        return Task(
            broker=self.broker,
            topics=topics,
            group=f"{self._run}-{number}",
            chat_url=chat.url,
            folder=self.folder(),
            settings=settings or {},
        )

    @contextmanager
    def started(self, contestant: Contestant, task: Task) -> Iterator[Process]:
        """A contestant at work for the block."""
        process = Process(contestant.command(task), task.folder / "output.log")
        try:
            yield process
        finally:
            process.end()

    def has_partitions(self, group: str) -> bool:
        """Whether the group has handed partitions to a member."""
        return self.members(group) > 0

    def members(self, group: str) -> int:
        """How many members the group has handed partitions to; none while it is about to."""
        try:
            found = self._admin.describe_consumer_groups([group])[group].result()
        except KafkaException:
            return 0
        if found.state is not ConsumerGroupState.STABLE:
            return 0
        return sum(bool(member.assignment.topic_partitions) for member in found.members)

    def when_it_begins(self, contestant: Contestant, task: Task, process: Process) -> tuple[float, Used]:
        """Wait until it has partitions: the moment just before (monotonic), and its CPU until then."""

        def look() -> tuple[float, Used] | None:
            before = time.monotonic(), process.used()
            return before if self.has_partitions(task.group) else None

        return process.wait_for(look, f"{contestant.name} has partitions", seconds=START_SECONDS)

    def unsettled(self, group: str, topics: Mapping[str, str]) -> int:
        """Records behind the group's committed positions; all, where nothing is committed.

        Only of a group that has a member: before a broker's first group librdkafka 2.16 ends the process here.
        """
        ends = self._ends(topics)
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(*each) for each in ends])
        try:
            found = self._admin.list_consumer_group_offsets([asked])[group].result().topic_partitions
        except KafkaException:
            return sum(ends.values())
        return sum(max(0, ends[each.topic, each.partition] - max(0, each.offset)) for each in found)

    def follower(self, group: str, topics: Mapping[str, str]) -> Callable[[], bool]:
        """What tells whether the group has committed all that stands in the topics now."""
        return self._follower(group, self._ends(topics))

    def _ends(self, topics: Mapping[str, str]) -> dict[tuple[str, int], int]:
        known = self._admin.list_topics(timeout=10).topics
        asked = {
            TopicPartition(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in topics.values()
            for number in known[topic].partitions
        }
        found = self._admin.list_offsets(asked)
        return {(each.topic, each.partition): future.result().offset for each, future in found.items()}

    # A whole run

    def through(
        self,
        contestant: Contestant,
        data: Data,
        *,
        behaviour: Behaviour = Behaviour(),  # noqa: B008 - it is never altered
        settings: Mapping[str, str] | None = None,
        strangers: Collection[str] = (),
        most_seconds: float = 900.0,
    ) -> Outcome:
        """Let a contestant work off topics that are full already, and measure it. BenchmarkError if it can't.

        Starting up (interpreter, imports, joining the group) is measured apart. The clock starts when it has
        partitions and stops when all that it was given is committed, and, if it sends anything, confirmed.

        strangers: users of the data whom the Chat API does not know. It refuses every request with one of them;
            they do not count as out of step.
        """
        known = {user: what for user, what in data.made.truth.items() if user not in strangers}
        if strangers:
            behaviour = msgspec.structs.replace(behaviour, must_be_imported=True)
        with self.chat(behaviour) as chat:
            if strangers:
                chat.ask("import", msgspec.json.encode(list(known)))
            task = self.task(data.topics, chat, settings)
            with self.started(contestant, task) as process:
                began, used_to_start = self.when_it_begins(contestant, task, process)
                chat_at_start = chat.process.used()
                ends = self._ends(data.topics)
                committed = self._follower(task.group, ends)
                process.wait_for(committed, f"{contestant.name} commits all", seconds=most_seconds)
                ended, used_at_end = time.monotonic(), process.used()
                counters = chat.counters()
                if not contestant.commits_what_is_confirmed:
                    counters = self._when_quiet(chat, process, most_seconds)
                    ended, used_at_end = max(ended, counters.last_at or 0.0), process.used()
                held, chat_used = process.memory(), chat.process.used() - chat_at_start
                sends = counters.last_at is not None
                return Outcome(
                    contestant=contestant.name,
                    workload=data.workload.name,
                    events=data.workload.events,
                    users=len(data.made.truth),
                    out_of_step=out_of_step(known, chat.state()) if sends else None,
                    seconds_to_start=began - process.started_at,
                    seconds=ended - began,
                    seconds_to_confirmed=counters.last_at - began if counters.last_at is not None else None,
                    used=used_at_end - used_to_start,
                    used_to_start=used_to_start,
                    chat_used=chat_used,
                    memory=held,
                    counters=counters,
                    fewest_requests=data.made.fewest_requests,
                )

    def _follower(self, group: str, ends: Mapping[tuple[str, int], int]) -> Callable[[], bool]:
        """What tells whether the group has committed everything: only what was not yet is asked for again."""
        left = {each: end for each, end in ends.items() if end}

        def committed() -> bool:
            asked = ConsumerGroupTopicPartitions(group, [TopicPartition(*each) for each in left])
            found = self._admin.list_consumer_group_offsets([asked])[group].result().topic_partitions
            for each in found:
                if each.offset >= left[each.topic, each.partition]:
                    del left[each.topic, each.partition]
            return not left

        return committed

    def _when_quiet(self, chat: Chat, process: Process, most_seconds: float) -> Counters:
        """What the stub has counted, once no request has come for a while."""
        seen: list[tuple[float, int]] = []

        def quiet() -> Counters | None:
            counters = chat.counters()
            seen.append((time.monotonic(), sum(counters.requests.values())))
            still = [at for at, requests in seen if requests == seen[-1][1]]
            return counters if still[-1] - still[0] >= QUIET_SECONDS else None

        return process.wait_for(quiet, "no more requests", seconds=most_seconds)


def _stub(behaviour: Behaviour) -> Command:
    """How the stub is started."""
    return Command(
        argv=[sys.executable, "-m", "benchmarks.stub", "--behaviour", msgspec.json.encode(behaviour).decode()]
    )


def _must_arrive(error: Any, _: Any) -> None:
    if error is not None:
        raise KafkaException(error)
