"""Which dead letter a loss becomes, and what it settles once it stands in the topic."""

from collections.abc import Awaitable, Callable
from typing import Final

from audience_sync.core.changes import Request, UserId
from audience_sync.core.event import Unusable
from audience_sync.core.folding import changes_of
from audience_sync.core.guard import Guard
from audience_sync.core.ledger import Mark, Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import Refusal
from audience_sync.events.dead_letters import DeadLetters, refused_letter, unusable_letter
from audience_sync.events.intake import Record
from audience_sync.events.replays import Replay

TURN_SECONDS: Final = 1.0
"""How often it is looked whether the guard lets a dead letter through."""


class Burial:
    """Writes dead letters for records that can't be used and for users whom the API refuses.

    settled: is told when a record's mark is settled, so that its position may be committed.
    """

    def __init__(
        self,
        dead_letters: DeadLetters,
        *,
        guard: Guard,
        settled: Callable[[], None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._dead_letters = dead_letters
        self._guard = guard
        self._sleep = sleep
        self._settled = settled
        self._clock = clock

    def unusable(self, key: PartitionKey, record: Record, event: Unusable, mark: Mark) -> None:
        """Keep *record*; *mark* is settled when the broker has it."""
        letter = unusable_letter(
            record,
            origin=Origin(key.topic, key.number, record.offset, mark.at),
            cause=event.cause,
            info=event.info,
            now=self._clock(),
        )
        self._dead_letters.bury(record.key, letter, lambda: self._settle(mark))

    def give_back(self, replay: Replay, event: Unusable, mark: Mark) -> None:
        """Keep a letter that was replayed and can't be taken in; then settle *mark*."""
        letter = replay.letter(cause=event.cause, info=event.info, now=self._clock())
        self._dead_letters.bury(replay.user.encode(), letter, lambda: self._settle(mark))

    def _settle(self, mark: Mark) -> None:
        mark.settle()
        self._settled()

    async def refused(
        self, tenure: Tenure, request: Request, user_id: UserId, refusal: Refusal, cause: str
    ) -> None:
        """Keep what *request* says of the user; returns when the broker has it.

        Nothing is kept of a user for whom nothing waits: what he was sent was confirmed before.
        """
        marks = tenure.debouncer.marks_of(user_id)
        if not marks:
            return
        while not self._guard.may_bury(self._clock()):
            await self._sleep(TURN_SECONDS)
        letter = refused_letter(
            user_id=user_id,
            changes=changes_of(request.endpoint, request.parts[user_id]),
            marks=marks,
            cause=cause,
            refusal=refusal,
            now=self._clock(),
        )
        await self._dead_letters.bury_and_wait(user_id.encode(), letter)
