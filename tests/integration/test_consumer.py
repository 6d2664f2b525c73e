"""The way in on a real broker: from FastStream's poll into the waiting changes, batch by batch."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry

from audience_sync.core.changes import UserId
from audience_sync.core.event import Translated, TranslatedMany, Unusable
from audience_sync.core.guard import Guard
from audience_sync.core.ledger import Mark
from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.events.consumer import Consumer
from audience_sync.events.intake import Intake, Record
from audience_sync.events.positions import Positions
from audience_sync.events.protection import Protection
from audience_sync.events.security import KafkaSecurity
from audience_sync.events.security_parameters import faststream_parameters
from audience_sync.events.stream import Stream, StreamOptions, missing_codecs
from audience_sync.events.translator import Translator
from audience_sync.rules.file import parse_rules
from tests.support.kafka_topics import a_topic, eventually, write, write_transactions, write_with_header
from tests.support.tenures import TIMES

pytestmark = pytest.mark.broker

BOUNDS = Bounds(lease_seconds=3.0, request_timeout_seconds=0.1, max_unsettled_records=1000)

ROOMY = Bounds(lease_seconds=3.0, request_timeout_seconds=0.1, max_unsettled_records=100_000)


class Pieces:
    """The real pieces of the way in, with nothing behind them: users wait, and nobody is sent."""

    def __init__(
        self,
        broker: str,
        topic: str,
        *,
        group: str | None = None,
        most_users: int = 1000,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self.topic = topic
        self.tenures: list[Tenure] = []
        self.buried: list[Mark] = []
        self.unusable_records: list[Record] = []
        self.failures: list[BaseException] = []
        self.seen: list[str] = []
        rules = parse_rules(
            f"""
sources: [{{topic: {topic}, format: json, type: followed}}]
rules: [{{name: one, event: followed, user: "{{user}}", changes: [{{add_tag: "{{tag}}"}}]}}]
""",
            file="rules.yaml",
        )
        self.positions = Positions(
            kafka=lambda: self.stream.kafka, timeout_seconds=5.0, clock=time.time, watch=self
        )
        self.consumer = Consumer(
            intake=Intake(
                translation=Translator(rules).translation,
                by_event_time=lambda _: False,
                want=lambda _: None,
                bury=self._bury,
                stopped=lambda: False,
                guard=Guard(most_per_minute=1000),
                max_waiting_users=most_users,
                clock=time.time,
                watch=self,
            ),
            positions=self.positions,
            begin=self._begin,
            end=self._end,
            nudge=lambda: None,
            topics=[topic],
            bounds=bounds,
            commit_interval_seconds=0.2,
            clock=time.time,
            watch=self,
        )
        self.stream = Stream(
            StreamOptions(
                bootstrap_servers=broker,
                client_id="test",
                group_id=group or f"test-{uuid4().hex}",
                instance_id=None,
                isolation_level="read_committed",
                session_timeout_seconds=6.0,
                heartbeat_seconds=0.5,
                rebalance_timeout_seconds=10.0,
                max_batch_records=500,
            ),
            topics=[topic],
            security=faststream_parameters(Protection(KafkaSecurity())),
            listener=self.consumer,
            take=self.consumer.take,
            failed=self.failures.append,
            middlewares=[KafkaPrometheusMiddleware(registry=CollectorRegistry(), app_name="test")],
        )

    def _begin(self, ownership: Ownership) -> Tenure:
        self.tenures.append(Tenure(ownership, TIMES))
        return self.tenures[-1]

    async def _end(self, tenure: Tenure) -> None:
        tenure.ownership.closing = True

    def _bury(self, key: PartitionKey, record: Record, event: Unusable, mark: Mark) -> None:  # noqa: ARG002 - where and why is not asked
        self.unusable_records.append(record)
        self.buried.append(mark)

    def assigned(self, ownership: Ownership) -> None:
        """A tenure begins."""
        self.seen.append(f"assigned {len(ownership.partitions)}")

    def revoked(self, ownership: Ownership, *, committed: bool) -> None:
        """It has ended."""
        self.seen.append(f"revoked {len(ownership.partitions)}{', committed' if committed else ''}")

    def start_unknown(self, error: str) -> None:
        """The broker did not say."""
        self.seen.append(error)

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Events were understood."""

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
        """The broker has accepted a commit."""

    def not_committed(self, error: str) -> None:
        """It has not."""
        self.seen.append(error)

    def made_anew(self, key: PartitionKey, *, committed: int, end: int) -> None:
        """Not met here."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention was faster."""

    @property
    def users(self) -> int:
        """How many wait."""
        return len(self.tenures[-1].debouncer) if self.tenures else 0

    @property
    def read_position(self) -> int:
        """What is read next of partition 0."""
        return self.tenures[-1].ownership.partitions[PartitionKey(self.topic, 0)].ledger.read_position

    def settle_all(self) -> None:
        """As if every user had been sent and confirmed."""
        debouncer, now = self.tenures[-1].debouncer, time.time()
        debouncer.drain(now)
        for endpoint in list(debouncer.ready._queues):
            while (request := debouncer.cut(endpoint)).parts:
                for user in request.parts:
                    debouncer.settle(user, now)
        self.consumer.turn()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Joined to the group, reading and committing."""
        task = asyncio.create_task(self.consumer.run())
        try:
            await self.stream.start()
            yield
        finally:
            await self.stream.stop()
            task.cancel()
            await asyncio.wait([task])
        assert self.failures == []


def event(user: str, tag: str = "a") -> bytes:
    return b'{"user":"%s","tag":"%s"}' % (user.encode(), tag.encode())


async def test_a_batch_is_handed_over_in_the_turn_in_which_its_poll_returned(broker: str) -> None:
    """An assignment that ended between the two would let an old batch into the new tenure."""
    batches: list[Sequence[Any]] = []

    async def take(records: Sequence[Any]) -> None:
        batches.append(records)

    pieces = Pieces(broker, a_topic(broker))
    pieces.stream._take = take
    async with pieces.running():
        record = ConsumerRecord(pieces.topic, 0, 0, 0, 0, b"alice", event("alice"), None, 5, 5, ())
        polls = iter([{TopicPartition(pieces.topic, 0): [record]}])

        class Polled:
            async def getmany(self, **_: object) -> object:
                """One batch at once, and then nothing for ever."""
                if (batch := next(polls, None)) is not None:
                    return batch
                await asyncio.Event().wait()
                return {}

        loop = pieces.stream._subscriber._run_consume_loop(Polled())
        loop.send(None)  # runs until it waits for the first time: in the second poll
        loop.close()

    assert batches == [(record,)]


async def test_a_backlog_leaves_everything_else_its_turns(broker: str) -> None:
    """No heartbeat left for as long as a buffer lasted, and who lost his partitions so made others read all again."""
    topic, turns = a_topic(broker), 0
    await write(broker, topic, *(event(f"user-{number}") for number in range(5_000)))
    read_in_turn: Counter[int] = Counter()

    class Counting(Pieces):
        def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:  # noqa: ARG002 - how many
            read_in_turn[turns] += len(events)

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    pieces = Counting(broker, topic, most_users=10_000, bounds=ROOMY)
    others = asyncio.create_task(turn())
    async with pieces.running():
        await eventually(lambda: pieces.users == 5_000, "all wait")
    others.cancel()

    assert max(read_in_turn.values()) <= 500, "a batch"


async def test_every_codec_and_every_header_is_read(broker: str) -> None:
    """FastStream's own parser fails a whole batch on one header that is null or no UTF-8, and reads on."""
    assert missing_codecs() == {}
    topic = a_topic(broker)
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        await write(
            broker, topic, *(event(f"{codec}-{number}") for number in range(20)), compression_type=codec
        )
    await write(broker, topic, event("null"), headers=[("content-type", None)])
    await write(
        broker, topic, event("bytes"), headers=[("content-type", b"\xff\xfe"), ("correlation_id", b"\xff")]
    )
    await write_with_header(broker, topic, event("name"), name=b"\xff\xfe\xfd\xfc")
    await write(broker, topic, event("after"))

    pieces = Pieces(broker, topic)
    async with pieces.running():
        await eventually(lambda: pieces.users == 84, "84 users wait")

    assert pieces.read_position == 84
    assert pieces.unusable_records == []


async def test_an_unreadable_record_holds_its_position_and_harms_no_other(broker: str) -> None:
    topic = a_topic(broker)
    await write(broker, topic, event("alice"), b"\xff no JSON", event("bob"))

    pieces = Pieces(broker, topic)
    async with pieces.running():
        await eventually(lambda: pieces.users == 2, "two users wait")
        [record], [mark] = pieces.unusable_records, pieces.buried
        pieces.settle_all()
        [(_, ledger)] = pieces.tenures[-1].ownership.ledgers()
        assert (record.offset, record.value, ledger.settled_position) == (1, b"\xff no JSON", 1)
        mark.settle()

        assert ledger.settled_position == 3


async def test_positions_pass_markers_on_an_idle_topic(broker: str) -> None:
    """Else the committed position of a transactional topic would never reach its end."""
    topic, group = a_topic(broker), f"test-{uuid4().hex}"
    await write_transactions(broker, topic, ([event("alice")], True), ([event("bob")], False))

    pieces = Pieces(broker, topic, group=group)
    async with pieces.running():
        await eventually(lambda: pieces.users == 1, "a user waits")
        await eventually(lambda: pieces.read_position == 4, "the markers are passed")
        pieces.settle_all()
        await pieces.consumer.end_tenure()

    other = Pieces(broker, topic, group=group)
    async with other.running():
        await eventually(lambda: other.tenures, "the partition is assigned")

    start = other.tenures[0].ownership.partitions[PartitionKey(topic, 0)].start
    assert (start.position, start.target, start.clean) == (4, 4, True)


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(broker: str) -> None:
    """Its committed position is of the log before: what follows from it would be skipped in silence."""
    topic, group = a_topic(broker), f"test-{uuid4().hex}"
    await write(broker, topic, *(event(f"user-{number}") for number in range(10)))
    partition = TopicPartition(topic, 0)
    pieces = Pieces(broker, topic, group=group)
    async with pieces.running():
        await eventually(lambda: pieces.tenures, "the partition is assigned")
        await pieces.consumer.end_tenure()
        await pieces.stream.kafka.commit({partition: OffsetAndMetadata(1000, "")})

    other = Pieces(broker, topic, group=group)
    async with other.running():
        await eventually(lambda: other.users == 10, "ten users wait")

    assert other.read_position == 10


async def test_when_there_is_no_room_the_rest_waits_and_nothing_is_left_out(broker: str) -> None:
    topic = a_topic(broker)
    await write(broker, topic, *(event(f"user-{number}") for number in range(2000)))
    pieces = Pieces(
        broker,
        topic,
        most_users=200,
        bounds=Bounds(lease_seconds=3.0, request_timeout_seconds=0.1, max_unsettled_records=150),
    )

    def settled(users: set[str]) -> bool:
        users.update(pieces.tenures[-1].debouncer._users if pieces.tenures else ())
        assert pieces.users <= 150
        if pieces.users:
            pieces.settle_all()
        return len(users) == 2000

    seen: set[str] = set()
    async with pieces.running():
        await eventually(
            lambda: len(pieces.consumer.waiting_partitions) == 1, "it is said what waits for room"
        )
        await eventually(lambda: settled(seen), "all have been taken in")
        assert pieces.read_position == 2000
        assert not pieces.consumer.waiting_partitions


async def test_after_a_revocation_the_next_owner_reads_again_what_was_not_settled(broker: str) -> None:
    """Nothing is kept of an earlier assignment, and nothing is skipped by the next one."""
    topic, group = a_topic(broker, partitions=2), f"test-{uuid4().hex}"
    await write(broker, topic, *(event(f"user-{number}") for number in range(10)))

    one, other = Pieces(broker, topic, group=group), Pieces(broker, topic, group=group)
    async with one.running():
        await eventually(lambda: one.users == 10, "ten users wait")
        async with other.running():
            await eventually(lambda: len(one.tenures) == 2, "the partitions are shared")
            await eventually(lambda: one.users + other.users == 10, "the ten are read again by one of them")
            assert one.seen[:2] == ["assigned 2", "revoked 2, committed"]
    owners: list[Callable[[], int]] = [lambda: one.users, lambda: other.users]

    assert sorted(users() for users in owners) == [0, 10]
    assert len(one.tenures[0].debouncer) == 10, "what was forgotten is forgotten whole, not taken over"


async def test_what_the_handler_raises_ends_consumption(broker: str) -> None:
    """FastStream would log it and read on: a loss."""
    topic = a_topic(broker)
    await write(broker, topic, event("alice"))
    pieces = Pieces(broker, topic)

    async def take(_: Sequence[Any]) -> None:
        raise ZeroDivisionError

    pieces.stream._take = take
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        async with pieces.running():
            await eventually(lambda: pieces.failures, "the failure is told")
