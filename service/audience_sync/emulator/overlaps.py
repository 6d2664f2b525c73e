"""Users who were in two requests at the same time.

A request is open from the arrival of its headers until its answer was sent. Whom it names is known only when
its body is there, so an overlap may be found after the other request has ended. A request whose caller hung
up is open no longer: nobody waits for its answer. Reading requests are left out, for they change nothing.
"""

from collections.abc import Callable, Iterable

import msgspec

KEPT = 1000
"""So many overlaps are kept with their names; the count goes on."""


class Overlap(msgspec.Struct, frozen=True):
    """A user, and the two endpoints that named him at the same time: the one noticed first, and the other."""

    user: str
    first: str
    second: str


class OpenRequest:
    """A request between its arrival and its answer."""

    def __init__(self, number: int, endpoint: str, hung_up: Callable[[], bool]) -> None:
        self.number, self.endpoint, self.hung_up = number, endpoint, hung_up
        self.users: frozenset[str] = frozenset()


class Overlaps:
    """Who is in which open request. Order is what counts, so there is no clock."""

    def __init__(self) -> None:
        self.found: list[Overlap] = []
        self.count = 0
        self._moment = 0
        self._open: dict[int, OpenRequest] = {}
        self._holders: dict[str, OpenRequest] = {}
        self._left: dict[str, tuple[int, str]] = {}  # user -> when his last request ended, and its endpoint

    def arrive(self, endpoint: str, hung_up: Callable[[], bool]) -> OpenRequest:
        """The headers of a request are there. *hung_up* tells, at any time, whether its caller has left."""
        request = OpenRequest(self._tick(), endpoint, hung_up)
        self._open[request.number] = request
        return request

    def name(self, request: OpenRequest, users: Iterable[str]) -> None:
        """The body is there, and these are its users."""
        request.users = frozenset(users)
        for user in request.users:
            holder = self._holders.get(user)
            if holder is not None and not holder.hung_up():
                self._found(user, holder.endpoint, request.endpoint)
            elif (left := self._left.get(user)) is not None and left[0] > request.number:
                self._found(user, left[1], request.endpoint)
            self._holders[user] = request

    def leave(self, request: OpenRequest, *, answered: bool) -> None:
        """The answer was sent, or else the connection is gone."""
        del self._open[request.number]
        moment = self._tick()
        for user in request.users:
            if self._holders.get(user) is request:
                del self._holders[user]
            if answered:
                self._left[user] = (moment, request.endpoint)
        if not self._open:  # no request arrived before any of these ended
            self._left.clear()

    def forget(self) -> None:
        """Start the list and the count anew. Open requests stay known."""
        self.found.clear()
        self.count = 0

    def _tick(self) -> int:
        self._moment += 1
        return self._moment

    def _found(self, user: str, first: str, second: str) -> None:
        self.count += 1
        if len(self.found) < KEPT:
            self.found.append(Overlap(user, first, second))
