"""Who is looked at when, so that nobody is looked at before."""

from collections.abc import Iterator
from heapq import heappop, heappush

from audience_sync.core.user_state import User


class Schedule:
    """Users by the moment (epoch seconds) at which they are to be looked at, one moment each: the last one told.

    What is read together becomes ready together, so many users share a moment: it is kept once for all of them,
    and a user costs the same among a thousand as among a million.
    """

    def __init__(self) -> None:
        self._moments: list[float] = []
        self._users: dict[float, list[User]] = {}
        self._latest = 0.0

    @property
    def next_at(self) -> float | None:
        """No later than the next moment at which somebody is to be looked at; None: nobody is."""
        return self._moments[0] if self._moments else None

    def put(self, user: User, moment: float) -> None:
        """Look at *user* at that moment, and not at the one that was told before."""
        if moment == self._latest:
            moment = self._latest  # the same number again, not a number a user
        else:
            self._latest = moment
        user.scheduled_at = moment
        users = self._users.get(moment)
        if users is None:
            self._users[moment] = [user]
            heappush(self._moments, moment)
        else:
            users.append(user)

    def take(self, now: float) -> Iterator[User]:
        """Take out those whose moment has come. They may be put back meanwhile, and then come again if it has."""
        moments = self._moments
        while moments and moments[0] <= now:
            moment = heappop(moments)
            for user in self._users.pop(moment):
                if user.scheduled_at == moment:
                    yield user
