"""What an operator may ask of one replica, and tell it: the same for the page, for programs and for commands."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol

import msgspec

from audience_sync.admin.replay_job import ReplayJob
from audience_sync.admin.status import Status
from audience_sync.admin.user_told import UserTold, user_told
from audience_sync.core.changes import Endpoint, UserId
from audience_sync.core.last_confirmed import LastConfirmed
from audience_sync.core.limits import broken_by_user
from audience_sync.core.pauses import Pause, Pauses
from audience_sync.core.tenure import Tenure
from audience_sync.telemetry.logs import LastLines, Level
from audience_sync.telemetry.rates import LONG_SECONDS, SHORT_SECONDS, Rates

LOOK_SECONDS: Final = 1.0
FEW_USERS: Final = 5
"""Of those who are ready, an endpoint, so many are named."""

DEFAULT_LEVEL_SECONDS: Final = 600.0


class NotReadError(Exception):
    """The dead letters can't be read now; the message says why."""


class Letters(Protocol):
    """Reads the newest dead letters. Raises NotReadError."""

    def __call__(self, *, most: int, users: frozenset[str], codes: frozenset[int]) -> Awaitable[Any]: ...  # noqa: D102


class Watch(Protocol):
    """What is told of what an operator does."""

    def paused(self, what: str) -> None:
        """A person has paused it."""

    def resumed(self, what: str) -> None:
        """A person lets it go on."""

    def replay_asked(self, letters: int) -> None:
        """A person wants so many letters replayed."""

    def operator_refused(self) -> None:
        """Somebody asked what only an operator may, without the token."""

    def level_changed(self, level: str, *, by_itself: bool) -> None:
        """Lines below *level* are no longer told, those from it on are."""


class Operator:
    """Answers with values that are ready for JSON; shapes: docs/operators-page.md. Nothing here waits but `letters`.

    resumed: lets requests leave that were paused. totals: what the rates are made of.
    """

    def __init__(
        self,
        *,
        replica: str,
        status: Status,
        tenure: Callable[[], Tenure | None],
        pauses: Pauses,
        resumed: Callable[[], None],
        last_confirmed: LastConfirmed,
        letters: Letters,
        replay: ReplayJob,
        level: Level,
        lines: LastLines,
        totals: Callable[[], dict[str, int]],
        clock: Callable[[], float],
        watch: Watch,
    ) -> None:
        self._replica = replica
        self._status = status
        self._tenure = tenure
        self._pauses = pauses
        self._resumed = resumed
        self._last_confirmed = last_confirmed
        self._letters = letters
        self._replay = replay
        self._level = level
        self._lines = lines
        self._totals = totals
        self._clock = clock
        self._watch = watch
        self._rates = Rates()

    async def run(self) -> None:
        """Look at totals and the log level once a second, until cancelled."""
        while True:
            now = self._clock()
            self._rates.see(self._totals(), now)
            if self._level.look(now):
                self._watch.level_changed(self._level.normal, by_itself=True)
            await asyncio.sleep(LOOK_SECONDS)

    def status(self) -> dict[str, Any]:
        """All but users and letters. No user is named but those who have been ready for longest."""
        tenure = self._tenure()
        told = self._status.tell()
        for name, endpoint in told["endpoints"].items():
            ready = [] if tenure is None else tenure.debouncer.ready.foremost(Endpoint(name))
            endpoint["ready_longest"] = ready[:FEW_USERS]
        replay = self._replay.told()
        return told | {
            "replica": self._replica,
            "now": self._clock(),
            "held_users": 0 if tenure is None else tenure.debouncer.held,
            "pausable": list(self._pauses.pausable),
            "per_second": {
                "last_10_seconds": self._rates.per_second(SHORT_SECONDS),
                "last_minute": self._rates.per_second(LONG_SECONDS),
            },
            "log": {
                "level": self._level.now,
                "normal": self._level.normal,
                "back_at": self._level.back_at,
            },
            "errors": [msgspec.structs.asdict(line) for line in self._lines.lines],
            "replay": None if replay is None else msgspec.to_builtins(replay),
        }

    def user(self, user: str) -> UserTold:
        """What is known of one user. Raises ValueError for what can be no user."""
        if (broken := broken_by_user(user)) is not None:
            raise ValueError(broken)
        return user_told(UserId(user), self._tenure(), self._last_confirmed)

    async def letters(self, *, most: int, users: Collection[str], codes: Collection[int]) -> dict[str, Any]:
        """The newest dead letters of these users and codes, where any are named. Raises NotReadError."""
        found = await self._letters(most=most, users=frozenset(users), codes=frozenset(codes))
        told: dict[str, Any] = msgspec.to_builtins(found)
        return told

    def pause(self, what: str) -> Pause:
        """Pause it. Raises NotPausableError; a repeat is harmless."""
        pause = self._pauses.pause(what, self._clock())
        self._watch.paused(what)
        return pause

    def resume(self, what: str) -> bool:
        """Let it go on; returns whether it was paused. Raises NotPausableError; a repeat is harmless."""
        was_paused = self._pauses.resume(what)
        if was_paused:
            self._resumed()
            self._watch.resumed(what)
        return was_paused

    def replay(self, ids: Collection[str]) -> None:
        """Replay these letters, soon; `status` tells what becomes of them. Raises BusyError, ValueError."""
        self._replay.begin(list(ids))
        self._watch.replay_asked(len(ids))

    def change_level(self, level: str, seconds: float = DEFAULT_LEVEL_SECONDS) -> None:
        """Tell more or less for so long. Raises ValueError."""
        self._level.change(level, seconds=seconds, now=self._clock())
        self._watch.level_changed(level, by_itself=False)
