"""Ready users cut into requests that keep every limit of the API."""

from collections import OrderedDict
from collections.abc import Iterator

from audience_sync.core.changes import Endpoint, UserId
from audience_sync.core.limits import USERS_PER_REQUEST


class ReadyUsers:
    """Who is ready, a queue an endpoint, oldest first. A user stands in one queue at most."""

    def __init__(self, *, fill_seconds: float) -> None:
        self._fill_seconds = fill_seconds
        self._queues: dict[Endpoint, OrderedDict[UserId, float]] = {e: OrderedDict() for e in Endpoint}

    def add(self, user_id: UserId, endpoint: Endpoint, now: float) -> None:
        """Let the user wait for the next request to *endpoint*."""
        self._queues[endpoint][user_id] = now

    def move(self, user_id: UserId, endpoint: Endpoint, to: Endpoint) -> None:
        """What arrived has changed which part of the user leaves first; he does not lose his age."""
        self._queues[to][user_id] = self._queues[endpoint].pop(user_id)

    def waiting(self, endpoint: Endpoint) -> int:
        """How many users are ready for *endpoint*."""
        return len(self._queues[endpoint])

    def worth_cutting_at(self, endpoint: Endpoint) -> float | None:
        """The moment from which a request is worth a permit: it is full, or its oldest user has waited enough.

        None: nobody is ready. The moment may lie in the past.
        """
        queue = self._queues[endpoint]
        if not queue:
            return None
        oldest = next(iter(queue.values()))
        return oldest if len(queue) >= USERS_PER_REQUEST else oldest + self._fill_seconds

    def take(self, endpoint: Endpoint) -> Iterator[UserId]:
        """Take out as many users as one request may name, the oldest first."""
        queue = self._queues[endpoint]
        for _ in range(min(len(queue), USERS_PER_REQUEST)):
            yield queue.popitem(last=False)[0]
