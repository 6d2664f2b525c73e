"""One, two and four processes in one group: the same work shared, without a limit of calls and with one.

All of them stand ready, each with its partitions, before the first event can be seen: events are written in a
transaction that ends then. What is measured goes from there until everything is confirmed and committed.

On a machine with two cores, which broker and stub use too, more processes can't be faster. What is looked at is what
sharing costs: CPU an event, and calls, of all processes together. With a limit, each has a share of it.
"""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

import msgspec
from confluent_kafka import Producer

from benchmarks.contestants.ours import Ours
from benchmarks.parts.size import Size
from benchmarks.rig import Chat, Process, Rig
from benchmarks.stub import Behaviour
from benchmarks.workloads import YARDSTICK, Made, made, out_of_step
from benchmarks.workloads import Spread as Users

PROCESSES: Final = (1, 2, 4)
UNDER_A_LIMIT: Final = (1, 4)

LIMIT: Final = 20.0
"""Calls a second and endpoint, where there is a limit: the API is what all wait for then, and not the machine."""

PARTITIONS: Final = 8
MOST_SECONDS: Final = 240.0

SOON: Final = {
    "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.2",
    "AUDIENCE_SYNC_KAFKA__COMMIT_INTERVAL_SECONDS": "0.2",
}
"""Without a limit, the tail of waiting and of the last commit is to be short."""

QUICK: Final = msgspec.structs.replace(YARDSTICK, name="quick", events=4_000, users=1_500, spread=Users.ZIPF)


class Member(msgspec.Struct, frozen=True):
    """One process of the group."""

    cpu_seconds: float
    peak_resident: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """So many processes at the same work. Seconds are of the wall unless they say CPU."""

    processes: int
    events: int
    users: int
    out_of_step: int
    seconds: float
    """From the moment at which the events can be seen until all of them are committed."""

    members: list[Member]
    requests: dict[str, int]
    fewest_requests: int
    users_per_request: float
    refused: int
    most_calls_in_a_second: int
    """Of any endpoint, in any window of one second."""

    calls_per_second: float
    """Of the endpoint with the most calls, from the first confirmation to the last."""

    @property
    def events_per_second(self) -> float:
        """Of the wall, all processes together."""
        return self.events / self.seconds

    @property
    def microseconds_per_event(self) -> float:
        """Of CPU, all processes together."""
        return sum(member.cpu_seconds for member in self.members) / self.events * 1e6


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of one, two and four processes without a limit, and of one and four with it."""

    partitions: int
    unlimited: list[Run]
    limit: float
    """Calls a second and endpoint, in `limited`."""

    limited: list[Run]


def measure(rig: Rig, size: Size) -> Figures:
    """Let one, two and four processes share the same work."""
    work = made(size.of(YARDSTICK, quick=QUICK))
    limit = str(LIMIT)
    return Figures(
        partitions=PARTITIONS,
        unlimited=[
            shared(rig, work, processes, Behaviour(), SOON) for processes in size.of(PROCESSES, quick=(1, 2))
        ],
        limit=LIMIT,
        limited=[
            shared(
                rig,
                work,
                processes,
                Behaviour(calls_per_second=LIMIT),
                SOON | {"AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": limit},
            )
            for processes in size.of(UNDER_A_LIMIT, quick=(1, 2))
        ],
    )


def shared(rig: Rig, work: Made, count: int, behaviour: Behaviour, settings: dict[str, str]) -> Run:
    """So many processes do the work together."""
    topics = rig.topics(partitions=PARTITIONS)
    with rig.chat(behaviour) as chat, _group(rig, topics, chat, count, settings) as (group, members):
        with written(rig, work, topics):
            before = [member.used() for member in members]
        began = time.monotonic()
        members[0].wait_for(
            rig.follower(group, topics), f"{count} processes commit all", seconds=MOST_SECONDS
        )
        seconds = time.monotonic() - began
        counters = chat.counters()
        users = sum(n * times for each in counters.users_per_request.values() for n, times in each.items())
        confirmed = sum(times for each in counters.users_per_request.values() for times in each.values())
        busiest = max(counters.requests.values(), default=0)
        lasted = (counters.last_at or 0.0) - (counters.first_at or 0.0)
        run = Run(
            processes=count,
            events=work.workload.events,
            users=len(work.truth),
            out_of_step=out_of_step(work.truth, chat.state()),
            seconds=seconds,
            members=[
                Member((member.used() - earlier).cpu_seconds, member.memory().peak_resident)
                for member, earlier in zip(members, before, strict=True)
            ],
            requests=dict(counters.requests),
            fewest_requests=work.fewest_requests,
            users_per_request=users / confirmed if confirmed else 0.0,
            refused=sum(counters.refused.values()),
            most_calls_in_a_second=counters.most_in_a_second,
            calls_per_second=busiest / lasted if lasted else 0.0,
        )
    limit = f"{behaviour.calls_per_second:g} calls/s" if behaviour.calls_per_second else "no limit"
    print(
        f"  {count} processes, {limit:12} {run.events_per_second:9,.0f} events/s "
        f"{run.microseconds_per_event:7.2f} µs CPU an event  {sum(run.requests.values()):5} requests "
        f"{run.calls_per_second:6.1f} calls/s, {run.refused} refused  {run.out_of_step} users out of step",
        flush=True,
    )
    return run


@contextmanager
def _group(
    rig: Rig, topics: dict[str, str], chat: Chat, count: int, settings: dict[str, str]
) -> Iterator[tuple[str, Sequence[Process]]]:
    """A group of so many processes, each with partitions, for the block."""
    with ExitStack() as stack:
        first = rig.task(topics, chat, settings)
        tasks = [first] + [
            replace(rig.task(topics, chat, settings), group=first.group) for _ in range(count - 1)
        ]
        members = [stack.enter_context(rig.started(Ours(), task)) for task in tasks]
        members[0].wait_for(
            lambda: rig.members(first.group) == count, f"{count} processes have partitions", seconds=120
        )
        yield first.group, members
        for member in members:  # all at once: nobody takes over from who has ended
            member.signal(signal.SIGTERM)


@contextmanager
def written(rig: Rig, work: Made, topics: dict[str, str]) -> Iterator[None]:
    """The events are written, and can be seen when the block has ended."""
    producer = Producer(
        {
            "bootstrap.servers": rig.broker,
            "transactional.id": f"growth-{next(iter(topics.values()))}",
            "transaction.timeout.ms": 300_000,
            "linger.ms": 50,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 1_000_000,
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    for kind, key, value in work.records:
        while True:
            try:
                producer.produce(topics[kind], value, key)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush(120)
    yield
    producer.commit_transaction(120)
