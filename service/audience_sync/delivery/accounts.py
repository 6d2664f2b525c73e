"""Users who may not exist in the Chat API: who they are, and what becomes of them."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from audience_sync.chat_api.errors import BrokenLimit, ChatApiError
from audience_sync.core.changes import UserId
from audience_sync.core.verdicts import Refusal, UnknownAccounts

REMEMBERED: Final = 10_000
"""So many imported users are remembered; one of them who is refused again is given up."""


class Accounts:
    """Asks the Chat API about users, and imports those who are missing, if that is wanted."""

    def __init__(
        self,
        *,
        check: Callable[[Collection[str]], Awaitable[Mapping[str, bool]]],
        create: Callable[[UserId], Awaitable[None]],
        unknown: UnknownAccounts,
        codes: Collection[int],
    ) -> None:
        """Take the parts.

        check:  {user: whether he exists}; raises ChatApiError.
        create: makes a user exist; raises ChatApiError.
        codes:  those that say of a user that he does not exist.
        """
        self._check, self._create = check, create
        self._codes = frozenset(codes)
        self._imported: dict[UserId, None] = {}
        self.unknown: Final = unknown

    async def absent(self, users: Collection[UserId]) -> frozenset[UserId] | None:
        """Those of *users* who certainly do not exist; None if the API does not say."""
        try:
            found = await self._check(users)
        except (ChatApiError, BrokenLimit):
            return None
        return frozenset(user for user in users if found.get(user) is False)

    def says_unknown(self, refusal: Refusal) -> bool:
        """Whether *refusal* says that its user does not exist."""
        return refusal.code in self._codes

    async def imported(self, user: UserId) -> bool:
        """Import *user*. Returns whether that is worth another try: not when it failed, or did not help before."""
        if user in self._imported:
            return False
        try:
            await self._create(user)
        except (ChatApiError, BrokenLimit):
            return False
        self._imported[user] = None
        if len(self._imported) > REMEMBERED:
            del self._imported[next(iter(self._imported))]
        return True
