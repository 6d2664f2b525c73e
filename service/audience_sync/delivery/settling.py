"""What an ended request settles, whom it takes back, and who was refused for himself.

A request that is refused as a whole says of nobody whose fault it is. So it is narrowed down until the bad user
stands alone, and he is given up only when it is certain that the endpoint works for others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from audience_sync.core.batches import ALONE, halved
from audience_sync.core.changes import Endpoint, Part, Request, UserId
from audience_sync.core.doubt import LONGEST_DOUBT_SECONDS, Lone
from audience_sync.core.halt import Halt
from audience_sync.core.ledger import Mark
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

GiveUp = Callable[[Tenure, Request, UserId, Refusal, str], Awaitable[None]]
"""Writes a user's part to the dead letters, with its cause; returns when it stands there."""

Remember = Callable[[UserId, Endpoint, Part, Sequence[Mark], float], None]
"""Is told what of a user was confirmed, where what he waited for began, and the moment."""


class Watch(Protocol):
    """What an operator gets to see of it."""

    def user_given_up(self, endpoint: Endpoint, *, dropped: bool) -> None:
        """A user was refused for himself; his part stands in the dead letters, or is dropped as a setting says."""

    def in_doubt(self, request: Request, refusal: Refusal) -> None:
        """A user was refused while alone; whether it is his fault shows when others are confirmed or refused."""

    def imported(self, endpoint: Endpoint) -> None:
        """A user who did not exist was imported, and is sent again."""

    def rounds_ended(self, ended: Sequence[Round], now: float) -> None:
        """All that was cut together from the changes of each of these users is settled."""

    def stopped(self, reason: str) -> None:
        """Nothing will pass until a person acts."""

    def went_on(self) -> None:
        """A stop has ended by itself."""


class Settling:
    """Turns verdicts into settled users, users who come back, and users who are given up."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        give_up: GiveUp,
        halt: Halt,
        watch: Watch,
        clock: Callable[[], float],
        remember: Remember | None = None,
    ) -> None:
        """Take the parts. remember: is told of each part that was confirmed."""
        self._accounts = accounts
        self._give_up = give_up
        self._halt = halt
        self._watch = watch
        self._clock = clock
        self._remember = remember
        self._questions: dict[asyncio.Future[frozenset[UserId] | None], Tenure] = {}

    async def absent(self, tenure: Tenure, request: Request, verdict: Verdict) -> frozenset[UserId]:
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

    def leave(self, tenure: Tenure) -> None:
        """Ask nothing more for *tenure*: whoever hands its partitions over does not wait for answers."""
        for question, asked_for in self._questions.items():
            if asked_for is tenure:
                question.cancel()

    def settle(
        self,
        tenure: Tenure,
        request: Request,
        verdict: Verdict,
        absent: frozenset[UserId],
        proven: Mapping[UserId, int],
        sent_at: float,
    ) -> list[Lone]:
        """Settle whom the answer confirms, take back whom it does not. Returns who was refused for himself."""
        now = self._clock()
        if verdict.outcome is Outcome.REFUSED:
            if len(request.parts) > 1:
                self._narrow(tenure, request, verdict, absent, now)
                return []
            (user_id,) = request.parts
            alone = _lone(tenure, request, user_id, Refusal(verdict.code, verdict.reason, again=False), now)
            return self._refused_alone(tenure, alone, absent, proven)
        if verdict.comes_back:
            for user_id in request.parts:
                tenure.debouncer.came_back(request, user_id, not_before=verdict.not_before(now))
            return []
        confirmed: list[UserId] = []
        named: list[Lone] = []
        for user_id in request.parts:
            refusal = verdict.refused.get(user_id)
            if refusal is None:
                confirmed.append(user_id)
            elif refusal.again:  # he waits as after an ambiguous end
                tenure.debouncer.came_back(request, user_id, not_before=now + SETTLING_SECONDS)
            else:
                named.append(_lone(tenure, request, user_id, refusal, now))
        if self._remember is not None:
            for user_id in confirmed:
                marks = tenure.debouncer.marks_of(user_id)
                self._remember(user_id, request.endpoint, request.parts[user_id], marks, now)
        self._settled(tenure, confirmed, now)
        if confirmed:
            self._confirmed(tenure, request, confirmed, sent_at)
            return named
        return [end for lone in named for end in self._refused_alone(tenure, lone, absent, proven)]

    def _confirmed(self, tenure: Tenure, request: Request, users: Collection[UserId], sent_at: float) -> None:
        """*users* were confirmed: the endpoint works. Who was in doubt is sent again, and at once."""
        now = self._clock()
        names = tenure.debouncer.confirmed(request, users, now)
        if self._halt.confirmed(request.endpoint, names, sent_at=sent_at):
            self._watch.went_on()
        for lone in tenure.doubt.confirmed(request.endpoint, names, sent_at):
            tenure.debouncer.came_back(lone.request, lone.user_id, not_before=now, company=ALONE)

    def _narrow(
        self, tenure: Tenure, request: Request, verdict: Verdict, absent: frozenset[UserId], now: float
    ) -> None:
        """Send the users of a refused request in smaller company: suspects alone, or each half by itself."""
        suspects = absent | verdict.refused.keys()
        others = len(request.parts) if suspects else halved(len(request.parts))
        for user_id in request.parts:
            company = ALONE if user_id in suspects else others
            tenure.debouncer.refused(user_id, verdict.code, now)
            tenure.debouncer.came_back(request, user_id, not_before=now, company=company)

    def _refused_alone(
        self,
        tenure: Tenure,
        lone: Lone,
        absent: frozenset[UserId],
        proven: Mapping[UserId, int],
    ) -> list[Lone]:
        """One user was refused, and nobody with him confirmed. Returns him if it is certainly his own fault.

        That he does not exist is his fault only if the code says so too: some apps make users on the first write.
        """
        endpoint, user_id, code = lone.request.endpoint, lone.user_id, lone.refusal.code
        is_absent = user_id in absent and self._accounts.says_unknown(lone.refusal)
        if self._halt.ended_by(endpoint, code):
            self._halt.lift()
            self._watch.went_on()
        is_proven = (
            proven.get(user_id) == code
            or tenure.debouncer.refused_seconds(user_id, lone.since) >= LONGEST_DOUBT_SECONDS
        )
        if is_absent or (is_proven and not self._halt):
            return [lone]
        if not self._halt and tenure.doubt.passed_since(lone):
            tenure.debouncer.came_back(lone.request, user_id, not_before=lone.since, company=ALONE)
            return []
        tenure.doubt.refused(lone)
        self._watch.in_doubt(lone.request, lone.refusal)
        failing = tenure.doubt.failing(endpoint)
        if self._halt or (failing is not None and not tenure.debouncer.has_witness(endpoint, failing)):
            # the last one refused comes first: he may have been confirmed before
            for each in reversed(tenure.doubt.take(endpoint)):
                tenure.debouncer.came_back(each.request, each.user_id, not_before=lone.since, company=ALONE)
            if self._halt.endpoint is not None and failing is None:  # a look: it goes on being about the same
                endpoint, failing = self._halt.endpoint, self._halt.names
            self.stop(endpoint, lone.refusal.info, lone.since, code=code, names=failing or frozenset())
            look = tenure.debouncer.who_can_look(endpoint, self._halt.names)
            self._halt.wants_others = look is None or look.suspected
        return []

    def stop(
        self, endpoint: Endpoint, reason: str, now: float, *, code: int, names: frozenset[str] = frozenset()
    ) -> None:
        """Nothing passes until a person acts, for *reason*; on *endpoint* nothing about these attribute names."""
        self._halt.stop(endpoint, reason, now, code=code, names=names)
        self._watch.stopped(reason)

    async def end(self, tenure: Tenure, lone: Lone) -> None:
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
            self._settled(tenure, [user_id], self._clock())

    def _settled(self, tenure: Tenure, users: Iterable[UserId], now: float) -> None:
        settle = tenure.debouncer.settle
        rounds = [ended for user_id in users if (ended := settle(user_id, now)) is not None and ended.marks]
        if rounds:
            self._watch.rounds_ended(rounds, now)


def _lone(tenure: Tenure, request: Request, user_id: UserId, refusal: Refusal, now: float) -> Lone:
    """A user whom the API refuses, since when."""
    code_since = tenure.debouncer.refused(user_id, refusal.code, now).code_since
    return Lone(request, user_id, refusal, now, code_since)
