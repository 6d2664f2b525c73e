"""The delivery loop where repeats are skipped: no request, and everything settled all the same."""

import asyncio
from typing import Final

from audience_sync.core.changes import AddTag, Endpoint, RemoveTag, SetAttribute, UserId
from audience_sync.core.tenure import Memory
from audience_sync.core.verdicts import Outcome, Verdict
from tests.support.clock import on_virtual_time
from tests.support.deliveries import NO_ANSWER, OK, STOPPED, Deliveries
from tests.support.tenures import a_tenure

FOR_A_MINUTE: Final = Memory(confirmed_seconds=60.0, confirmed_names=1000)
CITY: Final = SetAttribute("city", "Shenzhen")


def test_a_repeat_is_settled_without_a_request() -> None:
    """Its position moves on, and its round ends at the moment when it would have been sent."""

    async def main() -> None:
        deliveries = Deliveries(memory=FOR_A_MINUTE)
        async with deliveries.running():
            for _ in range(3):
                deliveries.tell("alice", CITY)
                await asyncio.sleep(10)
                assert deliveries.settled

        assert len(deliveries.sent) == 1
        assert (deliveries.skipped, deliveries.rounds) == (2, 3)

    on_virtual_time(main())


def test_only_the_part_that_changes_something_leaves() -> None:
    """And the user is sent to the endpoint that is left, without waiting again."""

    async def main() -> None:
        deliveries = Deliveries(memory=FOR_A_MINUTE)
        async with deliveries.running():
            deliveries.tell("alice", AddTag("a"), CITY)
            await asyncio.sleep(10)
            deliveries.tell("alice", AddTag("a"), SetAttribute("city", "Beijing"))
            await asyncio.sleep(10)

        assert [request.endpoint for _, request in deliveries.sent] == [
            Endpoint.ADD_TAGS,
            Endpoint.SET_ATTRIBUTES,
            Endpoint.SET_ATTRIBUTES,
        ]
        assert deliveries.sent[-1][1].parts == {"alice": {"city": "Beijing"}}
        assert deliveries.settled

    on_virtual_time(main())


def test_a_change_there_and_back_within_the_quiet_time_costs_nothing() -> None:
    """It is decided on what is folded, at the end."""

    async def main() -> None:
        deliveries = Deliveries(memory=FOR_A_MINUTE)
        async with deliveries.running():
            deliveries.tell("alice", AddTag("a"))
            await asyncio.sleep(10)
            deliveries.tell("alice", RemoveTag("a"))
            deliveries.tell("alice", AddTag("a"))
            await asyncio.sleep(10)

        assert len(deliveries.sent) == 1
        assert deliveries.settled

    on_virtual_time(main())


def test_what_comes_back_is_never_a_repeat_of_itself() -> None:
    """After an ambiguous end nobody knows; so it is sent until it is confirmed, and so is the way back."""

    async def main() -> None:
        ends = iter([OK, NO_ANSWER, NO_ANSWER])
        deliveries = Deliveries(lambda _: next(ends, OK), memory=FOR_A_MINUTE)
        async with deliveries.running():
            deliveries.tell("alice", CITY)
            await asyncio.sleep(10)
            deliveries.tell("alice", SetAttribute("city", "Beijing"), urgent=True)
            await asyncio.sleep(0.5)
            deliveries.tell("alice", CITY)
            await asyncio.sleep(20)

        values = [dict(request.parts)[UserId("alice")] for _, request in deliveries.sent]
        assert values == [
            {"city": "Shenzhen"},
            {"city": "Beijing"},
            {"city": "Shenzhen"},
            {"city": "Shenzhen"},
        ]
        assert deliveries.settled

    on_virtual_time(main())


def test_requests_are_filled_past_those_who_repeat() -> None:
    """Else every second user who repeats would cost a second request."""

    async def main() -> None:
        deliveries = Deliveries(memory=FOR_A_MINUTE)
        async with deliveries.running():
            for number in range(100):
                deliveries.tell(f"user-{number}", CITY, urgent=True)
            await asyncio.sleep(5)
            for number in range(200):
                deliveries.tell(f"user-{number}", CITY, urgent=True)
            await asyncio.sleep(5)

        assert [len(request.parts) for _, request in deliveries.sent] == [100, 100]
        assert deliveries.settled

    on_virtual_time(main())


def test_a_drain_ends_though_nothing_is_sent() -> None:
    """Whoever stops the service must not wait for an answer to a request that never left."""

    async def main() -> None:
        deliveries = Deliveries(memory=FOR_A_MINUTE)
        async with deliveries.running():
            deliveries.tell("alice", CITY)
            await asyncio.sleep(10)
            deliveries.tell("alice", CITY)
            async with asyncio.timeout(1):
                await deliveries.delivery.drain(deliveries.tenure)

        assert deliveries.settled
        assert len(deliveries.sent) == 1

    on_virtual_time(main())


def test_nothing_is_skipped_while_delivery_is_stopped() -> None:
    """A repeat is the best way to look whether the endpoint works again: it changes nothing."""

    async def main() -> None:
        ends = iter([OK, STOPPED])
        deliveries = Deliveries(lambda _: next(ends, OK), memory=FOR_A_MINUTE)
        async with deliveries.running():
            deliveries.tell("alice", CITY)
            await asyncio.sleep(10)
            deliveries.tell("bob", CITY, urgent=True)
            await asyncio.sleep(1)
            assert deliveries.halt
            deliveries.tell("alice", CITY, urgent=True)
            await asyncio.sleep(10)

        assert not deliveries.halt
        assert deliveries.settled

    on_virtual_time(main())


def test_nothing_is_skipped_while_somebody_is_in_doubt() -> None:
    """Whether he is at fault shows when others are confirmed: where all others repeat themselves nobody would be."""

    async def main() -> None:
        deliveries = Deliveries(
            lambda request: Verdict(outcome=Outcome.REFUSED, code=90035) if "bad" in request.parts else OK,
            memory=FOR_A_MINUTE,
        )
        async with deliveries.running():
            deliveries.tell("alice", CITY)
            await asyncio.sleep(10)
            deliveries.tell("bad", CITY)
            for _ in range(4):
                await asyncio.sleep(2.5)
                deliveries.tell("alice", CITY, urgent=True)
            await asyncio.sleep(5)

        assert [user for user, _ in deliveries.given_up] == ["bad"]
        assert deliveries.settled

    on_virtual_time(main())


def test_what_is_known_ends_with_the_assignment() -> None:
    """Meanwhile somebody else has sent for the same users."""

    async def main() -> None:
        deliveries = Deliveries(memory=FOR_A_MINUTE)
        async with deliveries.running():
            deliveries.tell("alice", CITY)
            await asyncio.sleep(10)
            await deliveries.delivery.end(deliveries.tenure)
            deliveries.tenure = a_tenure(deliveries.delivery.turned_at, memory=FOR_A_MINUTE)
            deliveries.delivery.begin(deliveries.tenure, share=1.0)
            deliveries.tell("alice", CITY)
            await asyncio.sleep(10)

        assert len(deliveries.sent) == 2
        assert deliveries.settled

    on_virtual_time(main())
