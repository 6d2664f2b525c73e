"""P6: a user is sent when it is his turn, and not only when the next event comes.

Judged while nothing else could keep him: the group is at rest, nothing has broken, permits are many, nobody is bad.
What the service itself says of holds, stops and permits is not asked: a judge who believes it would acquit it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from audience_sync.core.changes import Endpoint
from audience_sync.core.tenure import Tenure
from audience_sync.events.intake import Record as TakenRecord
from tests.simulation.chat import Call, Fate, Judge
from tests.simulation.log import Words
from tests.simulation.loop import WorldLoop
from tests.simulation.plan import Plan

ALLOWED_SECONDS: Final = 1.0
"""For turns of loops, the way to the API, and requests before. Far below what is to be found."""

REST_SECONDS: Final = 3.0
"""So long after the group has changed, first commits are made and holds have ended."""

MANY_CALLS: Final = 100.0
MANY_IN_FLIGHT: Final = 8
"""With so many permits nobody of a handful of users waits for one."""


class _Turn:
    """What a user has to be sent. since: when the first of it came; last: the last; names: those that it is about."""

    __slots__ = ("asked", "in_flight", "last", "names", "not_before", "since")

    def __init__(self, now: float) -> None:
        self.since = now
        self.last = now
        self.not_before = now
        self.names: set[str] = set()
        self.in_flight = False
        self.asked: asyncio.TimerHandle | None = None

    def says(self, words: Words) -> None:
        """What comes is folded in: without tags there is none to remove."""
        if "*" in words:
            self.names = {name for name in self.names if not name.startswith("t:")}
        for name, effect in words.items():
            if "*" in self.names and name != "*" and effect is False:
                self.names.discard(name)
            else:
                self.names.add(name)


class Freshness(Judge):
    """Watches who was taken in and is not sent.

    calm_since: since when nothing could keep him; infinite: something may.
    """

    def __init__(
        self,
        plan: Plan,
        loop: WorldLoop,
        *,
        calm_since: Callable[[], float],
        broken: Callable[[str, str, tuple[str, ...]], None],
    ) -> None:
        knobs = plan.knobs
        self._loop = loop
        self._knobs = knobs
        self._calm_since = calm_since
        self._broken = broken
        self._turns: dict[str, _Turn] = {}
        self._judges = (
            not (plan.unknown or plan.cursed)
            and plan.weather.fates.keys() <= {Fate.TWICE}
            and knobs.calls_per_second >= MANY_CALLS
            and knobs.calls_per_second_of_app is None
            and knobs.most_in_flight >= MANY_IN_FLIGHT
            and not knobs.known  # who repeats himself need not be sent
        )

    def taken(self, tenure: Tenure, records: Sequence[TakenRecord]) -> None:  # noqa: ARG002 - as the base class has it
        """From now on his time runs."""
        if not self._judges:
            return
        now = self._loop.now
        for record in records:
            user, words = record.user, record.words  # type: ignore[attr-defined]  # the log's own records
            if not words:
                continue
            turn = self._turns.get(user)
            if turn is None:
                turn = self._turns[user] = _Turn(now)
            if not turn.names:
                turn.since = now
            turn.says(words)
            turn.last = now
            self._ask_later(user, turn)

    def sent(self, call: Call) -> None:
        """He is under way, with some of it."""
        if not self._judges:
            return
        for user, part in call.request.parts.items():
            if (turn := self._turns.get(user)) is not None:
                turn.names -= {"*"} if call.request.endpoint is Endpoint.REMOVE_ALL_TAGS else set(part)
                turn.in_flight = True
                turn.since = turn.not_before = self._loop.now

    def answered(self, call: Call) -> None:
        """What is left of it may go now."""
        for user in call.request.parts if self._judges else ():
            if (turn := self._turns.get(user)) is not None:
                turn.in_flight = False
                turn.not_before = self._loop.now
                if turn.names:
                    self._ask_later(user, turn)
                else:
                    self._forget(user, turn)

    def _forget(self, user: str, turn: _Turn) -> None:
        del self._turns[user]
        if turn.asked is not None:
            turn.asked.cancel()

    def _ask_later(self, user: str, turn: _Turn) -> None:
        if turn.asked is None:
            turn.asked = self._loop.later(
                max(0.0, self._due_at(turn) - self._loop.now), self._ask, user, turn
            )

    def _due_at(self, turn: _Turn) -> float:
        knobs = self._knobs
        ready_at = max(min(turn.last + knobs.quiet, turn.since + knobs.longest_wait), turn.not_before)
        return ready_at + knobs.fill + ALLOWED_SECONDS

    def _ask(self, user: str, turn: _Turn) -> None:
        turn.asked = None
        now, calm_since = self._loop.now, self._calm_since() + REST_SECONDS
        if self._turns.get(user) is not turn or turn.in_flight:
            return
        if calm_since > turn.since:  # something else may have kept him
            if calm_since < now:
                turn.since, turn.last = calm_since, max(turn.last, calm_since)
                self._ask_later(user, turn)
            else:
                self._forget(user, turn)
        elif now < self._due_at(turn):
            self._ask_later(user, turn)
        else:
            names = ", ".join(sorted(turn.names))
            self._broken("P6", f"{user} waits since {now - turn.since:.1f} s with {names}", (user,))
