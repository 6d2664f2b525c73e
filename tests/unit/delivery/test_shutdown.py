"""The order of stopping."""

import asyncio

import pytest

from audience_sync.delivery.shutdown import drain
from tests.support.clock import START, on_virtual_time
from tests.support.deliveries import NO_ANSWER, Deliveries


def test_what_waits_is_sent_and_then_the_tenure_ends() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        ended: list[bool] = []

        async def leave() -> None:
            ended.append(deliveries.settled)

        async with deliveries.running():
            deliveries.tell("alice")
            left = await drain(
                delivery=deliveries.delivery,
                tenure=lambda: deliveries.tenure,
                leave=leave,
                seconds=20,
            )

        assert (left, ended) == (0, [True])

    on_virtual_time(main())


def test_what_does_not_make_it_in_time_is_left_to_the_next_owner() -> None:
    """And told."""

    async def main() -> None:
        deliveries = Deliveries(lambda _: NO_ANSWER)

        async def leave() -> None:
            await deliveries.delivery.end(deliveries.tenure)

        async with deliveries.running():
            deliveries.tell("alice")
            left = await drain(
                delivery=deliveries.delivery,
                tenure=lambda: deliveries.tenure,
                leave=leave,
                seconds=20,
            )
            ended_at = asyncio.get_running_loop().time()

        assert left == 1
        assert ended_at == pytest.approx(START + 20, abs=deliveries.answer_seconds)
        assert [ledger.settled_position for _, ledger in deliveries.tenure.ownership.ledgers()] == [0]

    on_virtual_time(main())


def test_who_owns_nothing_stops_at_once() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        ended: list[bool] = []

        async def leave() -> None:
            ended.append(True)

        left = await drain(delivery=deliveries.delivery, tenure=lambda: None, leave=leave, seconds=20)

        assert (left, ended) == (0, [True])
        assert asyncio.get_running_loop().time() == START

    on_virtual_time(main())
