"""Get a permit, cut a request from who is ready, settle; sleep until the next moment that matters."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from audience_sync.core.batches import ALONE, halved
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.doubt import Lone
from audience_sync.core.halt import Halt
from audience_sync.core.pace import Pace
from audience_sync.core.tenure import Tenure
from audience_sync.core.user_state import Round
from audience_sync.core.verdicts import (
    REFUSED_USER,
    SETTLING_SECONDS,
    UNKNOWN_ACCOUNT,
    Outcome,
    Refusal,
    UnknownAccounts,
    Verdict,
)
from audience_sync.delivery.accounts import Accounts

LONGEST_SLEEP_SECONDS: Final = 1.0
"""The loop turns at least this often, so that its progress can be seen from outside."""


class Watch(Protocol):
    """What an operator gets to see of the delivery."""

    def request_cut(self, request: Request, *, ready: int) -> None:
        """A request leaves; *ready* users were ready for it."""

    def request_ended(self, request: Request, verdict: Verdict, seconds: float) -> None:
        """It ended, so many seconds after it left."""

    def user_given_up(self, endpoint: Endpoint, *, dropped: bool) -> None:
        """A user was refused for himself; his part stands in the dead letters, or is dropped as a setting says."""

    def in_doubt(self, request: Request, refusal: Refusal) -> None:
        """A user was refused while alone; whether it is his fault shows when others are confirmed or refused."""

    def imported(self, endpoint: Endpoint) -> None:
        """A user who did not exist was imported, and is sent again."""

    def round_ended(self, ended: Round, now: float) -> None:
        """All that was cut from a user's changes together is settled."""

    def stopped(self, reason: str) -> None:
        """Nothing will pass until a person acts."""

    def went_on(self) -> None:
        """A stop has ended by itself."""


Send = Callable[[Request], Awaitable[Verdict]]
"""Sends one request once, to its end. Never raises for what the API or the network does."""

GiveUp = Callable[[Tenure, Request, UserId, Refusal, str], Awaitable[None]]
"""Writes a user's part to the dead letters, with its cause; returns when it stands there."""


class Delivery:
    """Lets requests out as fast as permits, readiness and the lease allow, and settles what they carried."""

    def __init__(
        self,
        *,
        send: Send,
        give_up: GiveUp,
        accounts: Accounts,
        paces: Mapping[Endpoint, Pace],
        halt: Halt,
        watch: Watch,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._send = send
        self._give_up = give_up
        self._accounts = accounts
        self._paces = paces
        self._halt = halt
        self._watch = watch
        self._clock = clock
        self._chance = chance
        self._tenure: Tenure | None = None
        self._questions: dict[asyncio.Future[frozenset[UserId] | None], Tenure] = {}
        self._wake = asyncio.Event()
        self._request_ended = asyncio.Event()
        self.turned_at = clock()
        """When the loop last turned (epoch seconds)."""

    def begin(self, tenure: Tenure, *, share: float) -> None:
        """Deliver for *tenure*, whose partitions are that *share* of all that cause calls."""
        for pace in self._paces.values():
            pace.share = share
        self._tenure = tenure
        self.nudge()

    async def end(self, tenure: Tenure) -> None:
        """Start nothing more for *tenure*, and wait for what is under way: a request's time-out at the longest."""
        tenure.ownership.closing = True
        for question, asked_for in self._questions.items():
            if asked_for is tenure:
                question.cancel()
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
        """Send what waits without waiting for quiet; returns when nothing is left but what is held.

        Returns early if the tenure ends meanwhile: what is left is for the next owner.
        """
        tenure.debouncer.drain(self._clock())
        self.nudge()
        while not (tenure.debouncer.drained or tenure.ownership.closing):
            self._request_ended.clear()
            await self._request_ended.wait()
            tenure.debouncer.advance(self._clock())  # whom a hold has brought meanwhile is held, not awaited

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
        for endpoint, pace in self._paces.items():
            while (at := self._may_start_at(tenure, endpoint, pace)) is not None and at <= now:
                ready = tenure.debouncer.ready.waiting(endpoint)
                pace.start(now)
                request = self._cut(tenure, endpoint, now)
                tenure.requests_in_flight += 1
                self._watch.request_cut(request, ready=max(ready, len(request.parts)))
                tasks.create_task(self._deliver(tenure, request, pace))

    def _lift_a_stop_that_nobody_can_end(self, tenure: Tenure, now: float) -> None:
        """Its users are settled, revoked, or what arrived meanwhile goes to another endpoint first."""
        endpoint = self._halt.endpoint
        if not self._halt or endpoint is None or now < self._halt.look_at:
            return
        somebody = tenure.debouncer.ready.waiting(endpoint) or tenure.debouncer.has_witness(endpoint)
        if not somebody and not self._paces[endpoint].in_flight:
            self._halt.lift()
            self._watch.went_on()

    def _send_doubtful_users_again(self, tenure: Tenure, now: float) -> None:
        """Where nobody else could tell whether the endpoint works, one in doubt may pass by now."""
        for endpoint in () if self._halt else Endpoint:
            ask_at = tenure.doubt.ask_at(endpoint)
            if ask_at is not None and ask_at <= now and not tenure.debouncer.has_witness(endpoint):
                lone = tenure.doubt.ask_again(endpoint)
                tenure.debouncer.came_back(lone.request, lone.user_id, not_before=now, company=ALONE)
                tenure.debouncer.advance(now)

    def _may_start_at(self, tenure: Tenure, endpoint: Endpoint, pace: Pace) -> float | None:
        """The moment from which a request to *endpoint* may start as things stand, or None."""
        permit = pace.permit_at()
        if permit is None:
            return None
        worth = tenure.debouncer.ready.worth_cutting_at(endpoint)
        if self._halt:
            if endpoint is not self._halt.endpoint or pace.in_flight:
                return None
            if tenure.debouncer.has_witness(endpoint):
                return max(permit, self._halt.look_at)
            return None if worth is None else max(worth, permit, self._halt.look_at)
        ask_at = tenure.doubt.ask_at(endpoint)
        if ask_at is not None and not pace.in_flight and tenure.debouncer.has_witness(endpoint):
            worth = ask_at if worth is None else min(worth, ask_at)
        return None if worth is None else max(worth, permit)

    def _cut(self, tenure: Tenure, endpoint: Endpoint, now: float) -> Request:
        """The next request to *endpoint*. While delivery is stopped, or nobody else is ready, it only looks."""
        debouncer = tenure.debouncer
        worth = debouncer.ready.worth_cutting_at(endpoint)
        if (self._halt or worth is None or worth > now) and (witness := debouncer.cut_witness(endpoint)):
            return witness
        return debouncer.cut(endpoint, one=bool(self._halt))

    def _next_moment(self, now: float) -> float:
        moments = [now + LONGEST_SLEEP_SECONDS]
        tenure = self._tenure
        if tenure is not None and tenure.ownership.lease_valid(now):
            if (ready_at := tenure.debouncer.next_ready_at) is not None:
                moments.append(ready_at)
            for endpoint, pace in self._paces.items():
                if (at := self._may_start_at(tenure, endpoint, pace)) is not None:
                    moments.append(at)
                if not self._halt and (at := tenure.doubt.ask_at(endpoint)) is not None and at > now:
                    moments.append(at)
        return min(moments)

    async def _deliver(self, tenure: Tenure, request: Request, pace: Pace) -> None:
        started = self._clock()
        if tenure.ownership.lease_valid(started):
            verdict = await self._send(request)
        else:
            verdict = Verdict(outcome=Outcome.UNTRIED)
        now = self._clock()
        self._watch.request_ended(request, verdict, now - started)
        self._answered(request.endpoint, verdict, pace, now)
        if verdict.ambiguous:
            tenure.ownership.ambiguous(now)
        absent = await self._absent(tenure, request, verdict)
        at_fault = self._settle(tenure, request, verdict, absent, started)
        tenure.requests_in_flight -= 1
        self._request_ended.set()
        self.nudge()
        async with asyncio.TaskGroup() as ends:  # all at once: whoever ends the tenure waits for them
            for lone in at_fault:
                ends.create_task(self._end(tenure, lone))

    async def _absent(self, tenure: Tenure, request: Request, verdict: Verdict) -> frozenset[UserId]:
        """Users of *request* who certainly do not exist; asked for when it passed for nobody."""
        passed = verdict.outcome is Outcome.CONFIRMED and any(
            user not in verdict.refused for user in request.parts
        )
        if passed or verdict.outcome not in (Outcome.CONFIRMED, Outcome.REFUSED) or tenure.ownership.closing:
            return frozenset()
        if not (users := tenure.debouncer.unasked(request)):
            return frozenset()
        question = asyncio.ensure_future(self._accounts.absent(users))
        self._questions[question] = tenure
        try:
            await asyncio.wait([question])  # the end of the tenure cancels the question, and not us
            absent = None if question.cancelled() else question.result()
            if absent is None:
                return frozenset()
            tenure.debouncer.not_absent(user for user in users if user not in absent)
            return absent
        finally:
            question.cancel()
            del self._questions[question]

    def _answered(self, endpoint: Endpoint, verdict: Verdict, pace: Pace, now: float) -> None:
        """What the answer says of the endpoint, whoever was in the request."""
        match verdict.outcome:
            case Outcome.CONFIRMED:
                pace.confirmed()
            case Outcome.REFUSED:
                pace.refused()
            case Outcome.SLOW_DOWN:
                pace.refused_for_its_rate(now)
                pace.failed(now, self._chance())
            case Outcome.TRY_AGAIN:
                pace.failed(now, self._chance())
            case Outcome.STOPPED:
                pace.failed(now, self._chance())
                self._stop(endpoint, verdict.reason, now)
            case Outcome.UNTRIED:
                pace.untried()

    def _stop(self, endpoint: Endpoint, reason: str, now: float) -> None:
        self._halt.stop(endpoint, reason, now)
        self._watch.stopped(reason)

    def _settle(
        self,
        tenure: Tenure,
        request: Request,
        verdict: Verdict,
        absent: frozenset[UserId],
        sent_at: float,
    ) -> list[Lone]:
        """Settle whom the answer confirms, take back whom it does not. Returns who was refused for himself."""
        now = self._clock()
        if verdict.outcome is Outcome.REFUSED:
            if len(request.parts) > 1:
                self._narrow(tenure, request, verdict, absent, now)
                return []
            (user_id,) = request.parts
            alone = Lone(request, user_id, Refusal(verdict.code, verdict.reason, again=False), sent_at, now)
            return self._refused_alone(tenure, alone, absent)
        named: list[Lone] = []
        for user_id in request.parts:
            refusal = verdict.refused.get(user_id)
            if verdict.comes_back:
                tenure.debouncer.came_back(request, user_id, not_before=verdict.not_before(now))
            elif refusal is None:
                self._settle_user(tenure, user_id, now)
            elif refusal.again:  # he waits as after an ambiguous end
                tenure.debouncer.came_back(request, user_id, not_before=now + SETTLING_SECONDS)
            else:
                named.append(Lone(request, user_id, refusal, sent_at, now))
        if verdict.outcome is not Outcome.CONFIRMED:
            return []
        if len(verdict.refused) < len(request.parts):
            return named + self._confirmed(tenure, request)
        return [end for lone in named for end in self._refused_alone(tenure, lone, absent)]

    def _confirmed(self, tenure: Tenure, request: Request) -> list[Lone]:
        """Somebody was confirmed: the endpoint works. Returns who was in doubt, and is at fault."""
        tenure.debouncer.confirmed(request)
        if self._halt.confirmed(request.endpoint):
            self._watch.went_on()
        return tenure.doubt.confirmed(request.endpoint, self._clock())

    def _narrow(
        self, tenure: Tenure, request: Request, verdict: Verdict, absent: frozenset[UserId], now: float
    ) -> None:
        """Send the users of a refused request in smaller company: suspects alone, or each half by itself."""
        suspects = absent | verdict.refused.keys()
        others = len(request.parts) if suspects else halved(len(request.parts))
        for user_id in request.parts:
            company = ALONE if user_id in suspects else others
            tenure.debouncer.came_back(request, user_id, not_before=now, company=company)

    def _refused_alone(self, tenure: Tenure, lone: Lone, absent: frozenset[UserId]) -> list[Lone]:
        """One user was refused, and nobody with him confirmed. Returns him if it is certainly his own fault.

        That he does not exist is his fault only if the code says so too: some apps make users on the first write.
        """
        is_absent = lone.user_id in absent and self._accounts.says_unknown(lone.refusal)
        endpoint, refused_at = lone.request.endpoint, tenure.debouncer.refused_at(lone.user_id)
        if is_absent or (not self._halt and tenure.doubt.is_his_own(lone, refused_at=refused_at)):
            return [lone]
        tenure.doubt.refused(lone)
        self._watch.in_doubt(lone.request, lone.refusal)
        failed = tenure.doubt.looks_like_the_whole(endpoint) and not tenure.debouncer.has_witness(endpoint)
        if self._halt or failed:
            for each in tenure.doubt.take(endpoint):
                tenure.debouncer.came_back(each.request, each.user_id, not_before=lone.since, company=ALONE)
            self._stop(endpoint, lone.refusal.info, lone.since)
            self._halt.wants_others = not tenure.debouncer.has_unsuspected(endpoint)
        return []

    async def _end(self, tenure: Tenure, lone: Lone) -> None:
        """End what a user waits for who was refused for himself: as the settings say of users who do not exist."""
        endpoint, user_id, now = lone.request.endpoint, lone.user_id, self._clock()
        unknown = self._accounts.says_unknown(lone.refusal)
        if (
            unknown
            and self._accounts.unknown is UnknownAccounts.IMPORT
            and await self._accounts.imported(user_id)
        ):
            self._watch.imported(endpoint)
            tenure.debouncer.came_back(lone.request, user_id, not_before=self._clock(), company=ALONE)
        else:
            dropped = unknown and self._accounts.unknown is UnknownAccounts.DROP
            if not dropped:
                cause = UNKNOWN_ACCOUNT if unknown else REFUSED_USER
                await self._give_up(tenure, lone.request, user_id, lone.refusal, cause)
            self._watch.user_given_up(endpoint, dropped=dropped)
            tenure.debouncer.given_up(user_id, now)
            self._settle_user(tenure, user_id, self._clock())
        self._request_ended.set()
        self.nudge()

    def _settle_user(self, tenure: Tenure, user_id: UserId, now: float) -> None:
        if (ended := tenure.debouncer.settle(user_id, now)) is not None and ended.marks:
            self._watch.round_ended(ended, now)
