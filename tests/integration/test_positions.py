"""Commits and starts on a real broker, and what is assumed of aiokafka's private parts."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.protocol.commit import OffsetCommitRequest

from audience_sync.core.hold import Note, Start
from audience_sync.core.ownership import Ownership, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.events.positions import Positions
from tests.support.kafka_topics import a_topic, write, write_transactions
from tests.support.tenures import BOUNDS, TIMES

pytestmark = pytest.mark.broker


class Seen:
    """What an operator would have seen."""

    def __init__(self) -> None:
        self.commits = 0
        self.refusals: list[str] = []
        self.lost: list[tuple[int, int]] = []

    def committed(self) -> None:
        """A commit was accepted."""
        self.commits += 1

    def not_committed(self, error: str) -> None:
        """A commit was not."""
        self.refusals.append(error)

    def made_anew(self, key: PartitionKey, *, committed: int, end: int) -> None:
        """Not met here."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:  # noqa: ARG002 - one partition
        """Retention was faster."""
        self.lost.append((committed, beginning))


class Member:
    """One consumer of a group, joined, with its positions."""

    def __init__(self, kafka: AIOKafkaConsumer, topic: str) -> None:
        self.kafka = kafka
        self.key = PartitionKey(topic, 0)
        self.seen = Seen()
        self.positions = Positions(
            kafka=lambda: self.kafka, timeout_seconds=5.0, clock=time.time, watch=self.seen
        )
        self.commit_requests = 0
        self._count_commit_requests()

    def _count_commit_requests(self) -> None:
        client = self.kafka._client
        send = client.send

        async def counted(node: int, request: Any, **options: Any) -> Any:
            self.commit_requests += isinstance(request, OffsetCommitRequest)
            return await send(node, request, **options)

        client.send = counted

    async def start(self) -> Start:
        """Where partition 0 is read from."""
        return (await self.positions.starts([self.key], bound=BOUNDS.max_unsettled_records))[self.key]

    async def tenure(self) -> Tenure:
        """The partition, as it is ours from now on."""
        ownership = Ownership(
            epoch=1,
            starts={self.key: await self.start()},
            topics=[self.key.topic],
            bounds=BOUNDS,
            now=time.time(),
        )
        self.positions.joined(ownership)
        return Tenure(ownership, TIMES)


@asynccontextmanager
async def member(broker: str, topic: str, group: str) -> AsyncIterator[Member]:
    """A consumer that has joined *group* and owns the topic."""
    kafka = AIOKafkaConsumer(
        bootstrap_servers=broker,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=6000,
        heartbeat_interval_ms=500,
    )
    kafka.subscribe([topic])
    await kafka.start()
    try:
        yield Member(kafka, topic)
    finally:
        await kafka.stop()


@pytest.fixture
def topic(broker: str) -> str:
    return a_topic(broker)


@pytest.fixture
def group() -> str:
    return f"test-{uuid4().hex}"


async def read_to_the_end(one: Member, position: int) -> None:
    """Poll until the consumer's own position is that."""
    for _ in range(100):
        await one.kafka.getmany(timeout_ms=100)
        if one.positions.read_position(one.key) == position:
            return
    raise AssertionError(f"the position stays {one.positions.read_position(one.key)}, not {position}")


async def test_a_commit_leaves_its_note_for_the_next_owner(broker: str, topic: str, group: str) -> None:
    """The public `committed()` of aiokafka would return no metadata."""
    await write(broker, topic, *[b"x"] * 30)
    async with member(broker, topic, group) as one:
        assert await one.start() == Start(0, 0, None, clean=True)
        tenure = await one.tenure()
        tenure.ownership.partitions[one.key].ledger.read_up_to(7)
        assert await one.positions.commit(tenure)
        now = time.time()

    async with member(broker, topic, group) as other:
        start = await other.start()

    note = Note(sent_below=32, clean=False)
    assert start == Start(7, 30, note, clean=False), "held to the end, which lies below what was reserved"
    assert tenure.ownership.lease_valid(now)
    assert (one.seen.commits, one.commit_requests) == (1, 1)


async def test_the_last_commit_says_clean(broker: str, topic: str, group: str) -> None:
    await write(broker, topic, *[b"x"] * 30)
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        assert await one.positions.commit(tenure)
        tenure.ownership.partitions[one.key].ledger.read_up_to(7)
        tenure.ownership.closing = True
        assert not await one.positions.commit(tenure), "none but the last once it closes"
        assert await one.positions.commit(tenure, last=True)
        start = await one.start()

    assert start == Start(7, 7, Note(sent_below=7, clean=True), clean=True)


async def test_a_commit_in_an_old_generation_is_refused_and_not_repeated(
    broker: str, topic: str, group: str
) -> None:
    """Repeated by itself it would go out under the new generation, for partitions that are no longer ours."""
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        coordinator = one.kafka._coordinator
        coordinator.generation -= 1  # as if it had been made before the last rebalance
        one.positions.joined(tenure.ownership)

        assert not await one.positions.commit(tenure)

        assert one.commit_requests == 1
        assert len(one.seen.refusals) == 1
        assert "IllegalGeneration" in one.seen.refusals[0]
        assert not tenure.ownership.lease_valid(time.time())


async def test_a_commit_of_a_stranger_is_refused(broker: str, topic: str, group: str) -> None:
    """The group has forgotten this member, after a pause of its process."""
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        one.kafka._coordinator.member_id = "somebody-else"
        one.positions.joined(tenure.ownership)

        assert not await one.positions.commit(tenure)

        assert one.commit_requests == 1
        assert "UnknownMemberId" in one.seen.refusals[0]


async def test_a_member_who_was_put_out_of_the_group_commits_nothing_more(
    broker: str, topic: str, group: str
) -> None:
    """A broker takes a commit without a generation while the group is empty, over what another owner committed."""
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        one.kafka._coordinator.reset_generation()

        assert not await one.positions.commit(tenure, last=True)

        assert one.commit_requests == 0
        assert "no longer the member" in one.seen.refusals[0]


async def test_a_commit_without_a_coordinator_fails_at_once(broker: str, topic: str, group: str) -> None:
    """The next one is due in time; to wait here would hold up a revocation."""
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        one.kafka._coordinator.coordinator_dead()

        assert not await one.positions.commit(tenure)

        assert one.commit_requests == 0
        assert "GroupCoordinatorNotAvailable" in one.seen.refusals[0]


async def test_a_commit_that_is_not_answered_fails_within_its_time_out(
    broker: str, topic: str, group: str
) -> None:
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        one.positions._timeout_seconds = 0.2

        async def silent(node: int, request: Any, **options: Any) -> Any:  # noqa: ARG001 - as the client's
            await asyncio.Event().wait()

        answering, one.kafka._client.send = one.kafka._client.send, silent
        async with asyncio.timeout(30):
            assert not await one.positions.commit(tenure)
        one.kafka._client.send = answering

        assert one.seen.refusals == ["TimeoutError"]
        assert await one.positions.commit(tenure)


async def test_transaction_markers_hold_no_position_back(broker: str, topic: str, group: str) -> None:
    """They are never handed out; the consumer's own position passes them, also on an idle topic."""
    await write_transactions(
        broker, topic, ([b"1", b"2"], True), ([b"3"], False), ([b"4"], True), ([b"5"], False)
    )

    async with member(broker, topic, group) as one:
        partition = TopicPartition(topic, 0)
        end = (await one.kafka.end_offsets([partition]))[partition]
        assert end == 9, "five records and four markers"
        await read_to_the_end(one, end)
        tenure = await one.tenure()
        position = one.positions.read_position(one.key)
        assert position is not None
        tenure.ownership.partitions[one.key].ledger.read_up_to(position)
        assert await one.positions.commit(tenure)

        assert (await one.start()).position == end


async def test_an_open_transaction_is_not_part_of_a_hold(broker: str, topic: str, group: str) -> None:
    """Its records can't be read yet: the end is that of the isolation level, or the hold could not end."""
    await write(broker, topic, *[b"x"] * 5)
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        assert await one.positions.commit(tenure)
        producer = AIOKafkaProducer(bootstrap_servers=broker, transactional_id=f"test-{uuid4().hex}")
        await producer.start()
        try:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"open", partition=0)
            start = await one.start()
            await producer.abort_transaction()
        finally:
            await producer.stop()

    assert start.target == 5


async def test_records_that_retention_has_deleted_are_told(broker: str, topic: str, group: str) -> None:
    await write(broker, topic, *[b"x"] * 30)
    async with member(broker, topic, group) as one:
        tenure = await one.tenure()
        tenure.ownership.partitions[one.key].ledger.read_up_to(7)
        assert await one.positions.commit(tenure)
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=12)})
        finally:
            await admin.close()

        start = await one.start()

    assert (start.position, one.seen.lost) == (12, [(7, 12)])


async def test_a_partition_that_is_not_ours_has_no_position(broker: str, topic: str, group: str) -> None:
    async with member(broker, topic, group) as one:
        assert one.positions.read_position(PartitionKey("elsewhere", 0)) is None
        assert one.positions.unread(one.key, 0) == 0
