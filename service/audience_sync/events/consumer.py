"""Records from Kafka into the program, positions back to Kafka; assignment and revocation.

FastStream polls and hands over batches; everything that must not be lost is decided here and in `core`. A
batch is taken in within one turn of the event loop, from the poll that returned it: no assignment can end
between the two (`tests/integration/test_consumer.py` holds FastStream to that).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.events.gaps import Gaps
from audience_sync.events.intake import Intake, Record
from audience_sync.events.positions import Positions

TURN_SECONDS: Final = 0.1
"""How often it is looked whether records that wait for room may be taken in, or a commit is due."""

LOOK_FOR_LOSSES_SECONDS: Final = 1.0
LOOK_FOR_ENDS_SECONDS: Final = 5.0
"""How often the broker is asked, at most, whether a gap was a loss, and where the partitions end."""

RETRY_SECONDS: Final = 1.0
"""After the broker did not say where to start."""

_PARTITION: Final = attrgetter("topic", "partition")


class Watch(Protocol):
    """What an operator gets to see of assignments."""

    def assigned(self, ownership: Ownership) -> None:
        """Partitions are ours, and where each is read from is known."""

    def revoked(self, ownership: Ownership, *, committed: bool) -> None:
        """They no longer are."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention has deleted records before they were read."""

    def start_unknown(self, error: str) -> None:
        """The broker did not say where to start; it is asked again."""


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # the base class has no types
    """The partitions of this replica: takes records in while there is room, commits, begins and ends tenures.

    replay_topic: the one of *topics* that letters are replayed through, if there is one.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        positions: Positions,
        begin: Callable[[Ownership], Tenure],
        end: Callable[[Tenure], Awaitable[None]],
        nudge: Callable[[], None],
        topics: Sequence[str],
        bounds: Bounds,
        commit_interval_seconds: float,
        clock: Callable[[], float],
        watch: Watch,
        replay_topic: str | None = None,
    ) -> None:
        self._intake = intake
        self._begin = begin
        self._end = end
        self._nudge = nudge
        self._topics = topics
        self._replay_topic = replay_topic
        self._bounds = bounds
        self._commit_interval_seconds = commit_interval_seconds
        self._clock = clock
        self._watch = watch
        self._positions = positions
        self._tenure: Tenure | None = None
        self._epoch = 0
        self._leaving = False
        self._assigned: frozenset[PartitionKey] | None = None
        self._rests: dict[PartitionKey, list[Record]] = {}
        self._commit_due_at = 0.0
        self._may_hurry = True  # not after a failed commit: the next one is due in time
        self._gaps = Gaps()
        self._look_for_losses_at = self._look_for_ends_at = 0.0
        self._turn = asyncio.Event()

    @property
    def tenure(self) -> Tenure | None:
        """What is ours now, if anything is and where it starts is known."""
        return self._tenure

    @property
    def waiting_partitions(self) -> Collection[PartitionKey]:
        """Those whose next records are here and wait: for room, a schema, or the end of a stop."""
        return self._rests.keys()

    @property
    def polled_seconds_ago(self) -> float:
        """Seconds since the last poll ended; 0 while one is under way."""
        return self._positions.polled_seconds_ago

    def turn(self) -> None:
        """Something was settled: there may be room, or something to commit."""
        self._turn.set()

    async def take(self, records: Sequence[Any]) -> None:
        """Take a batch in, as far as there is room; the rest waits here, and its partitions are paused.

        Records of partitions that are not ours, or not yet, are left out: once they are, they are read
        again from where the last owner has settled.
        """
        tenure = self._tenure
        if tenure is None:
            return
        for (topic, number), group in groupby(records, key=_PARTITION):
            key = PartitionKey(topic, number)
            if key in tenure.ownership.partitions:
                self._take(tenure, key, list(group))
        self._nudge()
        self._turn.set()

    def _take(self, tenure: Tenure, key: PartitionKey, records: list[Record]) -> None:
        waiting = self._rests.get(key)
        expected = (
            waiting[-1].offset + 1 if waiting else tenure.ownership.partitions[key].ledger.read_position
        )
        self._gaps.passed(key, expected, records[0].offset)
        if waiting is not None:
            waiting.extend(records)
            return
        taken = self._intake.take(tenure, key, records)
        if taken < len(records):
            self._rests[key] = records[taken:]
            self._positions.pause([key])

    async def run(self) -> None:
        """Take in what waited for room, and commit, until cancelled."""
        while True:
            self._turn.clear()
            if self._assigned is not None:
                await self._begin_tenure(self._assigned)
            if (tenure := self._tenure) is not None:
                self._take_rests(tenure)
                self._follow_the_consumer(tenure)
                await self._look_around(tenure)
                await self._commit_if_due(tenure)
            try:
                async with asyncio.timeout(TURN_SECONDS):
                    await self._turn.wait()
            except TimeoutError:
                pass

    def _take_rests(self, tenure: Tenure) -> None:
        for key, records in list(self._rests.items()):
            taken = self._intake.take(tenure, key, records)
            if taken:
                self._nudge()
            if taken == len(records):
                del self._rests[key]
                self._positions.resume([key])
            else:
                del records[:taken]

    def _follow_the_consumer(self, tenure: Tenure) -> None:
        """Positions pass transaction markers and the like, which are never handed out."""
        for key, ledger in tenure.ownership.ledgers():
            if key not in self._rests and (position := self._positions.read_position(key)) is not None:
                self._gaps.passed(key, ledger.read_position, position)
                ledger.read_up_to(position)

    async def _look_around(self, tenure: Tenure) -> None:
        """Ask the broker what no fetch tells: whether a gap was a loss, and where paused partitions end."""
        now = self._clock()
        if self._gaps and now >= self._look_for_losses_at:
            self._look_for_losses_at = now + LOOK_FOR_LOSSES_SECONDS
            lost = self._gaps.lost(await self._positions.beginnings(self._gaps.partitions))
            for key, (first, beginning) in lost.items():
                self._watch.records_lost(key, committed=first, beginning=beginning)
        if now >= self._look_for_ends_at:
            self._look_for_ends_at = now + LOOK_FOR_ENDS_SECONDS
            await self._positions.look_for_ends(list(tenure.ownership.partitions))

    async def _commit_if_due(self, tenure: Tenure) -> None:
        now = self._clock()
        ownership = tenure.ownership
        if now >= self._commit_due_at or (
            (ownership.opens_next(now) or ownership.wants_commit()) and self._may_hurry
        ):
            self._may_hurry = await self.commit(tenure)

    async def commit(self, tenure: Tenure, *, last: bool = False) -> bool:
        """Commit what is settled; whoever's hold this ends becomes ready."""
        self._commit_due_at = self._clock() + self._commit_interval_seconds
        held = tenure.ownership.held_numbers
        accepted = await self._positions.commit(tenure, last=last)
        if accepted and tenure.ownership.held_numbers != held:
            tenure.debouncer.release(self._clock())
        self._nudge()
        return accepted

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Read nothing of them yet: heartbeats begin only when this returns, so it asks the broker nothing."""
        self._epoch += 1
        self._positions.guard_polls(self._read_again)
        keys = frozenset(PartitionKey(p.topic, p.partition) for p in assigned)
        self._positions.pause(keys)
        self._assigned = None if self._leaving else keys
        self._turn.set()

    def _read_again(self) -> None:
        """A poll has failed, and may have lost records: read on from what was taken in, or waits here."""
        if self._tenure is not None:
            for key, ledger in self._tenure.ownership.ledgers():
                rest = self._rests.get(key)
                self._positions.seek(key, rest[-1].offset + 1 if rest else ledger.read_position)

    async def _begin_tenure(self, assigned: frozenset[PartitionKey]) -> None:
        epoch, now = self._epoch, self._clock()
        try:
            starts = await self._positions.starts(sorted(assigned), bound=self._bounds.max_unsettled_records)
        except KafkaError as error:
            self._watch.start_unknown(str(error) or type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
            return
        if epoch != self._epoch or self._assigned is None:
            return  # revoked meanwhile
        self._assigned = None
        ownership = Ownership(
            epoch=epoch,
            starts=starts,
            topics=self._topics,
            bounds=self._bounds,
            now=now,
            replay_topic=self._replay_topic,
        )
        for key, start in starts.items():
            self._positions.seek(key, start.position)
            self._positions.resume([key])
        self._commit_due_at = 0.0
        self._positions.joined(ownership)
        self._tenure = self._begin(ownership)
        self._watch.assigned(ownership)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - eager: it is all
        """Settle what is under way, commit it, forget the rest: the next owner reads it again."""
        self._assigned = None
        self._epoch += 1
        await self.end_tenure()

    async def leave(self) -> None:
        """End what is ours, and begin nothing more: a rebalance may come before the group is left."""
        self._leaving = True
        self._assigned = None
        await self.end_tenure()

    def abandon(self) -> None:
        """A batch was lost on its way here: commit nothing more, for positions would follow the poll past it.

        What is ours is read again by the next owner, from the last commit.
        """
        self._leaving = True
        self._assigned = None
        if self._tenure is not None:
            self._tenure.ownership.closing = True
            self._tenure = None

    async def end_tenure(self) -> None:
        """End what is ours: nothing new leaves, what is under way ends, and what is settled is committed."""
        tenure, self._tenure = self._tenure, None
        self._rests.clear()
        self._gaps.forget()
        if tenure is None:
            return
        await self._end(tenure)
        committed = await self.commit(tenure, last=True)
        self._watch.revoked(tenure.ownership, committed=committed)
