"""Re-keying on a real broker: one copy for each user concerned, whatever ends in the middle."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from audience_sync.core.changes import AddTag, Change, RemoveTag, UserId
from audience_sync.core.event import (
    Cause,
    Ignored,
    Translated,
    TranslatedMany,
    Translation,
    Unusable,
    Wanting,
)
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.copies import CopyMaker
from audience_sync.events.dead_letters import DeadLetter
from audience_sync.events.rekeyed import Rekeyed
from audience_sync.events.rekeying import Rekeying, Targets
from audience_sync.events.stream import StreamOptions
from tests.support.committed import committed_records
from tests.support.kafka_topics import a_topic, eventually

pytestmark = pytest.mark.broker

STOCKS: Final = 12
USERS: Final = 40
PARTITIONS: Final = 3
"""Of the source; the topic that is keyed by the user has others."""


def told(stock: str, number: int, users: Sequence[str], *, follow: bool) -> bytes:
    return msgspec.json.encode({"stock": stock, "number": number, "users": users, "follow": follow})


def translate(_: str, record: Any) -> Translation:
    """An event about a stock, and who follows it from now on, or no longer."""
    try:
        event = msgspec.json.decode(record.value)
    except msgspec.DecodeError as error:
        return Unusable(Cause.UNREADABLE, str(error))
    if not event["users"]:
        return Ignored("nobody is concerned")
    if event["users"] == ["wanting"]:
        return Wanting(7)
    tag = f"stock:{event['stock']}"
    changes: tuple[Change, ...] = (AddTag(tag) if event["follow"] else RemoveTag(tag),)
    parts = tuple(Translated(UserId(user), changes, False, None) for user in event["users"])
    return parts[0] if len(parts) == 1 else TranslatedMany(parts)


class Replica:
    """One of those that re-key, and what its operator sees."""

    def __init__(self, broker: str, group: str, source: str, targets: Targets) -> None:
        self.errors: list[str] = []
        self.wanted: list[int] = []
        self.schemas: set[int] = set()
        self.copies = 0
        self.stopping = False
        self.paused = False
        self.lost: list[PartitionKey] = []
        self.rekeying = Rekeying(
            StreamOptions(
                bootstrap_servers=broker,
                client_id="test",
                group_id=group,
                instance_id=None,
                isolation_level="read_committed",
                session_timeout_seconds=6.0,
                heartbeat_seconds=0.5,
                rebalance_timeout_seconds=10.0,
                max_batch_records=25,
            ),
            topics=[source],
            targets=targets,
            parameters={},
            copies=CopyMaker(
                translate=self._translate,
                want=lambda event: self.wanted.append(event.schema_id),
                may_bury=lambda _: True,
                clock=lambda: 1000.0,
            ),
            stopped=lambda: self.stopping,
            clock=asyncio.get_running_loop().time,
            sleep=asyncio.sleep,
            watch=self,
            paused=lambda _: self.paused,
        )
        self.task = asyncio.create_task(self.rekeying.run())

    def _translate(self, topic: str, record: Any) -> Translation:
        event = translate(topic, record)
        if isinstance(event, Wanting) and event.schema_id in self.schemas:
            return Ignored("the schema is there, and says that nobody is concerned")
        return event

    async def stop(self) -> None:
        """As SIGTERM would: what is under way ends first."""
        self.stopping = True
        await eventually(lambda: not self.rekeying.working, "a replica has left")
        self.task.cancel()
        await asyncio.wait([self.task])

    def rekeyed(self, topic: str, *, events: int, copies: int) -> None:
        """Copies are there."""
        assert topic
        assert copies >= events
        self.copies += copies

    def rekeying_failed(self, error: str) -> None:
        """Something is done again."""
        self.errors.append(error)

    def ignored(self, topic: str, events: int) -> None:
        """Nobody is concerned."""
        assert topic
        assert events

    def unusable(self, topic: str, event: Unusable) -> None:
        """It becomes a dead letter."""
        assert topic
        assert event.info

    def buried(self, letter_id: str, cause: str, info: str) -> None:
        """It stands there."""
        assert letter_id
        assert cause
        assert info

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention was faster."""
        assert committed < beginning
        self.lost.append(key)


async def produced(broker: str, topic: str, events: Sequence[tuple[str, bytes]]) -> None:
    """Write events keyed by their stock."""
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        sent = [await producer.send(topic, value, key=stock.encode()) for stock, value in events]
        await asyncio.gather(*sent)


def targets_of(broker: str) -> Targets:
    return Targets(rekeyed=a_topic(broker, partitions=PARTITIONS + 2), dead_letters=a_topic(broker))


def made_up(count: int, *, seed: int) -> list[tuple[str, bytes]]:
    """Events about stocks, each concerning nobody, one user or several."""
    chance = random.Random(seed)
    events = []
    for number in range(count):
        stock = f"S{chance.randrange(STOCKS)}"
        users = [f"u{user}" for user in chance.sample(range(USERS), chance.randrange(5))]
        events.append((stock, told(stock, number, users, follow=chance.random() < 0.6)))
    return events


async def test_each_user_concerned_gets_one_copy_in_order_while_replicas_come_and_go(broker: str) -> None:
    """P2's log is the re-keyed one: what is missing, doubled or out of order there, nobody mends."""
    source, targets, group = a_topic(broker, partitions=PARTITIONS), targets_of(broker), f"test-{uuid4().hex}"
    events = made_up(3000, seed=1)
    concerned = sum(len(msgspec.json.decode(value)["users"]) for _, value in events)
    replicas = [Replica(broker, group, source, targets)]
    for begin in range(0, 3000, 500):
        await produced(broker, source, events[begin : begin + 500])
        if begin % 1000 == 0:
            replicas.append(Replica(broker, group, source, targets))
        else:
            await replicas.pop(0).stop()
    copies: list[Any] = []
    for _ in range(60):
        copies = await asyncio.to_thread(committed_records, broker, targets.rekeyed)
        if len(copies) >= concerned:
            break
        await asyncio.sleep(0.5)
    for replica in replicas:
        await replica.stop()

    assert not any(replica.lost for replica in replicas)
    told_of: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    partitions: defaultdict[str, set[int]] = defaultdict(set)
    for record in copies:
        copy = msgspec.json.decode(record.value() or b"", type=Rekeyed)
        assert record.key() == copy.user.encode()
        told_of[copy.user, copy.partition].append(copy.position)
        partitions[copy.user].add(record.partition() or 0)
    assert len(copies) == concerned
    assert all(len(numbers) == 1 for numbers in partitions.values()), "a user is in one partition"
    assert all(sorted(set(positions)) == positions for positions in told_of.values()), "once, and in order"


async def test_a_topic_that_is_paused_is_copied_once_it_is_resumed(broker: str) -> None:
    """Its events wait in Kafka; the partitions stay ours meanwhile."""
    source, targets = a_topic(broker, partitions=PARTITIONS), targets_of(broker)
    replica = Replica(broker, f"test-{uuid4().hex}", source, targets)
    events = made_up(300, seed=3)
    concerned = [
        sum(len(msgspec.json.decode(value)["users"]) for _, value in events[:end]) for end in (100, 300)
    ]
    await produced(broker, source, events[:100])
    await eventually(lambda: replica.copies == concerned[0], "the first events are copied")

    replica.paused = True
    await asyncio.sleep(1.0)  # what was polled before may still end
    await produced(broker, source, events[100:])
    await asyncio.sleep(2.0)
    assert replica.copies == concerned[0]

    replica.paused = False
    await eventually(lambda: replica.copies == concerned[1], "the others are copied, too")
    await replica.stop()
    copies = await asyncio.to_thread(committed_records, broker, targets.rekeyed)
    assert len(copies) == concerned[1]
    assert replica.errors == []


async def test_what_a_dead_owner_has_left_open_is_copied_once(broker: str) -> None:
    """His transaction is ended before the position is looked up, so neither both nor none of them copy it."""
    source, targets, group = a_topic(broker), targets_of(broker), f"test-{uuid4().hex}"
    await produced(broker, source, [("S1", told("S1", 1, ["alice", "bob"], follow=True))])
    dead = AIOKafkaProducer(
        bootstrap_servers=broker,
        transactional_id=f"{group}-rekeying-{source}-0",
        transaction_timeout_ms=60_000,
    )
    await dead.start()
    try:
        await dead.begin_transaction()
        await dead.send_and_wait(targets.rekeyed, b"of the dead owner", key=b"alice")
        replica = Replica(broker, group, source, targets)
        await eventually(lambda: replica.copies == 2, "both copies are written")
        await replica.stop()
    finally:
        await dead.stop()

    copies = await asyncio.to_thread(committed_records, broker, targets.rekeyed)
    assert sorted(copy.key() or b"" for copy in copies) == [b"alice", b"bob"]


async def test_what_can_not_be_read_is_a_dead_letter_and_what_wants_a_schema_waits(broker: str) -> None:
    """Nothing behind a record that waits is copied: the order would be lost."""
    source, targets, group = a_topic(broker), targets_of(broker), f"test-{uuid4().hex}"
    await produced(
        broker,
        source,
        [
            ("S1", b"\xff no JSON"),
            ("S1", told("S1", 1, ["alice"], follow=True)),
            ("S1", told("S1", 2, ["wanting"], follow=True)),
            ("S1", told("S1", 3, ["alice"], follow=False)),
        ],
    )
    replica = Replica(broker, group, source, targets)
    await eventually(lambda: len(replica.wanted) >= 2, "the schema is asked for again")
    assert replica.copies == 1
    (letter,) = await asyncio.to_thread(committed_records, broker, targets.dead_letters)
    assert msgspec.json.decode(letter.value() or b"", type=DeadLetter).original().value == b"\xff no JSON"

    replica.schemas.add(7)
    await eventually(lambda: replica.copies == 2, "the rest is copied")
    await replica.stop()

    records = await asyncio.to_thread(committed_records, broker, targets.rekeyed)
    copies = [msgspec.json.decode(each.value() or b"", type=Rekeyed) for each in records]
    assert [(copy.position, copy.changes) for copy in copies] == [
        (1, [["AddTag", "stock:S1"]]),
        (3, [["RemoveTag", "stock:S1"]]),
    ]
    assert len(await asyncio.to_thread(committed_records, broker, targets.dead_letters)) == 1
