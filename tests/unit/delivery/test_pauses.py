"""Requests to an endpoint that a person has paused."""

import asyncio

import pytest

from audience_sync.core.changes import AddTag, Endpoint, Request, SetAttribute
from audience_sync.core.doubt import LONGEST_DOUBT_SECONDS
from audience_sync.core.verdicts import Outcome, Verdict
from audience_sync.delivery.shutdown import drain
from tests.support.clock import START, on_virtual_time
from tests.support.deliveries import Deliveries

REFUSED = Verdict(outcome=Outcome.REFUSED, code=70001, reason="nothing passes")


def test_other_endpoints_go_on_and_its_users_leave_once_it_is_resumed() -> None:
    """In their order: who has a part for it waits with the parts that come after."""

    async def main() -> None:
        paused = {Endpoint.ADD_TAGS}
        deliveries = Deliveries(paused=paused.__contains__)
        async with deliveries.running():
            deliveries.tell("alice", AddTag("vip"), SetAttribute("city", "Shenzhen"))
            deliveries.tell("bob", SetAttribute("city", "Shanghai"))
            await asyncio.sleep(60)
            assert deliveries.sent_to("alice") == []
            assert len(deliveries.sent_to("bob")) == 1

            paused.clear()
            deliveries.delivery.resumed()
            await asyncio.sleep(2)

        sent = [request.endpoint for _, request in deliveries.sent if "alice" in request.parts]
        assert sent == [Endpoint.ADD_TAGS, Endpoint.SET_ATTRIBUTES]
        assert deliveries.settled

    on_virtual_time(main())


def test_a_stop_sends_nothing_that_is_paused_and_does_not_wait_for_it() -> None:
    """It is for the next owner."""

    async def main() -> None:
        deliveries = Deliveries(paused=lambda endpoint: endpoint is Endpoint.ADD_TAGS)

        async def leave() -> None:
            await deliveries.delivery.end(deliveries.tenure)

        async with deliveries.running():
            deliveries.tell("alice", AddTag("vip"))
            deliveries.tell("bob", SetAttribute("city", "Shanghai"))
            left = await drain(
                delivery=deliveries.delivery, tenure=lambda: deliveries.tenure, leave=leave, seconds=20
            )
            ended_at = asyncio.get_running_loop().time()

        assert left == 1
        assert ended_at < START + 1
        assert len(deliveries.sent_to("bob")) == 1
        assert [ledger.settled_position for _, ledger in deliveries.tenure.ownership.ledgers()] == [0]

    on_virtual_time(main())


@pytest.mark.parametrize("paused_seconds", [1.0, 2 * LONGEST_DOUBT_SECONDS])
def test_a_long_pause_blames_nobody_for_a_failure_of_the_whole(paused_seconds: float) -> None:
    """Nobody is taken for a bad user because he was refused long ago, and could not be compared since."""

    async def main() -> None:
        paused = set[Endpoint]()
        deliveries = Deliveries(paused=paused.__contains__)

        def refuse(request: Request) -> Verdict:
            paused.update({request.endpoint} if len(deliveries.sent) == 1 else ())
            return REFUSED

        deliveries.answer = refuse
        async with deliveries.running():
            for number in range(8):
                deliveries.tell(f"user-{number}")
            await asyncio.sleep(3 + paused_seconds)
            assert len(deliveries.sent) == 1, "they were refused once, together"
            paused.clear()
            deliveries.delivery.resumed()
            await asyncio.sleep(30)

        assert deliveries.given_up == []
        assert deliveries.halt

    on_virtual_time(main())
