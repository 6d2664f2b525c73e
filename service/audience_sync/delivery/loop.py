"""Get a permit, cut a request from who is ready, settle; sleep until the next moment that matters."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from math import inf
from typing import Final, Protocol

from audience_sync.core.batches import ALONE
from audience_sync.core.changes import Endpoint, Request
from audience_sync.core.debouncer import Look
from audience_sync.core.doubt import Lone
from audience_sync.core.halt import Halt
from audience_sync.core.pace import Call, Pace
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import Outcome, Verdict
from audience_sync.delivery import settling
from audience_sync.delivery.accounts import Accounts

TOO_MANY_CALLS_OF_THE_APP: Final = 60011
"""The code that speaks of all endpoints together. Source: docs/chat-api.md#codes."""

LONGEST_SLEEP_SECONDS: Final = 1.0
"""The loop turns at least this often, so that its progress can be seen from outside."""


class Watch(settling.Watch, Protocol):
    """What an operator gets to see of the delivery."""

    def request_cut(self, request: Request, *, ready: int) -> None:
        """A request leaves; *ready* users were ready for it."""

    def request_ended(self, request: Request, verdict: Verdict, seconds: float) -> None:
        """It ended, so many seconds after it left."""

    def repeats_skipped(self, changes: int) -> None:
        """So many changes repeat what was confirmed, and were settled without a request."""


Send = Callable[[Request, Callable[[], bool]], Awaitable[Verdict]]
"""Sends one request once, to its end. Never raises for what the API or the network does.

It asks whether the request may still leave when it is about to be written, and leaves it untried if not.
"""


class Delivery:
    """Lets requests out as fast as permits, readiness and the lease allow, and settles what they carried."""

    def __init__(
        self,
        *,
        send: Send,
        give_up: settling.GiveUp,
        accounts: Accounts,
        paces: Mapping[Endpoint, Pace],
        halt: Halt,
        watch: Watch,
        clock: Callable[[], float],
        chance: Callable[[], float],
        pace_of_all: Pace | None = None,
        paused: Callable[[Endpoint], bool] = lambda _: False,
        remember: settling.Remember | None = None,
    ) -> None:
        """Take the parts. pace_of_all: of all endpoints together, where the API limits the whole app.

        paused: whether a person forbids requests to an endpoint. remember: is told of what was confirmed.
        """
        self._send = send
        self._settling = settling.Settling(
            accounts=accounts, give_up=give_up, halt=halt, watch=watch, clock=clock, remember=remember
        )
        self._paces = paces
        self._pace_of_all = pace_of_all
        self._paused = paused
        self._halt = halt
        self._watch = watch
        self._clock = clock
        self._chance = chance
        self._tenure: Tenure | None = None
        self._wake = asyncio.Event()
        self._request_ended = asyncio.Event()
        self.turned_at = clock()
        """When the loop last turned (epoch seconds)."""

    def begin(self, tenure: Tenure, *, share: float, share_of_all: float = 1.0) -> None:
        """Deliver for *tenure*, whose partitions are that *share* of all that cause calls.

        share_of_all: the same of the limit of all endpoints together.
        """
        for pace in self._paces.values():
            pace.share = share
        if self._pace_of_all is not None:
            self._pace_of_all.share = share_of_all
        self._tenure = tenure
        self.nudge()

    async def end(self, tenure: Tenure) -> None:
        """Start nothing more for *tenure*, and wait for what is under way: a request's time-out at the longest."""
        tenure.ownership.closing = True
        self._settling.leave(tenure)
        self._request_ended.set()
        while tenure.requests_in_flight:
            self._request_ended.clear()
            await self._request_ended.wait()
        if self._tenure is tenure:
            self._tenure = None

    def nudge(self) -> None:
        """Something may have changed that the loop sleeps for."""
        self._wake.set()

    async def drain(self, tenure: Tenure) -> None:
        """Send what waits without waiting for quiet; returns when nothing is left but what is held or paused.

        Returns early if the tenure ends meanwhile: what is left is for the next owner.
        """
        tenure.debouncer.drain(self._clock())
        self.nudge()
        while not (self._drained(tenure) or tenure.ownership.closing):
            self._request_ended.clear()
            await self._request_ended.wait()
            tenure.debouncer.advance(self._clock())  # whom a hold has brought meanwhile is held, not awaited

    def resumed(self) -> None:
        """Requests may leave again to an endpoint that was paused.

        How long a user was refused until then is forgotten: nobody could tell meanwhile whether it was the whole.
        """
        if self._tenure is not None:
            self._tenure.debouncer.forget_refusals()
        self.nudge()

    def _drained(self, tenure: Tenure) -> bool:
        """Whether nothing is left that may leave: what is held and what is paused is for the next owner."""
        debouncer = tenure.debouncer
        paused = sum(debouncer.ready.waiting(endpoint) for endpoint in Endpoint if self._paused(endpoint))
        return debouncer.unheld == paused

    async def run(self) -> None:
        """Deliver until cancelled. Requests under way are cancelled with it; so end the tenure first."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                now = self.turned_at = self._clock()
                self._start_requests(now, tasks)
                await self._sleep(self._next_moment(now) - now)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _start_requests(self, now: float, tasks: asyncio.TaskGroup) -> None:
        tenure = self._tenure
        if tenure is None or not tenure.ownership.lease_valid(now):
            return
        tenure.debouncer.advance(now)
        self._lift_a_stop_that_nobody_can_end(tenure, now)
        self._send_doubtful_users_again(tenure, now)
        for endpoint in self._in_turn(tenure):
            pace = self._paces[endpoint]
            while (at := self._may_start_at(tenure, endpoint, pace)) is not None and at <= now:
                if self._skip_repeats(tenure, endpoint, now):
                    break  # others may have come forward, or too few are left: the next turn comes at once
                ready = tenure.debouncer.ready.waiting(endpoint)
                calls = [(each, each.start(now)) for each in (pace, self._pace_of_all) if each is not None]
                request = self._cut(tenure, endpoint, now)
                tenure.requests_in_flight += 1
                self._watch.request_cut(request, ready=max(ready, len(request.parts)))
                tasks.create_task(self._deliver(tenure, request, calls))

    def _in_turn(self, tenure: Tenure) -> Collection[Endpoint]:
        """Where all share one limit, whoever waits longest is next: the first endpoint would take every permit."""
        if self._pace_of_all is None:
            return self._paces
        ready = tenure.debouncer.ready
        since = {endpoint: ready.worth_cutting_at(endpoint) for endpoint in self._paces}
        return sorted(self._paces, key=lambda endpoint: since[endpoint] or inf)

    def _skip_repeats(self, tenure: Tenure, endpoint: Endpoint, now: float) -> bool:
        """Settle what the next request to *endpoint* would repeat in vain. Returns whether there was anything.

        Not while delivery is stopped, or somebody is in doubt: then a confirmation is worth a request, as it tells
        whether the endpoint works.
        """
        skipped = None if self._halt or tenure.doubt else tenure.debouncer.skip_repeats(endpoint, now)
        if skipped is None:
            return False
        self._watch.repeats_skipped(skipped.changes)
        self._watch.rounds_ended(skipped.rounds, now)
        self._request_ended.set()  # who drains waits for users to be settled, in whatever way
        return True

    def _lift_a_stop_that_nobody_can_end(self, tenure: Tenure, now: float) -> None:
        """Its users are settled, revoked, or what arrived meanwhile goes to another endpoint first."""
        endpoint = self._halt.endpoint
        if not self._halt or endpoint is None or now < self._halt.look_at:
            return
        if (
            not tenure.requests_in_flight
            and tenure.debouncer.who_can_look(endpoint, self._halt.names) is None
        ):
            self._halt.lift()
            self._watch.went_on()

    def _send_doubtful_users_again(self, tenure: Tenure, now: float) -> None:
        """Where nobody else could tell whether the endpoint works, one in doubt may pass by now."""
        for endpoint in () if self._halt else Endpoint:
            ask = tenure.doubt.ask(endpoint)
            if ask is None or ask[0] > now or endpoint in tenure.doubt.asking:
                continue
            if not tenure.debouncer.has_witness(endpoint, ask[1]):
                lone = tenure.doubt.ask_again(endpoint)
                tenure.debouncer.came_back(lone.request, lone.user_id, not_before=now, company=ALONE)
                tenure.debouncer.advance(now)

    def _may_start_at(self, tenure: Tenure, endpoint: Endpoint, pace: Pace) -> float | None:
        """The moment from which a request to *endpoint* may start as things stand, or None."""
        if self._paused(endpoint):
            return None
        permits = [each.permit_at() for each in (pace, self._pace_of_all) if each is not None]
        if None in permits:
            return None
        permit = max(each for each in permits if each is not None)
        worth = tenure.debouncer.ready.worth_cutting_at(endpoint)
        if self._halt:
            look = self._look(tenure)
            here = look is not None and look.endpoint is endpoint
            return max(permit, self._halt.look_at) if here else None
        ask = tenure.doubt.ask(endpoint)
        if ask is not None and tenure.debouncer.has_witness(endpoint, ask[1]):
            worth = ask[0] if worth is None else min(worth, ask[0])
        return None if worth is None else max(worth, permit)

    def _cut(self, tenure: Tenure, endpoint: Endpoint, now: float) -> Request:
        """The next request to *endpoint*. While delivery is stopped, or somebody is in doubt, it may only look."""
        debouncer = tenure.debouncer
        if self._halt:
            look = self._look(tenure)
            assert look is not None, "there is somebody who can look, or it is not the moment"
            return debouncer.cut_look(look, self._halt.names)
        ask = tenure.doubt.ask(endpoint)
        witness = debouncer.cut_witness(endpoint, ask[1]) if ask is not None and ask[0] <= now else None
        if witness is None:
            return debouncer.cut(endpoint)
        tenure.doubt.asking[endpoint] = witness
        return witness

    def _look(self, tenure: Tenure) -> Look | None:
        """Who may look whether the stop is over: one at a time, when nothing else is under way."""
        if self._halt.endpoint is None or tenure.requests_in_flight:
            return None
        return tenure.debouncer.who_can_look(self._halt.endpoint, self._halt.names)

    def _next_moment(self, now: float) -> float:
        moments = [now + LONGEST_SLEEP_SECONDS]
        tenure = self._tenure
        if tenure is not None and tenure.ownership.lease_valid(now):
            if (ready_at := tenure.debouncer.next_ready_at) is not None:
                moments.append(ready_at)
            for endpoint, pace in self._paces.items():
                if (at := self._may_start_at(tenure, endpoint, pace)) is not None:
                    moments.append(at)
                if not self._halt and (ask := tenure.doubt.ask(endpoint)) is not None and ask[0] > now:
                    moments.append(ask[0])
        return min(moments)

    async def _deliver(self, tenure: Tenure, request: Request, calls: Sequence[tuple[Pace, Call]]) -> None:
        started = self._clock()
        proven = tenure.doubt.proven(request, tenure.debouncer.refused_of(request))
        verdict = await self._send(request, lambda: tenure.ownership.lease_valid(self._clock()))
        now = self._clock()
        self._watch.request_ended(request, verdict, now - started)
        for pace, call in calls:
            pace.ended(call, now)
        self._answered(request.endpoint, verdict, calls, now)
        if verdict.ambiguous:
            tenure.ownership.ambiguous(now)
        absent = await self._settling.absent(tenure, request, verdict)
        at_fault = self._settling.settle(tenure, request, verdict, absent, proven, started)
        if tenure.doubt.asking.get(request.endpoint) is request:
            del tenure.doubt.asking[request.endpoint]
        tenure.requests_in_flight -= 1
        self._request_ended.set()
        self.nudge()
        async with asyncio.TaskGroup() as ends:  # all at once: whoever ends the tenure waits for them
            for lone in at_fault:
                ends.create_task(self._end(tenure, lone))

    def _answered(
        self, endpoint: Endpoint, verdict: Verdict, calls: Sequence[tuple[Pace, Call]], now: float
    ) -> None:
        """What the answer says of the endpoint, or of all of them together, whoever was in the request."""
        pace = self._paces[endpoint]
        match verdict.outcome:
            case Outcome.CONFIRMED:
                for each, call in calls:
                    each.confirmed(call)
            case Outcome.SLOW_DOWN:
                for each, call in calls:
                    if each is pace or verdict.code == TOO_MANY_CALLS_OF_THE_APP:
                        each.refused_for_its_rate(call, now)
                pace.failed(now, self._chance())
            case Outcome.TRY_AGAIN:
                pace.failed(now, self._chance())
            case Outcome.STOPPED:
                pace.failed(now, self._chance())
                self._settling.stop(endpoint, verdict.reason, now, code=verdict.code)
            case Outcome.REFUSED | Outcome.UNTRIED:
                pass

    async def _end(self, tenure: Tenure, lone: Lone) -> None:
        await self._settling.end(tenure, lone)
        self._request_ended.set()
        self.nudge()
