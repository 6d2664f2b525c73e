"""FastStream logs what breaks on a batch's way to the handler, and reads on: here it ends consumption."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRebalanceListener
from faststream import BaseMiddleware

from audience_sync.events.stream import Stream, StreamOptions

OPTIONS = StreamOptions(
    bootstrap_servers="127.0.0.1:1",
    client_id="test",
    group_id="test",
    instance_id=None,
    isolation_level="read_committed",
    session_timeout_seconds=30,
    heartbeat_seconds=3,
    rebalance_timeout_seconds=60,
    max_batch_records=100,
)


RECORD = SimpleNamespace(topic="t", value=b"\xff", headers=[("content-type", None)])
"""FastStream looks at the topic, for its log."""


class NoListener(ConsumerRebalanceListener):  # type: ignore[misc]  # the base class has no types
    """Nothing is assigned here."""

    async def on_partitions_assigned(self, assigned: set[Any]) -> None:
        """Not met."""

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Not met."""


class Breaks(BaseMiddleware[Any, Any]):
    """A middleware with a mistake."""

    async def on_receive(self) -> None:
        """Break, before the handler is asked."""
        raise RuntimeError("a mistake on the way")


class Swallows(BaseMiddleware[Any, Any]):
    """A middleware that keeps every batch to itself."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        """Hand nothing on."""


async def taken(*middlewares: type[BaseMiddleware[Any, Any]]) -> tuple[list[Any], list[str]]:
    """What the handler gets of one batch, and the failures that are told."""
    batches: list[Any] = []
    failures: list[str] = []

    async def take(records: Sequence[Any]) -> None:
        batches.append(records)

    stream = Stream(
        OPTIONS,
        topics=["t"],
        security={},
        listener=NoListener(),
        take=take,
        failed=lambda error: failures.append(str(error)),
        middlewares=middlewares,
    )
    subscriber = stream._subscriber
    stream.broker._setup_logger()
    subscriber._build_fastdepends_model()
    subscriber.running = True
    await subscriber.consume((RECORD,))
    return batches, failures


async def test_a_batch_reaches_the_handler_as_it_is() -> None:
    """The very records, decoded by nobody."""
    assert await taken() == ([(RECORD,)], [])


@pytest.mark.parametrize("middleware", [Breaks, Swallows])
async def test_a_batch_that_is_lost_on_its_way_ends_consumption(
    middleware: type[BaseMiddleware[Any, Any]],
) -> None:
    """Its positions would be followed and committed otherwise."""
    batches, failures = await taken(middleware)

    assert batches == []
    assert failures
