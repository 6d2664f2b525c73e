"""A piece's users in requests: several at once, repeated while they may pass, halved to find who is refused."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from audience_sync.chat_api import Found, Refusal, Refused, TryAgain
from audience_sync.chat_api.errors import BY_CODE
from audience_sync.commands.terminal.words import counted
from audience_sync.core.backoff import backoff_seconds
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.verdicts import SETTLING_SECONDS

V = TypeVar("V")
T = TypeVar("T")

Call = Callable[[Mapping[str, V]], Awaitable[Found[T]]]
"""One request: what it says of users, and what was found of each, or who was refused."""

AT_ONCE: Final = 8
"""Requests under way at once; in those of one piece each user stands once. Ours: enough for the documented rate."""

_OF_USERS: Final = frozenset(
    {20003, 60015, 70107, 70399, 70402, 90003, 90012, 90020, 90030, 90032, 90033, 90034, 90035, 90046, 90048}
)
"""Codes that one user of many may be the cause of. An unknown code may be such a one."""


class Patience:
    """Repeats calls that may pass later, until so many seconds after their first try.

    *clock* gives seconds, *chance* a number from [0, 1). *tell* is told of each wait.
    """

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
        tell: Callable[[str], None],
    ) -> None:
        self._seconds = seconds
        self._clock, self._sleep, self._chance, self._tell = clock, sleep, chance, tell

    async def once(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call, and call again while it may pass. Raises what the last try raised."""
        return await self._once(call, until=self._clock() + self._seconds)

    async def call(self, call: Call[V, T], users: Mapping[str, V]) -> Found[T]:
        """Call for *users*, and again for all, or for those of them, who may pass later. Raises as `once`."""
        until, failures = self._clock() + self._seconds, 0
        found: Found[T] = Found({}, {})
        left = users
        while True:
            said = await self._once(partial(call, left), until=until)
            join(found, said)
            left = {user: left[user] for user, refusal in said.refused.items() if refusal.again}
            failures += 1
            reason = f"{counted(len(left), 'user')} refused for now"
            if not left or not await self._waited(failures, until=until, reason=reason, ambiguous=False):
                return found
            for user in left:
                del found.refused[user]

    async def _once(self, call: Callable[[], Awaitable[T]], *, until: float) -> T:
        failures = 0
        while True:
            try:
                return await call()
            except TryAgain as error:
                failures += 1
                if not await self._waited(
                    failures, until=until, reason=str(error), ambiguous=error.ambiguous
                ):
                    raise

    async def _waited(self, failures: int, *, until: float, reason: str, ambiguous: bool) -> bool:
        """Wait for the next try, unless there is no time for it."""
        seconds = backoff_seconds(failures, self._chance())
        if ambiguous:
            seconds = max(seconds, SETTLING_SECONDS)
        if self._clock() + seconds > until:
            return False
        self._tell(f"{reason}; again in {seconds:.1f} s")
        await self._sleep(seconds)
        return True


async def narrowed(call: Call[V, T], users: Mapping[str, V], *, turn: asyncio.Lock) -> Found[T]:
    """Call for *users*; when one of them has the whole refused, find him by halving. All calls are safe to repeat.

    Raises Refused if it is the request that is wrong, not a user: so too if everyone of a full one is refused.
    *turn*: of several requests one is halved at a time.
    """
    try:
        return await call(users)
    except Refused as error:
        refused = error
    async with turn:
        found = await _in_parts(call, users, refused)
    if len(users) == USERS_PER_REQUEST == len(found.refused) and not refused.named:
        raise refused
    return found


async def _in_parts(call: Call[V, T], users: Mapping[str, V], refused: Refused) -> Found[T]:
    """What becomes of *users*, for whom a request was *refused*: those it names apart, or halved."""
    if refused.code in BY_CODE and refused.code not in _OF_USERS:
        raise refused
    found: Found[T] = Found({}, {user: said for user, said in refused.named.items() if not said.again})
    if len(users) == 1:
        found.refused.update(dict.fromkeys(users, Refusal(refused.code, refused.info, again=False)))
    others = {user: said for user, said in users.items() if user not in found.refused}
    for part in _cut(others, len(others) if found.refused else (len(others) + 1) // 2):
        try:
            join(found, await call(part))
        except Refused as error:
            join(found, await _in_parts(call, part, error))
    return found


async def all_of(call: Call[V, T], users: Mapping[str, V], *, done: Callable[[int, Found[T]], None]) -> None:
    """Call for *users*, as many at a time as a request takes, several requests at once.

    *done* is told of each request that ended well: how many users, and what was said. Raises what the first
    failed one raised; those under way are cut off then.
    """
    requests = _cut(users, USERS_PER_REQUEST)
    turn = asyncio.Lock()

    async def work() -> None:
        for request in requests:  # all workers take from the one iterator
            done(len(request), await narrowed(call, request, turn=turn))

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(AT_ONCE):
                workers.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def join(found: Found[T], more: Found[T]) -> None:
    """Add *more* to *found*."""
    found.of.update(more.of)
    found.refused.update(more.refused)


def _cut(users: Mapping[str, V], size: int) -> Iterator[dict[str, V]]:
    left = iter(users.items())
    return iter(lambda: dict(islice(left, size)), {})
