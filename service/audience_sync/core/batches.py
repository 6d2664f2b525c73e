"""Ready users cut into requests that keep every limit of the API."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final

from audience_sync.core.changes import Endpoint, UserId
from audience_sync.core.limits import USERS_PER_REQUEST

MOST_LOOKED_AT: Final = 1000
"""So many users of a queue are looked at for one who fits. Ours: it happens once in some seconds."""

ALONE: Final = 1
"""The company of a user who travels in a request of his own."""


class ReadyUsers:
    """Who is ready, a queue an endpoint, oldest first. A user stands in one queue at most.

    A user's *company* is how many users a request with him may name. It is as many as the API takes, until a
    request with him is refused: then he travels in ever smaller company, before all others, until he is
    confirmed or stands alone.
    """

    def __init__(self, *, fill_seconds: float) -> None:
        self._fill_seconds = fill_seconds
        self._queues: dict[Endpoint, OrderedDict[UserId, float]] = {e: OrderedDict() for e in Endpoint}
        self._narrow: dict[Endpoint, dict[int, OrderedDict[UserId, float]]] = {e: {} for e in Endpoint}

    def add(
        self, user_id: UserId, endpoint: Endpoint, now: float, *, company: int = USERS_PER_REQUEST
    ) -> None:
        """Let the user wait for the next request to *endpoint*."""
        if company >= USERS_PER_REQUEST:
            self._queues[endpoint][user_id] = now
        else:
            self._narrow[endpoint].setdefault(company, OrderedDict())[user_id] = now

    def move(
        self, user_id: UserId, endpoint: Endpoint, to: Endpoint, *, company: int = USERS_PER_REQUEST
    ) -> None:
        """What arrived has changed which part of the user leaves first; he does not lose his age."""
        narrow = self._narrow[endpoint]
        queue = self._queues[endpoint] if company >= USERS_PER_REQUEST else narrow[company]
        at = queue.pop(user_id)
        if not queue:
            narrow.pop(company, None)
        self.add(user_id, to, at, company=company)

    def waiting(self, endpoint: Endpoint) -> int:
        """How many users are ready for *endpoint*."""
        return len(self._queues[endpoint]) + sum(map(len, self._narrow[endpoint].values()))

    def find(self, endpoint: Endpoint, fits: Callable[[UserId], bool]) -> tuple[UserId, int] | None:
        """The least suspected user who is ready for *endpoint* and *fits*, and his company; None: nobody does.

        The oldest of those in the largest company; of very many, only the oldest are looked at.
        """
        narrow = self._narrow[endpoint]
        queues = [(USERS_PER_REQUEST, self._queues[endpoint])]
        queues += [(company, narrow[company]) for company in sorted(narrow, reverse=True)]
        for company, queue in queues:
            for user_id in islice(queue, MOST_LOOKED_AT):
                if fits(user_id):
                    return user_id, company
        return None

    def worth_cutting_at(self, endpoint: Endpoint) -> float | None:
        """The moment from which a request is worth a permit: it is full, or its oldest user has waited enough.

        None: nobody is ready. The moment may lie in the past.
        """
        if narrow := self._narrow[endpoint]:
            return next(iter(narrow[min(narrow)].values()))
        queue = self._queues[endpoint]
        if not queue:
            return None
        oldest = next(iter(queue.values()))
        return oldest if len(queue) >= USERS_PER_REQUEST else oldest + self._fill_seconds

    def foremost(self, endpoint: Endpoint) -> list[UserId]:
        """Whom `take` would take out now."""
        narrow = self._narrow[endpoint]
        company = min(narrow, default=USERS_PER_REQUEST)
        return list(islice(narrow.get(company, self._queues[endpoint]), company))

    def take(self, endpoint: Endpoint) -> list[UserId]:
        """Take out as many users as one request may name: the smallest company first, then the oldest."""
        narrow = self._narrow[endpoint]
        if not narrow:
            return _oldest(self._queues[endpoint], USERS_PER_REQUEST)
        company = min(narrow)
        taken = _oldest(narrow[company], company)
        if not narrow[company]:
            del narrow[company]
        return taken

    def take_one(self, endpoint: Endpoint, user_id: UserId, company: int) -> None:
        """Take out one user, whom `find` has found."""
        narrow = self._narrow[endpoint]
        queue = self._queues[endpoint] if company >= USERS_PER_REQUEST else narrow[company]
        del queue[user_id]
        if not queue:
            narrow.pop(company, None)


def _oldest(queue: OrderedDict[UserId, float], most: int) -> list[UserId]:
    return [queue.popitem(last=False)[0] for _ in range(min(len(queue), most))]


def halved(company: int) -> int:
    """The company of users after a request with so many of them was refused."""
    return max(ALONE, (company + 1) // 2)
