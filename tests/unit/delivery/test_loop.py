"""The delivery loop on virtual time: when requests leave, and what their ends lead to."""

import asyncio
from itertools import pairwise

import pytest

from audience_sync.core.changes import AddTag, Endpoint, RemoveAllTags, Request, SetAttribute, UserId
from audience_sync.core.pace import Pace
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import SETTLING_SECONDS, Outcome, Refusal, Verdict
from audience_sync.delivery.loop import LONGEST_SLEEP_SECONDS
from tests.support.clock import START, on_virtual_time, virtual_now
from tests.support.deliveries import NO_ANSWER, OK, SLOW_DOWN, STOPPED, Deliveries
from tests.support.tenures import BOUNDS, TIMES, a_tenure, an_ownership

ALICE = UserId("alice")


def test_a_thousand_ready_users_leave_in_ten_requests() -> None:
    """The fewest calls there can be."""

    async def main() -> None:
        deliveries = Deliveries()
        for number in range(1000):
            deliveries.tell(f"user-{number}")
        async with deliveries.running():
            await asyncio.sleep(5)

        assert [len(request.parts) for _, request in deliveries.sent] == [100] * 10
        assert deliveries.settled
        assert deliveries.rounds == 1000

    on_virtual_time(main())


def test_an_idle_stream_is_sent_by_the_clock_not_by_the_next_event() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            await asyncio.sleep(0.35)
            deliveries.tell("alice")
            await asyncio.sleep(60)

        ready_at = START + 0.35 + TIMES.quiet_seconds
        assert deliveries.sent_to("alice") == pytest.approx([ready_at + TIMES.fill_seconds])

    on_virtual_time(main())


def test_an_urgent_change_leaves_at_once() -> None:
    """After `fill_seconds`, in which others may join it."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            await asyncio.sleep(10)
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(10)

        assert deliveries.sent_to("alice") == pytest.approx([START + 10 + TIMES.fill_seconds])

    on_virtual_time(main())


def test_after_an_ambiguous_end_the_same_users_wait_while_others_go_on() -> None:
    """The API may still be applying the request, for as long as its own time-out."""

    async def main() -> None:
        deliveries = Deliveries()
        deliveries.answer = lambda _: NO_ANSWER if len(deliveries.sent) == 1 else OK
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("alice", AddTag("b"), urgent=True)
            deliveries.tell("bob", urgent=True)
            await asyncio.sleep(10)

        first, second = deliveries.sent_to("alice")
        assert second >= first + deliveries.answer_seconds + 3.0
        assert deliveries.sent[-1][1].parts == {ALICE: ["a", "b"]}
        assert deliveries.sent_to("bob")[0] < second
        assert deliveries.settled

    on_virtual_time(main())


def test_an_ambiguous_end_makes_the_last_commit_unclean() -> None:
    async def main() -> None:
        deliveries = Deliveries(lambda _: NO_ANSWER)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            await deliveries.delivery.end(deliveries.tenure)
            now = asyncio.get_running_loop().time()
            [(position, note)] = deliveries.tenure.ownership.commit(now, last=True).entries.values()

        assert (position, note.clean) == (0, False)

    on_virtual_time(main())


def test_a_rate_limited_answer_lowers_the_pace_of_its_endpoint_and_no_other() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        deliveries.answer = lambda _: SLOW_DOWN if len(deliveries.sent) == 1 else OK
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(0.5)
            now = asyncio.get_running_loop().time()
            assert deliveries.paces[Endpoint.ADD_TAGS].calls_per_second(now) < 0.75 * 97
            assert deliveries.paces[Endpoint.SET_ATTRIBUTES].calls_per_second(now) == pytest.approx(97)
            await asyncio.sleep(10)

        assert deliveries.settled
        assert deliveries.seen == [Outcome.SLOW_DOWN, Outcome.CONFIRMED]

    on_virtual_time(main())


def test_requests_leave_no_faster_than_the_pace() -> None:
    async def main() -> None:
        deliveries = Deliveries(calls_per_second=5)
        for number in range(5000):
            deliveries.tell(f"user-{number}", urgent=True)
        async with deliveries.running():
            await asyncio.sleep(12)

        moments = [at for at, _ in deliveries.sent]
        assert len(moments) == 50
        assert all(later - earlier >= 1 for earlier, later in zip(moments, moments[5:], strict=False))
        assert moments[-1] - moments[0] <= 49 / (5 * 0.95)

    on_virtual_time(main())


def test_all_endpoints_together_leave_no_faster_than_the_pace_of_the_app() -> None:
    """Each has permits enough of its own."""

    async def main() -> None:
        pace = Pace(calls_per_second=10, most_in_flight=100)
        deliveries = Deliveries(calls_per_second=100, pace_of_all=pace)
        for number in range(4000):
            change = AddTag("a") if number % 2 else SetAttribute("city", "x")
            deliveries.tell(f"user-{number}", change, urgent=True)
        async with deliveries.running():
            await asyncio.sleep(10)

        moments = [at for at, _ in deliveries.sent]
        assert len({request.endpoint for _, request in deliveries.sent}) == 2
        assert len(moments) == 40
        assert all(later - earlier >= 1 for earlier, later in zip(moments, moments[10:], strict=False))
        assert pace.in_flight == 0

    on_virtual_time(main())


def test_of_endpoints_that_share_a_limit_none_waits_for_the_end_of_another() -> None:
    """Tags go on and on, more of them than the limit has calls; an attribute is sent all the same."""

    async def main() -> None:
        pace = Pace(calls_per_second=2, most_in_flight=100)
        deliveries = Deliveries(calls_per_second=100, pace_of_all=pace)
        async with deliveries.running():
            for number in range(200):
                deliveries.tell(f"user-{number}", AddTag("a"), urgent=True)
                if number == 50:
                    deliveries.tell("alice", SetAttribute("city", "x"), urgent=True)
                    told_at = virtual_now()
                await asyncio.sleep(0.2)

        assert deliveries.sent_to("alice")[0] - told_at < 2

    on_virtual_time(main())


def test_an_answer_about_the_whole_app_slows_all_endpoints() -> None:
    """And not only the one that met it."""

    async def main() -> None:
        pace = Pace(calls_per_second=100, most_in_flight=100)
        of_app = Verdict(outcome=Outcome.SLOW_DOWN, code=60011)
        deliveries = Deliveries(lambda _: of_app, pace_of_all=pace)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            assert pace.calls_per_second(virtual_now()) < 90

    on_virtual_time(main())


def test_a_stop_halts_all_and_one_request_at_a_time_looks_until_it_goes_on() -> None:
    """Nothing is dropped while nothing passes, and nobody has to restart the service."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            deliveries.answer = lambda _: STOPPED
            for number in range(250):
                deliveries.tell(f"user-{number}", urgent=True)
            await asyncio.sleep(0.2)
            deliveries.tell("alice", SetAttribute("city", "Shenzhen"), urgent=True)
            await asyncio.sleep(300)
            assert deliveries.halt
            stopped = list(deliveries.sent)
            deliveries.answer = lambda _: OK
            await asyncio.sleep(90)

        assert {request.endpoint for _, request in stopped[3:]} == {Endpoint.ADD_TAGS}
        looks = [at for at, _ in stopped[3:]]
        intervals = [later - earlier for earlier, later in pairwise(looks)]
        assert all(earlier <= later + 1.0 for earlier, later in pairwise(intervals))
        assert intervals[0] >= 5.0
        assert max(intervals) <= 61.0
        assert deliveries.settled
        assert deliveries.seen.count("went on") == 1
        assert not deliveries.given_up

    on_virtual_time(main())


def test_a_stop_ends_though_what_arrived_sends_its_users_elsewhere_first() -> None:
    """Nobody is left for the endpoint that stopped, so the others look."""

    async def main() -> None:
        deliveries = Deliveries()
        deliveries.answer = lambda request: (
            STOPPED if request.endpoint is Endpoint.SET_ATTRIBUTES and len(deliveries.sent) == 1 else OK
        )
        async with deliveries.running():
            deliveries.tell("alice", SetAttribute("city", "Shenzhen"), urgent=True)
            await asyncio.sleep(0.2)
            deliveries.tell("alice", RemoveAllTags(), urgent=True)
            await asyncio.sleep(30)

        assert not deliveries.halt
        assert deliveries.settled
        assert [request.endpoint for _, request in deliveries.sent] == [
            Endpoint.SET_ATTRIBUTES,
            Endpoint.REMOVE_ALL_TAGS,
            Endpoint.SET_ATTRIBUTES,
        ]
        looked_at = deliveries.sent[1][0]
        assert looked_at >= deliveries.sent[0][0] + 5.0

    on_virtual_time(main())


def test_a_stop_ends_though_its_users_were_revoked() -> None:
    """Reading is stopped too, so nobody new would ever come to look."""

    async def main() -> None:
        deliveries = Deliveries(lambda _: STOPPED)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            await deliveries.delivery.end(deliveries.tenure)
            deliveries.tenure = a_tenure(asyncio.get_running_loop().time())
            deliveries.delivery.begin(deliveries.tenure, share=1.0)
            assert deliveries.halt
            await asyncio.sleep(10)

        assert not deliveries.halt
        assert deliveries.seen[-1] == "went on"

    on_virtual_time(main())


def test_a_stop_that_lasts_is_looked_at_again_at_growing_intervals_by_whoever_comes() -> None:
    async def main() -> None:
        deliveries = Deliveries(lambda _: STOPPED)
        async with deliveries.running():
            for _ in range(8):
                deliveries.tell("alice", urgent=True)
                await asyncio.sleep(1)
                await deliveries.delivery.end(deliveries.tenure)
                deliveries.tenure = a_tenure(asyncio.get_running_loop().time())
                deliveries.delivery.begin(deliveries.tenure, share=1.0)
                await asyncio.sleep(61)

        assert deliveries.seen.count("went on") == 8
        assert deliveries.halt.look_at - deliveries.sent[-1][0] > 59.0

    on_virtual_time(main())


def test_users_refused_by_name_are_given_up_alone() -> None:
    """One bad user never harms the other 99."""

    async def main() -> None:
        deliveries = Deliveries()
        refusal = Refusal(code=70107, info="unknown", again=False)
        bad = UserId("user-7")
        deliveries.answer = lambda _: Verdict(outcome=Outcome.CONFIRMED, refused={bad: refusal})
        deliveries.dead_letters_work.clear()
        for number in range(100):
            deliveries.tell(f"user-{number}", urgent=True)
        ledger = deliveries.tenure.ownership.ledgers()
        async with deliveries.running():
            await asyncio.sleep(10)
            assert len(deliveries.tenure.debouncer) == 1
            assert [one.settled_position for _, one in ledger] == [7]
            deliveries.dead_letters_work.set()
            await asyncio.sleep(1)

        assert deliveries.given_up == [(bad, refusal)]
        assert len(deliveries.sent) == 1
        assert deliveries.settled

    on_virtual_time(main())


def test_a_user_who_may_pass_later_is_sent_again_alone() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        later = Refusal(code=60008, info="busy", again=True)
        deliveries.answer = lambda _: (
            Verdict(outcome=Outcome.CONFIRMED, refused={ALICE: later}) if len(deliveries.sent) == 1 else OK
        )
        deliveries.tell("alice", urgent=True)
        deliveries.tell("bob", urgent=True)
        async with deliveries.running():
            await asyncio.sleep(10)

        first, second = deliveries.sent_to("alice")
        assert second - first >= SETTLING_SECONDS
        assert len(deliveries.sent_to("bob")) == 1
        assert deliveries.settled
        assert not deliveries.given_up

    on_virtual_time(main())


def test_without_a_lease_nothing_leaves() -> None:
    """It is no longer certain that the partitions are ours; a commit that is accepted starts it again."""

    async def main() -> None:
        deliveries = Deliveries()
        deliveries.tenure = a_tenure(START, bounds=BOUNDS)
        ownership = deliveries.tenure.ownership
        async with deliveries.running():
            await asyncio.sleep(BOUNDS.lease_seconds)
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(20)
            assert deliveries.sent == []
            now = asyncio.get_running_loop().time()
            ownership.accepted(ownership.commit(now), sent_at=now)
            await asyncio.sleep(LONGEST_SLEEP_SECONDS + 0.5)

        assert deliveries.settled

    on_virtual_time(main())


def test_a_lease_that_ends_between_the_cut_and_the_try_lets_nothing_out() -> None:
    """Its users come back, and the call was never made."""

    async def main() -> None:
        deliveries = Deliveries()
        deliveries.when_cut = lambda: setattr(deliveries.tenure.ownership, "closing", True)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(5)

        assert deliveries.sent == []
        assert deliveries.seen == [Outcome.UNTRIED]
        assert not deliveries.settled
        assert deliveries.paces[Endpoint.ADD_TAGS].in_flight == 0

    on_virtual_time(main())


def test_nothing_leaves_before_the_opening_commit() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        ownership = an_ownership(now=START)
        deliveries.tenure = Tenure(ownership, TIMES)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(5)
            assert deliveries.sent == []
            now = asyncio.get_running_loop().time()
            ownership.accepted(ownership.commit(now), sent_at=now)
            deliveries.tenure.debouncer.release(now)
            deliveries.delivery.nudge()
            await asyncio.sleep(2)

        assert deliveries.settled

    on_virtual_time(main())


def test_the_end_of_a_tenure_waits_for_what_is_under_way_and_starts_nothing_more() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        deliveries.answer_seconds = 3.0
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bob", urgent=True)
            await deliveries.delivery.end(deliveries.tenure)
            ended_at = asyncio.get_running_loop().time()
            await asyncio.sleep(30)

        assert ended_at == pytest.approx(START + TIMES.fill_seconds + 3.0)
        assert [list(request.parts) for _, request in deliveries.sent] == [[ALICE]]
        assert [ledger.settled_position for _, ledger in deliveries.tenure.ownership.ledgers()] == [1]

    on_virtual_time(main())


def test_the_end_of_a_tenure_waits_for_all_that_is_under_way() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        deliveries.answer_seconds = 3.0
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bob", SetAttribute("city", "Shenzhen"), urgent=True)
            await asyncio.sleep(1)
            await deliveries.delivery.end(deliveries.tenure)

            assert len(deliveries.sent) == 2
            assert deliveries.settled

    on_virtual_time(main())


def test_what_ends_after_its_tenure_harms_no_later_one() -> None:
    """A dead letter that takes its time: the user of the new tenure is another one."""

    async def main() -> None:
        deliveries = Deliveries()
        refusal = Refusal(code=70107, info="unknown", again=False)
        deliveries.answer = lambda _: (
            Verdict(outcome=Outcome.CONFIRMED, refused={ALICE: refusal}) if len(deliveries.sent) == 1 else OK
        )
        deliveries.absent = {"alice"}
        deliveries.dead_letters_work.clear()
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            former = deliveries.tenure
            await deliveries.delivery.end(former)
            deliveries.tenure = a_tenure(asyncio.get_running_loop().time())
            deliveries.delivery.begin(deliveries.tenure, share=1.0)
            deliveries.tell("alice", AddTag("b"))
            deliveries.dead_letters_work.set()
            await asyncio.sleep(0.5)
            assert len(deliveries.tenure.debouncer) == 1
            await asyncio.sleep(5)

        assert deliveries.settled
        assert len(former.debouncer) == 0

    on_virtual_time(main())


def test_a_drain_sends_what_waits_without_waiting_for_quiet() -> None:
    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            for number in range(250):
                deliveries.tell(f"user-{number}", AddTag("a"), SetAttribute("city", "Shenzhen"))
            await deliveries.delivery.drain(deliveries.tenure)
            drained_at = asyncio.get_running_loop().time()

        assert deliveries.settled
        assert drained_at < START + TIMES.quiet_seconds

    on_virtual_time(main())


def test_a_drain_ends_though_a_hold_brings_new_users_meanwhile() -> None:
    """They are held, and left to the next owner: nobody waits for them."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            draining = asyncio.create_task(deliveries.delivery.drain(deliveries.tenure))
            await asyncio.sleep(0.2)
            deliveries.tenure.ownership._open.clear()
            deliveries.tenure.ownership._lease_from = None  # so the loop itself looks at nobody
            deliveries.tell("bob")
            async with asyncio.timeout(60):
                await draining

        assert [list(request.parts) for _, request in deliveries.sent] == [[ALICE]]
        assert len(deliveries.tenure.debouncer) == 1

    on_virtual_time(main())


def test_a_drain_ends_with_its_tenure() -> None:
    """A rebalance during the stop: what waits is no longer ours to send."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            deliveries.tenure.ownership._lease_from = None  # nothing can leave
            deliveries.tell("bob")
            draining = asyncio.create_task(deliveries.delivery.drain(deliveries.tenure))
            await asyncio.sleep(1)
            await deliveries.delivery.end(deliveries.tenure)
            async with asyncio.timeout(1):
                await draining

        assert deliveries.sent == []

    on_virtual_time(main())


def test_the_loop_shows_that_it_turns() -> None:
    """A probe asks for it."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            await asyncio.sleep(100)
            now = asyncio.get_running_loop().time()
            assert now - deliveries.delivery.turned_at <= LONGEST_SLEEP_SECONDS

    on_virtual_time(main())


def test_a_failure_of_our_own_ends_the_loop() -> None:
    """What is not foreseen must not be survived by luck: the process ends, and the next owner reads again."""

    async def main() -> None:
        def broken(_: Request) -> Verdict:
            raise ZeroDivisionError

        deliveries = Deliveries(broken)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(5)

    with pytest.raises(ExceptionGroup):
        on_virtual_time(main())
