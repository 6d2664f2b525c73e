"""The real delivery loop with made-up answers, on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from audience_sync.core.changes import AddTag, Change, Endpoint, Request, UserId
from audience_sync.core.halt import Halt
from audience_sync.core.pace import Pace
from audience_sync.core.tenure import Memory, Tenure
from audience_sync.core.user_state import Round
from audience_sync.core.verdicts import Outcome, Refusal, UnknownAccounts, Verdict
from audience_sync.delivery.accounts import Accounts
from audience_sync.delivery.loop import Delivery
from audience_sync.delivery.settling import Remember
from tests.support.clock import virtual_now
from tests.support.tenures import KEY, a_tenure

OK: Final = Verdict(outcome=Outcome.CONFIRMED)
NO_ANSWER: Final = Verdict(outcome=Outcome.TRY_AGAIN, ambiguous=True)
SLOW_DOWN: Final = Verdict(outcome=Outcome.SLOW_DOWN)
STOPPED: Final = Verdict(outcome=Outcome.STOPPED, reason="the feature is off")

Answer = Callable[[Request], Verdict]


class Deliveries:
    """What a test sees of a delivery: which requests left when, how they ended, who was given up.

    answer: says how each request ends, `answer_seconds` after it left.
    """

    def __init__(
        self,
        answer: Answer = lambda _: OK,
        *,
        calls_per_second: float = 100,
        unknown: UnknownAccounts = UnknownAccounts.DEAD_LETTER,
        pace_of_all: Pace | None = None,
        memory: Memory = Memory(),  # noqa: B008 - it is never altered
        paused: Callable[[Endpoint], bool] = lambda _: False,
        remember: Remember | None = None,
        clock: Callable[[], float] = virtual_now,
    ) -> None:
        self.answer, self.clock = answer, clock
        self.answer_seconds = 0.2
        self.sent: list[tuple[float, Request]] = []
        self.given_up: list[tuple[UserId, Refusal]] = []
        self.causes: list[str] = []
        self.dropped = 0
        self.absent: set[str] = set()
        self.accounts_asked = 0
        self.imports: list[str] = []
        self.accounts_answer: Callable[[], None] = lambda: None
        self.dead_letters_work = asyncio.Event()
        self.dead_letters_work.set()
        self.under_way: set[UserId] = set()
        self.seen: list[str] = []
        self.rounds = 0
        self.skipped = 0
        self.when_cut: Callable[[], None] = lambda: None
        self.halt = Halt()
        self.paces: Mapping[Endpoint, Pace] = {
            endpoint: Pace(calls_per_second=calls_per_second, most_in_flight=4) for endpoint in Endpoint
        }
        self.tenure = a_tenure(clock(), memory=memory)
        self.delivery = Delivery(
            send=self._send,
            give_up=self._give_up,
            accounts=Accounts(check=self._existing, create=self._import, unknown=unknown, codes={70107}),
            paces=self.paces,
            halt=self.halt,
            watch=self,
            clock=clock,
            chance=lambda: 0.5,
            pace_of_all=pace_of_all,
            paused=paused,
            remember=remember,
        )

    async def _send(self, request: Request, may_leave: Callable[[], bool]) -> Verdict:
        if not may_leave():
            return Verdict(outcome=Outcome.UNTRIED)
        self.sent.append((self.clock(), request))
        assert not self.under_way & request.parts.keys(), "a user is in two requests at once"
        self.under_way |= request.parts.keys()
        await asyncio.sleep(self.answer_seconds)
        self.under_way -= request.parts.keys()
        return self.answer(request)

    async def _existing(self, users: Collection[str]) -> dict[str, bool]:
        self.accounts_asked += 1
        await asyncio.sleep(self.answer_seconds)
        self.accounts_answer()
        return {user: user not in self.absent for user in users}

    async def _import(self, user: str) -> None:
        await asyncio.sleep(self.answer_seconds)
        self.accounts_answer()
        self.imports.append(user)
        self.absent.discard(user)

    async def _give_up(
        self, tenure: Tenure, request: Request, user_id: UserId, refusal: Refusal, cause: str
    ) -> None:
        assert user_id in request.parts
        assert tenure.debouncer.marks_of(user_id)
        await self.dead_letters_work.wait()
        self.given_up.append((user_id, refusal))
        self.causes.append(cause)

    def request_cut(self, request: Request, *, ready: int) -> None:
        """A request leaves."""
        assert len(request.parts) <= ready
        self.when_cut()

    def request_ended(self, request: Request, verdict: Verdict, seconds: float) -> None:
        """It ended."""
        assert request.parts
        assert seconds >= 0
        self.seen.append(verdict.outcome)

    def repeats_skipped(self, changes: int) -> None:
        """Nothing was sent of them."""
        self.skipped += changes

    def in_doubt(self, request: Request, refusal: Refusal) -> None:
        """A user was refused alone."""
        self.seen.append(f"in doubt: {refusal.code}")
        assert len(request.parts) >= 1

    def user_given_up(self, endpoint: Endpoint, *, dropped: bool) -> None:
        """A user was refused for himself."""
        assert endpoint in Endpoint
        self.dropped += dropped

    def imported(self, endpoint: Endpoint) -> None:
        """A user was imported."""
        self.seen.append(f"imported for {endpoint}")

    def rounds_ended(self, ended: Sequence[Round], now: float) -> None:  # noqa: ARG002 - only how many is asked
        """Users' rounds are settled."""
        self.rounds += len(ended)

    def stopped(self, reason: str) -> None:
        """Nothing will pass."""
        self.seen.append(f"stopped: {reason}")

    def went_on(self) -> None:
        """A stop has ended."""
        self.seen.append("went on")

    def tell(self, user: str, *changes: Change, urgent: bool = False) -> None:
        """The next event says this of a user; a tag if nothing else is said."""
        ledger, now = self.tenure.ownership.partitions[KEY].ledger, self.clock()
        position = ledger.read_position
        self.tenure.debouncer.add(
            UserId(user),
            changes or [AddTag("a")],
            ledger=ledger,
            position=position,
            at=now,
            now=now,
            urgent=urgent,
        )
        ledger.read_up_to(position + 1)
        self.delivery.nudge()

    @property
    def settled(self) -> bool:
        """Whether all that was told is settled."""
        ledger = self.tenure.ownership.partitions[KEY].ledger
        return ledger.settled_position == ledger.read_position and len(self.tenure.debouncer) == 0

    def sent_to(self, user: str) -> list[float]:
        """When requests with that user left."""
        return [at for at, request in self.sent if user in request.parts]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The loop turns meanwhile."""
        self.delivery.begin(self.tenure, share=1.0)
        task = asyncio.create_task(self.delivery.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
