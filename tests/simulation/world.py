"""One history: processes, producers and everything that breaks, until the world heals and all must be in step."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from audience_sync.core.tenure import Tenure
from audience_sync.events.intake import Record as TakenRecord
from audience_sync.events.stream import StreamOptions
from tests.simulation import plan as faults
from tests.simulation.chat import ChatClient, ChatServer, Judge
from tests.simulation.events import TAGS, everything_of, good_users, partition_of
from tests.simulation.floods import Floods
from tests.simulation.freshness import Freshness
from tests.simulation.group import Group, Step
from tests.simulation.letters import Letter, LetterTopic
from tests.simulation.link import Link
from tests.simulation.log import Log, Transaction
from tests.simulation.loop import START, Process, StalledError, WorldLoop, on_world_time
from tests.simulation.member import Consumer, Coordinator
from tests.simulation.plan import Plan, Produced
from tests.simulation.promises import Promises
from tests.simulation.service import KEY, Outside, assembled, doubled, rules_of, settings_of
from tests.simulation.stream import SimulatedStream
from tests.simulation.timetable import Timetable, Violation

LIFE_AFTER_SECONDS: Final = 4.0
LIFE_EVERY_SECONDS: Final = 9.0
"""When the world has healed, and not everything is settled soon, some more events come."""

UNSTABLE_SECONDS: Final = 10.0
"""So long after the group has changed, who has left it may still send for what he had."""

GOES_ON_SECONDS: Final = 120.0
AT_MOST_LATER_SECONDS: Final = 900.0
"""When not everything is settled in time, something must be settled that often, and everything so much later."""

METADATA_SECONDS: Final = (0.5, 5.0)
"""So long until a member hears that a topic has grown. Kafka's default is up to five minutes."""

GRACE_SECONDS: Final = 25.0
"""A process that was asked to stop is killed after that."""


class Replica:
    """One place where a process runs, and another after it has ended."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.starts = 0
        self.wanted = True
        self.process: Process | None = None
        self.link: Link | None = None
        self.consumer: Consumer | None = None
        self.coordinator: Coordinator | None = None
        self.clock_is_off_by = 0.0
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class World:
    """Everything around the service, and the service, for one plan. watch: makes one more judge, who knows it."""

    def __init__(self, loop: WorldLoop, plan: Plan, watch: "Callable[[World], Judge] | None" = None) -> None:
        self.loop = loop
        self.plan = plan
        self.timetable = Timetable()
        self.violation: Violation | None = None
        self.over = asyncio.Event()
        self.healed = False
        self.lately = "nothing"
        """What had broken last, or changed."""
        self._counts: Counter[str] = Counter()
        self.changed_at = loop.time()
        self.replicas: list[Replica] = []
        self.processes: list[Process] = []
        self.log = Log(plan.topics, plan.partitions, uncommitted=plan.uncommitted)
        self.log.changed = self._wake_consumers
        self.promises = Promises(self.log, tags=TAGS, now=loop.time, broken=self.broken, tell=self.tell)
        self.freshness = Freshness(plan, loop, calm_since=self._calm_since, broken=self.broken)
        self.floods = Floods(plan, loop.time, broken=self.broken)
        self.judges: list[Judge] = [self.promises, self.freshness, self.floods]
        self.server = ChatServer(
            loop,
            self.chance("chat"),
            calls_per_second=plan.api_calls_per_second,
            of_app=plan.api_calls_per_second_of_app,
            mode=plan.mode,
            judges=self.judges,
        )
        self.server.tell = self.tell
        self.server.weather = plan.weather
        self.server.unknown |= plan.unknown
        self.server.bad.update(plan.cursed)
        self.promises.server = self.server
        self.promises.ever_bad |= plan.unknown | plan.cursed.keys()
        self.promises.most_a_second = self._most_a_second
        self.promises.most_a_second_of_app = self._most_a_second_of_app
        self.promises.given_up_on_purpose = self._may_be_dropped
        self.promises.committed_position = lambda record: self._position(
            TopicPartition(record.topic, record.partition)
        )
        self.letters = LetterTopic(loop, self.chance("letters"))
        self.letters.written = self._written
        self.group = Group(
            loop,
            session_seconds=plan.knobs.session,
            rebalance_seconds=plan.knobs.rebalance,
            tell=self.tell,
        )
        self.group.committed = self._committed
        self.group.rebalanced = self._group_changed
        self._homes: dict[str, int] = {}
        self._transactions: dict[int, Transaction] = {}
        self._has_drained = False
        self._settled: Mapping[TopicPartition, int] = {}
        self._goal: Mapping[TopicPartition, int] = {}
        self._chance = self.chance("world")
        if watch is not None:
            self.judges.append(watch(self))

    def chance(self, what: str) -> Random:
        """A source of chance of one's own, so that one thing more here changes nothing there."""
        return Random(f"{what}/{self.plan.seed}")

    def tell(self, who: str, *what: object) -> None:
        """A line in the timetable."""
        self.timetable.tell(self.loop.time(), who, *what)

    def broken(self, promise: str, what: str, about: tuple[str, ...]) -> None:
        """A promise is broken. The first one counts, and ends the history."""
        self.tell("world", "BROKEN", promise, what)
        if self.violation is None and not self.over.is_set():
            self.violation = Violation(promise, what, about)
            self.over.set()

    def counts(self) -> Counter[str]:
        """How much of everything there was."""
        found = Counter(requests=self.promises.calls)
        found.update({"dead letters": len(self.letters.letters), "generations": self.group.generation})
        found.update({"sent again": self.promises.sent_again})
        return found + self._counts

    # the course of things

    async def run(self) -> None:
        """The whole history. Raises Violation."""
        plan, later = self.plan, self.loop.later
        for number in range(plan.processes):
            self._begin(Replica(number))
        for produced in plan.produced:
            later(produced.at, self._produce, produced)
        for number, (at, commits) in plan.transactions.items():
            later(at, self._end_transaction, number, commits)
        for at, fault in plan.faults:
            later(at, self._break, fault)
        later(plan.heals_at, self._heal)
        self._deadline = later(plan.heals_at + plan.drained_within_seconds, self._too_late)
        await self.over.wait()
        self._deadline.cancel()
        if self.violation is None:
            self.promises.all_in_step()
        await self._clean_up()
        if self.violation is not None:
            raise self.violation

    def _too_late(self) -> None:
        """Whoever is slow gets more time, as long as he goes on: with little room a bad user holds many up."""
        settled = {at: self._position(at) for at in self.log.partitions}
        latest = self.plan.heals_at + self.plan.drained_within_seconds + AT_MOST_LATER_SECONDS
        if settled != self._settled and self.loop.now - START < latest:
            self._settled = settled
            self._deadline = self.loop.later(GOES_ON_SECONDS, self._too_late)
            return
        left = {
            f"{at.topic}/{at.partition}": f"{self._position(at)} of {self.log.visible_end(at)}"
            for at in self.log.partitions
            if self._position(at) != self.log.visible_end(at)
        }
        self.broken("END", f"not everything is settled: {left}", tuple(left))

    def _position(self, at: TopicPartition) -> int:
        offset = self.group.offsets.get(at)
        return 0 if offset is None else offset.offset

    def _committed(self, member: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        for judge in self.judges:
            judge.committed(member, offsets)
        if self.healed and all(self._position(at) == self.log.visible_end(at) for at in self.log.partitions):
            self._all_is_settled()

    def _written(self, process: str, letter: Letter) -> None:
        for judge in self.judges:
            judge.buried(process, letter)

    def _all_is_settled(self) -> None:
        """Almost the end: positions are to follow the log past what is never handed out, too."""
        if self._has_drained:
            self.tell("world", "all is settled")
            self.over.set()
            return
        self._has_drained = True
        for at, partition in self.log.partitions.items():
            partition.append_gap()
            self._wake_consumers(at)
        self.tell("world", "a marker ends each partition")

    def _heal(self) -> None:
        """From now on nothing breaks any more, and what has broken is mended."""
        self.tell("world", "heals")
        self.healed = True
        for number in list(self._transactions):
            self._end_transaction(number, commits=self._chance.random() < 0.5)
        for replica in self.replicas:
            if replica.wanted and replica.task is None:
                self._begin(replica)
        if not any(replica.wanted for replica in self.replicas):
            self._begin(self.replicas[0])
        self._goal = {at: self.log.partitions[at].end for at in self.log.partitions}
        self.loop.later(LIFE_AFTER_SECONDS, self._live_on)

    def _live_on(self) -> None:
        """Good users go on saying things of every kind, so that whoever is in doubt can be told from the whole."""
        if (
            not self.plan.lives_on
            or self._has_drained
            or self.over.is_set()
            or all(self._position(at) >= end for at, end in self._goal.items())
        ):
            return
        partitions = min(self.log.counts.values())
        for number in range(partitions):
            users, version = good_users(number, partitions), self._chance.randrange(10**6, 10**9)
            for produced in everything_of(users, self.plan.topics, version, now=self.loop.time()):
                self._produce(produced)
        self.loop.later(LIFE_EVERY_SECONDS, self._live_on)

    async def _clean_up(self) -> None:
        """Let all tasks end: nothing is judged any more."""
        self.over.set()
        self.server.is_over = True
        for replica in self.replicas:
            if replica.link is not None:
                replica.link.closed = True
        me = asyncio.current_task()
        for process in self.processes:
            process.when_blown = lambda: None
            process.fuse = None
            self.loop.thaw(process, timers_first=True)
        for _ in range(20):
            left = [task for task in self.loop.tasks if not task.done() and task is not me]
            if not left:
                return
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=1.0)
        raise AssertionError(f"tasks do not end: {left}")

    # producers

    def _produce(self, produced: Produced) -> None:
        at = TopicPartition(produced.topic, self._home_of(produced.entry.user))
        transaction = None
        if produced.transaction is not None:
            transaction = self._transactions.setdefault(produced.transaction, Transaction())
        record = self.log.append(at, produced.entry, transaction)
        self._counts["events"] += 1
        for judge in self.judges:
            judge.produced(record)
        self.tell(
            "producer",
            f"{at.topic}/{at.partition}/{record.offset}",
            record.user,
            _told(record.words) or record.value,
        )
        if produced.gap:
            self.log.partitions[at].append_gap()

    def _home_of(self, user: str) -> int:
        """The number that a user's records have: as the topics were when the first one came.

        A user who moves when topics grow is a named exception to P2; here producers know better.
        """
        if user not in self._homes:
            self._homes[user] = partition_of(user, min(self.log.counts.values()))
        return self._homes[user]

    def _end_transaction(self, number: int, commits: bool) -> None:
        transaction = self._transactions.pop(number, None)
        if transaction is not None:
            self.tell("producer", "commits" if commits else "takes back", *transaction.touched.items())
            self.log.end(transaction, commit=commits)

    def _wake_consumers(self, _: TopicPartition) -> None:
        for replica in self.replicas:
            if replica.consumer is not None:
                replica.consumer.wake()

    # processes

    def _begin(self, replica: Replica) -> None:
        if replica.task is not None or self.over.is_set():
            return
        if replica not in self.replicas:
            self.replicas.append(replica)
        replica.starts += 1
        name = f"p{replica.number}" if replica.starts == 1 else f"p{replica.number}.{replica.starts}"
        process = replica.process = Process(name)
        process.when_blown = lambda: self._killed(replica, process)
        self.processes.append(process)
        replica.link = link = Link(self.loop, self.chance(f"link/{name}"), name)
        replica.stop = asyncio.Event()
        self.tell("world", name, "starts")
        self._group_changed()
        replica.task = task = self.loop.start(self._live(replica, process, link), process)
        task.add_done_callback(lambda _: self._ended(replica, process), context=None)

    async def _live(self, replica: Replica, process: Process, link: Link) -> None:
        plan, name, loop = self.plan, process.name, self.loop
        chance = self.chance(f"process/{name}")
        offset = plan.clock_offsets[replica.number % len(plan.clock_offsets)]
        instance = f"replica-{replica.number}" if plan.static else None

        def begin_member(
            options: StreamOptions, listener: ConsumerRebalanceListener
        ) -> tuple[Coordinator, Consumer]:
            coordinator = replica.coordinator = Coordinator(
                name=name,
                instance=options.instance_id,
                link=link,
                group=self.group,
                log=self.log,
                listener=listener,
                heartbeat_seconds=options.heartbeat_seconds,
                session_seconds=options.session_timeout_seconds,
                chance=chance,
            )
            coordinator.listener_failed = lambda error: self.broken("LISTENER", repr(error), (name,))
            consumer = replica.consumer = Consumer(
                coordinator,
                link=link,
                log=self.log,
                uncommitted=options.isolation_level == "read_uncommitted",
                records_a_fetch=plan.knobs.records_a_fetch,
                chance=chance,
            )
            link.restored = consumer.wake
            return coordinator, consumer

        outside = Outside(
            clock=lambda: loop.now,
            wall_clock=lambda: loop.now + offset + replica.clock_is_off_by,
            chance=chance,
            chat=ChatClient(self.server, name, plan.knobs.request_timeout),
            stream=lambda options, **parts: SimulatedStream(
                options,
                listener=parts["listener"],
                take=parts["take"],
                failed=parts["failed"],
                begin_member=begin_member,
                link=link,
                letters=self.letters,
            ),
            partitions=lambda: dict(self.log.counts) if link.is_up else None,
            seen=lambda what, *about, **fields: self._seen(name, what, about, fields),
            taken=lambda tenure, records, settled: self._taken(name, tenure, records, settled),
        )
        settings = settings_of(plan.knobs, instance, uncommitted=plan.uncommitted)
        await assembled(settings, rules_of(plan.topics), outside).run(replica.stop)

    def _ended(self, replica: Replica, process: Process) -> None:
        """A process has ended by itself, in good order or not; whoever runs it starts it again if it should run."""
        if self.over.is_set() or replica.process is not process:
            return
        assert replica.task is not None
        error = replica.task.exception() if not replica.task.cancelled() else None
        self.tell("world", process.name, "has ended", repr(error) if error else "in good order")
        if error is not None and not _is_expected(error):
            if KEY in repr(error):
                self.broken("P8", f"an error of {process.name} has the key", (process.name,))
            self.broken("ERROR", f"{process.name}: {error!r}", (process.name,))
            self.loop.failure = self.loop.failure or error
        self._gone(replica)
        if replica.wanted and error is not None:
            self.loop.later(0.5, self._begin, replica)

    def _gone(self, replica: Replica) -> None:
        replica.task = replica.process = replica.consumer = replica.link = replica.coordinator = None
        self._group_changed()

    def _killed(self, replica: Replica, process: Process) -> None:
        """The process takes no further step. Its connections break."""
        if replica.process is not process or self.over.is_set():
            return
        self.tell("world", process.name, "is killed")
        process.is_parked = True
        if replica.link is not None:
            replica.link.cut()
        self._gone(replica)

    def _kill(self, replica: Replica, steps: int, back_after_seconds: float) -> None:
        process = replica.process
        if process is not None:
            process.fuse = steps
            process.is_parked = False
            self.loop.later(back_after_seconds + 0.2, self._back, replica, process)

    def _back(self, replica: Replica, former: Process) -> None:
        if replica.process is former:
            self._killed(replica, former)
        if replica.wanted:
            self._begin(replica)

    def _seen(self, name: str, what: str, about: tuple[Any, ...], fields: Mapping[str, Any]) -> None:
        if what in _LOGGED and any(KEY in str(item) for item in (*about, *fields.values())):
            self.broken("P8", f"the log line {what} of {name} has the key", (name,))
        if what not in _UNTOLD:
            self.tell(
                name, what, *(item for item in about if isinstance(item, str | int | float)), *fields.values()
            )

    def _taken(self, name: str, tenure: Tenure, records: Sequence[TakenRecord], settled: int) -> None:
        """P7: only what there is room for is taken in."""
        for judge in self.judges:
            judge.taken(tenure, records)
        knobs = self.plan.knobs
        record = records[-1]
        at = TopicPartition(record.topic, record.partition)  # type: ignore[attr-defined]  # the log's own records
        self.tell(name, "takes in", f"{at.topic}/{at.partition}/{records[0].offset}..{record.offset}")
        ownership = tenure.ownership
        partition = next(p for key, p in ownership.partitions.items() if key == (at.topic, at.partition))
        if record.offset < partition.start.target:
            return
        if record.offset >= settled + knobs.max_unsettled_records:
            self.broken(
                "P7",
                f"{at.topic}/{at.partition}/{record.offset} is taken in while {settled} is unsettled",
                (f"{at.topic}/{at.partition}",),
            )
        most = knobs.max_waiting_users + knobs.max_batch_records + self._needed_by_holds(tenure)
        if len(tenure.debouncer) > most:
            self.broken("P7", f"{len(tenure.debouncer)} users wait in {name}", (name,))

    def _needed_by_holds(self, tenure: Tenure) -> int:
        return sum(
            partition.start.target - partition.start.position
            for partition in tenure.ownership.partitions.values()
        )

    def _most_a_second(self) -> float:
        """P5 is for a stable group. Whole calls are dealt out: with fewer than partitions, each may make one more."""
        return self._most(self.plan.knobs.calls_per_second)

    def _most_a_second_of_app(self) -> float:
        """The same of all endpoints together; without such a limit, nothing."""
        of_app = self.plan.knobs.calls_per_second_of_app
        return 1e9 if of_app is None else self._most(of_app)

    def _most(self, calls_per_second: float) -> float:
        if self.group.step is not Step.STABLE or self.loop.time() - self.changed_at < UNSTABLE_SECONDS:
            return 1e9
        partitions = sum(self.log.counts.values())
        has_grown = partitions > len(self.plan.topics) * self.plan.partitions
        even = calls_per_second >= partitions and not has_grown
        return calls_per_second if even else calls_per_second + len(self.group.members)

    def _calm_since(self) -> float:
        """Since when nothing is wrong and nobody comes or goes; infinite if it is not so."""
        if self.lately != "nothing" or self.group.step is not Step.STABLE:
            return math.inf
        return self.changed_at

    def _may_be_dropped(self, user: str) -> bool:
        return self.plan.knobs.unknown_accounts == "drop" and user in self.plan.unknown

    def _group_changed(self) -> None:
        self.changed_at = self.loop.time()

    # what breaks

    def _break(self, fault: faults.Fault) -> None:
        if self.over.is_set() or self.healed:
            return
        self.tell("world", fault)
        self.lately = type(fault).__name__.lower()
        self._counts[f"faults: {self.lately}"] += 1
        match fault:
            case faults.Kill(process, steps, seconds):
                self._of(process, lambda replica: self._kill(replica, steps, seconds))
            case faults.Freeze(process, seconds):
                self._of(process, lambda replica: self._freeze(replica, seconds))
            case faults.Cut(process, seconds):
                self._of(process, lambda replica: self._cut(replica, seconds))
            case faults.Stall(process, seconds):
                self._of(process, lambda replica: self._stall(replica, seconds))
            case faults.Reset(process):
                self._of(process, self._reset)
            case faults.Outage(seconds):
                self.group.is_up = False
                links = [replica.link for replica in self.replicas if replica.link is not None]
                for link in links:
                    link.cut()
                self.letters.is_up = False
                self.loop.later(seconds, self._outage_ends, links)
            case faults.Stop(process, back_after_seconds):
                self._of(process, lambda replica: self._stop(replica, back_after_seconds))
            case faults.Replace(process, seconds):
                self._of(process, lambda replica: self._replace(replica, seconds))
            case faults.Join():
                if len(self.replicas) < 4:
                    self._begin(Replica(len(self.replicas)))
            case faults.Corrupt(process, polls):
                self._of(process, lambda replica: self._corrupt(replica, polls))
            case faults.Retention(beyond):
                self._delete(beyond)
            case faults.Imported():
                self.server.unknown.clear()
            case faults.ClockJump(process, seconds):
                self._of(process, lambda replica: self._jump(replica, seconds))
            case faults.Grow(topic):
                self._grow(self.plan.topics[topic])
            case _:
                self._break_around(fault)

    def _break_around(self, fault: faults.Fault) -> None:
        later, server, letters = self.loop.later, self.server, self.letters
        match fault:
            case faults.BadWeather(seconds, weather):
                server.weather = weather
                later(seconds, self._set, server, "weather", self.plan.weather)
            case faults.Off(seconds, code):
                server.off = code
                later(seconds, self._set, server, "off", None)
            case faults.Undefined(seconds, names):
                server.undefined |= set(names)
                later(seconds, self._set, server, "undefined", set())
            case faults.Slower(seconds, calls_per_second):
                server.calls_per_second = calls_per_second
                later(seconds, self._set, server, "calls_per_second", self.plan.api_calls_per_second)
            case faults.LettersDown(seconds, lost_answers):
                letters.is_up, letters.lost_answers = lost_answers > 0, lost_answers
                later(seconds, self._set, letters, "is_up", True)
                later(seconds, self._set, letters, "lost_answers", 0.0)
            case _:
                raise AssertionError(f"nobody knows how to do {fault}")

    def _set(self, what: object, name: str, value: object) -> None:
        self.tell("world", name, "is", value)
        setattr(what, name, value)

    def _of(self, number: int, do: Callable[[Replica], object]) -> None:
        if number < len(self.replicas):
            do(self.replicas[number])

    def _freeze(self, replica: Replica, seconds: float) -> None:
        process = replica.process
        if process is not None and not process.is_parked:
            process.is_parked = True
            self._group_changed()
            self.loop.later(seconds, self._thaw, replica, process)

    def _thaw(self, replica: Replica, process: Process) -> None:
        if replica.process is process and not self.over.is_set():
            self.tell("world", process.name, "thaws")
            self._group_changed()
            self.loop.thaw(process, timers_first=self._chance.random() < 0.5)

    def _jump(self, replica: Replica, seconds: float) -> None:
        replica.clock_is_off_by += seconds

    def _grow(self, topic: str) -> None:
        self.log.grow(topic)
        for replica in self.replicas:
            if replica.coordinator is not None:
                self.loop.later(
                    self._chance.uniform(*METADATA_SECONDS), replica.coordinator.topics_have_grown
                )

    def _stall(self, replica: Replica, seconds: float) -> None:
        if replica.link is not None:
            replica.link.stall(seconds)

    def _reset(self, replica: Replica) -> None:
        if replica.link is not None:
            replica.link.reset()

    def _cut(self, replica: Replica, seconds: float) -> None:
        link = replica.link
        if link is not None:
            link.cut()
            self.loop.later(seconds, link.mend)

    def _outage_ends(self, links: Sequence[Link]) -> None:
        self.tell("world", "Kafka is there again")
        self.group.is_up = True
        self.group.come_back()
        self.letters.is_up = True
        for link in links:
            link.mend()

    def _stop(self, replica: Replica, back_after_seconds: float | None) -> None:
        process = replica.process
        if process is None:
            return
        if back_after_seconds is None:
            if sum(other.wanted for other in self.replicas) < 2:
                return
            replica.wanted = False
        replica.stop.set()
        self.loop.later(GRACE_SECONDS, self._grace_ends, replica, process)
        assert replica.task is not None
        if back_after_seconds is not None:
            seconds = back_after_seconds
            replica.task.add_done_callback(lambda _: self.loop.later(seconds, self._begin, replica))

    def _grace_ends(self, replica: Replica, process: Process) -> None:
        if replica.process is process:
            self.tell("world", process.name, "takes too long to stop")
            self._killed(replica, process)
            if replica.wanted:
                self._begin(replica)

    def _replace(self, replica: Replica, seconds: float) -> None:
        process, link, task = replica.process, replica.link, replica.task
        if process is None or link is None or task is None or not replica.wanted:
            return
        link.cut()
        self._gone(replica)
        self.loop.later(seconds, self._orphan_ends, process)
        self._begin(replica)

    def _orphan_ends(self, process: Process) -> None:
        if not self.over.is_set():
            self.tell("world", process.name, "ends")
            process.is_parked = True

    def _corrupt(self, replica: Replica, polls: int) -> None:
        if replica.consumer is not None:
            replica.consumer.corrupt_polls += polls

    def _delete(self, beyond: int) -> None:
        for at, partition in self.log.partitions.items():
            settled = self._position(at)
            partition.delete_below(settled + beyond)
            for record in partition.records[settled : partition.begin]:
                if record is not None:
                    record.is_deleted = True


def _told(words: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in words.items())


_LOGGED: Final = frozenset(
    {"debug", "info", "warning", "error", "stopped", "preflight", "start_unknown", "not_committed"}
)
"""What has a text of the service's own: there a secret would show."""

_UNTOLD: Final = frozenset(
    {"translated", "request_cut", "request_ended", "rounds_ended", "committed", "unusable", "buried", "info"}
)
"""What the timetable has from elsewhere already."""

_EXPECTED: Final = ("StreamError", "KafkaAdminError")
"""What a process may end with: whoever runs it starts it again."""


def _is_expected(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_expected, error.exceptions))
    return type(error).__name__ in _EXPECTED


def live(
    plan: Plan,
    watch: Callable[[World], Judge] | None = None,
    *,
    but: Mapping[str, object] | None = None,
) -> World:
    """Run one history to its end. The world's `violation` says what was broken, if anything was.

    watch: makes one more judge, who is told of everything. but: what the service finds instead of some doubles.
    """
    made: list[World] = []

    async def history(loop: WorldLoop) -> World:
        world = World(loop, plan, watch)
        made.append(world)
        try:
            await world.run()
        except Violation as violation:
            world.violation = violation
        return world

    try:
        with doubled(turn_seconds=plan.knobs.turn, but=but):
            world = on_world_time(history)
    except StalledError as error:
        world = made[0]
        world.violation = world.violation or Violation("END", str(error), ())
    if world.violation is None and world.loop.failure is not None:
        world.violation = Violation("ERROR", repr(world.loop.failure), ())
    return world
