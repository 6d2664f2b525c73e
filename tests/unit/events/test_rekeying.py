"""What re-keying does where a revocation, a failure and the end of the service meet."""

import asyncio

from aiokafka import TopicPartition

from audience_sync.core.guard import Guard
from audience_sync.events.copies import CopyMaker
from audience_sync.events.rekeying import Rekeying, Targets, _Partition
from audience_sync.events.stream import StreamOptions


class Producer:
    """Takes its time to stop, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.stops = 0

    async def stop(self) -> None:
        """Not at once."""
        self.stops += 1
        await asyncio.sleep(0)


def rekeying() -> Rekeying:
    """One that is never connected."""
    options = StreamOptions(
        bootstrap_servers="127.0.0.1:1",
        client_id="c",
        group_id="g",
        instance_id=None,
        isolation_level="read_committed",
        session_timeout_seconds=30.0,
        heartbeat_seconds=3.0,
        rebalance_timeout_seconds=30.0,
        max_batch_records=100,
    )
    copies = CopyMaker(
        translate=lambda *_: None,  # type: ignore[arg-type]  # nothing is translated here
        want=lambda _: None,
        may_bury=Guard(most_per_minute=1).may_bury,
        clock=lambda: 0.0,
    )
    return Rekeying(
        options,
        topics=["t"],
        targets=Targets("rekeyed", "letters"),
        parameters={},
        copies=copies,
        stopped=lambda: False,
        clock=lambda: 0.0,
        sleep=asyncio.sleep,
        watch=None,  # type: ignore[arg-type]  # nothing goes wrong here
    )


async def test_a_partition_that_two_leave_at_once_is_left_once() -> None:
    """Two partitions were being left, as their consumer ended.

    A rebalance took them away meanwhile.
    Each producer was stopped once, and nothing failed.
    """
    copying, producers = rekeying(), [Producer(), Producer()]
    for number, producer in enumerate(producers):
        copying._partitions[TopicPartition("t", number)] = _Partition(producer, 0)
    await asyncio.gather(copying.on_partitions_revoked(set()), copying.on_partitions_revoked(set()))
    assert [producer.stops for producer in producers] == [1, 1]
