"""Calls for more users than one request takes: cut into requests, and how these are spaced."""

import asyncio
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final, TypeVar

from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.core.changes import Part, UserId
from audience_sync.core.limits import USERS_PER_REQUEST

T = TypeVar("T")
User = TypeVar("User", bound=str)

HEADROOM: Final = 0.97
"""Of the rate that the API allows: what it counts as a second is not exactly ours."""


class Spacing:
    """Lets calls through one after the other, evenly, however many wait."""

    def __init__(self, calls_per_second: float) -> None:
        if not calls_per_second > 0:
            raise ValueError(f"calls_per_second is {calls_per_second}; it must be above 0")
        self._interval_seconds = 1 / (calls_per_second * HEADROOM)
        self._next_at = 0.0

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + self._interval_seconds
        if at > now:
            await asyncio.sleep(at - now)


def once_each(users: Collection[str], *, name: str) -> list[str]:
    """*users* in their order, each once. BrokenLimit for a text, which is a collection of letters."""
    if isinstance(users, str):
        raise BrokenLimit(f"{name} was given the text {users!r}; give a list of users")
    return list(dict.fromkeys(users))


def pieces_of(items: Collection[T], *, name: str) -> list[list[T]]:
    """*items* in lists of as many users as a request takes. BrokenLimit if there are none."""
    if not items:
        raise BrokenLimit(f"{name} without users; name at least one")
    left = iter(items)
    return list(iter(lambda: list(islice(left, USERS_PER_REQUEST)), []))


def pieces_of_parts(parts: Mapping[User, Part], *, texts: int | None, name: str) -> list[dict[UserId, Part]]:
    """*parts* in pieces of as many users as a request takes, each with at most *texts* of his tags.

    Who has more stands in several pieces, his tags in order. BrokenLimit if there are no users.
    """
    pieces: list[dict[UserId, Part]] = []
    left: dict[str, Part] = dict(parts.items())
    while True:
        pieces += [
            {UserId(user): _first(left[user], texts) for user in users}
            for users in pieces_of(left, name=name)
        ]
        left = {user: rest for user, part in left.items() if (rest := _rest(part, texts))}
        if not left:
            return pieces


def _first(part: Part, texts: int | None) -> Part:
    return part if texts is None or not isinstance(part, list | tuple) else part[:texts]


def _rest(part: Part, texts: int | None) -> Part:
    return () if texts is None or not isinstance(part, list | tuple) else part[texts:]
