"""How many requests may start now, an endpoint; slower after a refusal, faster after quiet."""

from collections.abc import Iterable
from typing import Final

from audience_sync.core.backoff import backoff_seconds

HEADROOM: Final = 0.97
"""Of the limit: what the API counts as a second is not exactly ours."""

CATCH_UP_SECONDS: Final = 0.02
"""A permit taken late does not move the next one by more than this: timers are late, the pace is not. So in any
second at most (1 + 0.02) x 0.97 of the limit start, which stays below it."""

SLOWEST: Final = 0.05
SLOWER: Final = 0.7
FASTER_PER_SECOND: Final = 0.02
"""What the API tolerates of our pace: 0.7 of it after a rate-limited answer, 0.02 more with each second of quiet."""


def share_of(own: Iterable[int], *, partitions: int, calls_per_second: float) -> float:
    """The part of the limit that belongs to who owns the partitions *own*, of so many counted from 0.

    The limit's whole calls are dealt out to partitions, one by one, and shares add up to whole calls: even in a
    second in which each replica makes the most that it may, all of them together keep the limit. Who would
    have no call at all has his fraction of one; then the limit may be passed by a call.
    """
    numbers = [number for number in own if number < partitions]
    whole = int(calls_per_second)
    calls = sum((number + 1) * whole // partitions - number * whole // partitions for number in numbers)
    return calls / calls_per_second if calls else len(numbers) / max(partitions, 1)


class Pace:
    """Permits for one endpoint: evenly spaced, as the limit, our share of it and the API's answers allow."""

    def __init__(self, *, calls_per_second: float, most_in_flight: int) -> None:
        self._calls_per_second = calls_per_second
        self._most_in_flight = most_in_flight
        self._in_flight = 0
        self._next_at = 0.0
        self._closed_until = 0.0
        self._failures = 0
        self._tolerated = 1.0
        self._tolerated_at = 0.0
        self.share = 1.0
        """The part of the limit that is this replica's: its partitions ÷ all of them."""

    @property
    def in_flight(self) -> int:
        """Requests that have started and not ended."""
        return self._in_flight

    def calls_per_second(self, now: float) -> float:
        """The pace at *now* (epoch seconds)."""
        return HEADROOM * self._calls_per_second * self.share * self._tolerated_now(now)

    def permit_at(self) -> float | None:
        """The moment of the next permit (epoch seconds, maybe past); None: not before a request has ended."""
        if self._in_flight >= self._most_in_flight or self.share <= 0:
            return None
        return max(self._next_at, self._closed_until)

    def start(self, now: float) -> None:
        """Take the permit, at or after its moment."""
        interval = 1 / self.calls_per_second(now)
        self._next_at = max(self._next_at, now - CATCH_UP_SECONDS) + interval
        self._in_flight += 1

    def confirmed(self) -> None:
        """A request ended well."""
        self._in_flight -= 1
        self._failures = 0

    def refused(self) -> None:
        """A request was refused for what is in it, which says nothing of the endpoint."""
        self._in_flight -= 1

    def untried(self) -> None:
        """The permit was taken, and no call was made."""
        self._in_flight -= 1

    def failed(self, now: float, chance: float) -> None:
        """A request ended otherwise: the endpoint rests, longer with each failure in a row.

        Requests that were in flight together fail together, and count as one failure.
        """
        self._in_flight -= 1
        if now < self._closed_until:
            return
        self._failures += 1
        self._closed_until = now + backoff_seconds(self._failures, chance)

    def refused_for_its_rate(self, now: float) -> None:
        """The API said: too fast. Called besides `failed`."""
        self._tolerated = max(SLOWEST, self._tolerated_now(now) * SLOWER)
        self._tolerated_at = now

    def _tolerated_now(self, now: float) -> float:
        quiet = max(0.0, now - self._tolerated_at)
        return min(1.0, self._tolerated + FASTER_PER_SECOND * quiet)
