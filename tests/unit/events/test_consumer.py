"""Assignments, commits and records that wait for room, on virtual time and without a broker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from audience_sync.core.changes import AddTag, UserId
from audience_sync.core.event import Translated, TranslatedMany, Translation, Unusable
from audience_sync.core.guard import Guard
from audience_sync.core.hold import Note
from audience_sync.core.ledger import Mark
from audience_sync.core.ownership import Ownership, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.events.consumer import Consumer
from audience_sync.events.intake import Intake, Record
from audience_sync.events.positions import Positions
from audience_sync.formats import Record as RecordBytes
from tests.support.clock import on_virtual_time, virtual_now
from tests.support.kafka_client import KafkaClient
from tests.support.kafka_client import Record as Given
from tests.support.tenures import BOUNDS, KEY, TIMES

PARTITION = TopicPartition(*KEY)


class Members:
    """A consumer and everything around it that a test looks at."""

    def __init__(self, *, end: int = 1000) -> None:
        self.kafka = KafkaClient({PARTITION: end})
        self.stopped = False
        self.seen: list[str] = []
        self.ended: list[Tenure] = []
        self.before_the_end: Callable[[Tenure], None] = lambda _: None
        self.consumer = Consumer(
            intake=Intake(
                translation=lambda topic: partial(_translate, topic),
                by_event_time=lambda _: False,
                want=lambda _: None,
                bury=self._bury,
                stopped=lambda: self.stopped,
                guard=Guard(most_per_minute=1000),
                max_waiting_users=1000,
                clock=virtual_now,
                watch=self,
            ),
            positions=Positions(kafka=lambda: self.kafka, timeout_seconds=2.0, clock=virtual_now, watch=self),
            begin=lambda ownership: Tenure(ownership, TIMES),
            end=self._end,
            nudge=lambda: None,
            topics=[KEY.topic],
            bounds=BOUNDS,
            commit_interval_seconds=1.0,
            clock=virtual_now,
            watch=self,
        )

    async def _end(self, tenure: Tenure) -> None:
        tenure.ownership.closing = True
        await asyncio.sleep(0.3)  # what is under way
        self.before_the_end(tenure)
        self.ended.append(tenure)

    def _bury(self, key: PartitionKey, record: Record, event: Unusable, mark: Mark) -> None:
        raise NotImplementedError

    def assigned(self, ownership: Ownership) -> None:
        """A tenure begins."""
        self.seen.append(f"assigned {ownership.epoch}")

    def revoked(self, ownership: Ownership, *, committed: bool) -> None:
        """It has ended."""
        self.seen.append(f"revoked {ownership.epoch} {committed}")

    def start_unknown(self, error: str) -> None:
        """The broker did not say where to start."""
        self.seen.append(f"start unknown: {error[:10]}")

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Events have caused changes."""

    def late(self, topic: str, changes: int) -> None:
        """Changes are not applied."""

    def ignored(self, topic: str, events: int) -> None:
        """Events cause nothing."""

    def unusable(self, topic: str, event: Unusable) -> None:
        """A record can't be used."""

    def too_many_dead_letters(self, reason: str) -> None:
        """Reading stops."""

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A key is not the user."""

    def committed(self) -> None:
        """A commit was accepted."""

    def not_committed(self, error: str) -> None:
        """A commit was not."""
        self.seen.append(f"not committed: {error[:10]}")

    def made_anew(self, key: PartitionKey, *, committed: int, end: int) -> None:
        """Not met here."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention was faster."""

    async def assign(self) -> None:
        """The group gives us the partition."""
        await self.consumer.on_partitions_assigned({PARTITION})
        await asyncio.sleep(0.05)

    async def revoke(self) -> None:
        """The group takes it away."""
        await self.consumer.on_partitions_revoked({PARTITION})

    async def take(self, first: int, last: int) -> None:
        """A batch of records from the first to below the last position."""
        await self.consumer.take(
            [Given(*KEY, position, b"user-%d" % position) for position in range(first, last)]
        )

    def settle_all(self) -> None:
        """Everybody who waits was sent and confirmed."""
        tenure = self.consumer.tenure
        assert tenure is not None
        for user in tenure.debouncer._users.values():
            for mark in user.marks:
                mark.settle()
        self.consumer.turn()

    @property
    def last_commit(self) -> tuple[int, str]:
        """Position and metadata."""
        offset = self.kafka.commits[-1][PARTITION]
        return offset.offset, offset.metadata

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The consumer turns meanwhile."""
        task = asyncio.create_task(self.consumer.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


def _translate(topic: str, record: RecordBytes) -> Translation:
    value = record.value
    assert (topic, value is None) == (KEY.topic, False)
    return Translated(UserId((value or b"").decode()), (AddTag("a"),), urgent=False, event_seconds=None)


def run(story: Callable[[Members], Coroutine[Any, Any, None]], **options: int) -> None:
    """Tell *story* on virtual time, with the consumer running."""

    async def main() -> None:
        members = Members(**options)
        async with members.running():
            await story(members)

    on_virtual_time(main())


def test_nothing_is_taken_in_before_it_is_known_where_to_start() -> None:
    """The broker is asked after the listener has returned, for heartbeats wait for that."""

    async def story(members: Members) -> None:
        members.kafka.broker_is_there = False
        await members.assign()
        assert members.kafka.paused == {PARTITION}
        await members.take(0, 10)
        await asyncio.sleep(5)
        assert members.consumer.tenure is None
        assert {seen.split(":")[0] for seen in members.seen} == {"start unknown"}
        members.kafka.broker_is_there = True
        await asyncio.sleep(2)

        assert members.seen[-1] == "assigned 1"
        assert members.kafka.sought == {PARTITION: 0}
        assert members.kafka.paused == set()

    run(story)


def test_who_leaves_begins_nothing_more() -> None:
    """A rebalance may come between the last commit and the leaving of the group."""

    async def story(members: Members) -> None:
        await members.assign()
        await members.consumer.leave()
        commits = len(members.kafka.commits)
        await members.revoke()
        await members.assign()
        await asyncio.sleep(5)

        assert members.consumer.tenure is None
        assert len(members.kafka.commits) == commits
        assert members.kafka.paused == {PARTITION}

    run(story)


def test_after_a_batch_was_lost_nothing_more_is_committed() -> None:
    """The client's position is past the batch already, and the service takes a moment to end."""

    async def story(members: Members) -> None:
        await members.assign()
        await members.take(0, 10)
        members.settle_all()
        await asyncio.sleep(2)
        commits = len(members.kafka.commits)
        members.kafka.consumer_positions[PARTITION] = 20  # the poll has moved on; the batch never arrived
        members.consumer.abandon()
        await asyncio.sleep(10)
        await members.consumer.leave()

        assert members.last_commit[0] == 10
        assert len(members.kafka.commits) == commits

    run(story)


def test_the_opening_commit_follows_at_once() -> None:
    """Nothing is sent before it."""

    async def story(members: Members) -> None:
        await members.assign()

        assert members.last_commit == (0, Note(sent_below=25, clean=False).text())
        assert members.consumer.tenure is not None
        assert members.consumer.tenure.ownership.held_numbers == []

    run(story)


def test_what_there_is_no_room_for_waits_here_and_its_partition_is_paused() -> None:
    """Commits reserve a part of the bound at a time; when what is read is settled, it goes on."""

    async def story(members: Members) -> None:
        await members.assign()
        await members.take(0, 300)
        assert members.consumer.tenure is not None
        [(_, ledger)] = members.consumer.tenure.ownership.ledgers()
        assert ledger.read_position == 25
        assert members.kafka.paused == {PARTITION}
        await asyncio.sleep(5)
        assert ledger.read_position == BOUNDS.max_unsettled_records

        for _ in range(10):
            members.settle_all()
            await asyncio.sleep(1)
        assert ledger.read_position == 300
        assert members.kafka.paused == set()

    run(story)


def test_commits_go_out_on_time_also_when_nothing_moves() -> None:
    """Each renews the lease."""

    async def story(members: Members) -> None:
        await members.assign()
        for _ in range(100):
            await asyncio.sleep(0.3)
            assert members.consumer.tenure is not None
            assert members.consumer.tenure.ownership.lease_valid(virtual_now())

        assert 28 <= len(members.kafka.commits) <= 34

    run(story)


def test_without_a_broker_the_lease_ends_and_commits_are_not_hurried() -> None:
    async def story(members: Members) -> None:
        await members.assign()
        members.kafka.broker_is_there = False
        await members.take(0, 25)
        await asyncio.sleep(10)

        assert members.consumer.tenure is not None
        assert not members.consumer.tenure.ownership.lease_valid(virtual_now())
        assert sum(seen.startswith("not committed") for seen in members.seen) <= 11

    run(story)


def test_on_revocation_what_is_under_way_ends_before_the_last_commit() -> None:
    async def story(members: Members) -> None:
        await members.assign()
        await members.take(0, 10)

        def confirm(tenure: Tenure) -> None:
            for user in tenure.debouncer._users.values():
                for mark in user.marks:
                    mark.settle()

        members.before_the_end = confirm
        await members.revoke()

        assert members.last_commit == (10, Note(sent_below=10, clean=True).text())
        assert members.seen == ["assigned 1", "revoked 1 True"]
        assert members.consumer.tenure is None
        commits = len(members.kafka.commits)
        await asyncio.sleep(10)
        assert len(members.kafka.commits) == commits, "nothing is committed for what is no longer ours"

    run(story)


def test_a_revocation_while_the_start_is_looked_for_leaves_no_tenure() -> None:
    async def story(members: Members) -> None:
        members.kafka.broker_is_there = False
        await members.assign()
        await members.revoke()
        members.kafka.broker_is_there = True
        await asyncio.sleep(10)

        assert members.consumer.tenure is None
        assert members.kafka.commits == []

    run(story)


def test_a_revocation_while_the_broker_answers_leaves_no_tenure() -> None:
    """Its answer is of an assignment that has ended."""

    async def story(members: Members) -> None:
        members.kafka.answer_seconds = 1.0
        await members.assign()
        await members.revoke()
        await asyncio.sleep(10)

        assert members.consumer.tenure is None
        assert members.kafka.commits == []

    run(story)


def test_what_waited_for_room_is_forgotten_with_its_assignment() -> None:
    """The next tenure reads it again, from where the last one has settled."""

    async def story(members: Members) -> None:
        await members.assign()
        await members.take(0, 300)
        members.stopped = True
        members.settle_all()
        await members.revoke()
        members.stopped = False
        await members.assign()
        tenure = members.consumer.tenure
        assert tenure is not None
        [(_, ledger)] = tenure.ownership.ledgers()
        await asyncio.sleep(5)

        assert ledger.read_position == 25
        assert len(tenure.debouncer) == 0
        assert members.kafka.sought == {PARTITION: 25}
        assert members.seen == ["assigned 1", "revoked 1 True", "assigned 3"]

    run(story)


def test_a_hold_ends_when_its_target_is_read_and_those_held_are_let_go() -> None:
    async def story(members: Members) -> None:
        members.kafka.found[PARTITION] = OffsetAndMetadata(0, Note(sent_below=5, clean=True).text())
        await members.assign()
        tenure = members.consumer.tenure
        assert tenure is not None
        await members.take(0, 3)
        tenure.debouncer.drain(virtual_now())
        await asyncio.sleep(5)
        assert tenure.debouncer.drained
        assert members.last_commit == (0, Note(sent_below=5, clean=True).text())
        await members.take(3, 8)
        await asyncio.sleep(5)

        assert tenure.ownership.held_numbers == []
        assert not tenure.debouncer._held
        assert len(tenure.debouncer) == 8

    run(story)


def test_positions_follow_the_consumers_own_past_markers_but_not_past_what_waits() -> None:
    async def story(members: Members) -> None:
        await members.assign()
        assert members.consumer.tenure is not None
        [(_, ledger)] = members.consumer.tenure.ownership.ledgers()
        members.kafka.consumer_positions[PARTITION] = 7
        await asyncio.sleep(1)
        assert ledger.settled_position == 7
        await members.take(7, 200)
        members.kafka.consumer_positions[PARTITION] = 200
        await asyncio.sleep(5)

        assert ledger.read_position == 107

    run(story)


def test_after_a_failed_poll_it_is_read_on_from_what_was_taken_in() -> None:
    """The poll may have dropped records whose positions it has passed."""

    async def story(members: Members) -> None:
        await members.assign()
        await members.take(0, 10)
        members.consumer._read_again()
        assert members.kafka.sought == {PARTITION: 10}
        await members.take(10, 60)
        members.consumer._read_again()

        assert members.kafka.sought == {PARTITION: 60}

    run(story)


def test_records_of_partitions_that_are_not_ours_are_left_out() -> None:
    async def story(members: Members) -> None:
        await members.assign()
        await members.consumer.take([Given("others", 0, 0, b"bob"), Given(*KEY, 0, b"alice")])

        assert members.consumer.tenure is not None
        assert list(members.consumer.tenure.debouncer._users) == ["alice"]

    run(story)
