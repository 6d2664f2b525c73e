"""How many requests may start now, an endpoint; slower after a refusal, faster after quiet."""

import math
from collections import deque
from typing import Final

from audience_sync.core.backoff import backoff_seconds

HEADROOM: Final = 0.97
"""Of the limit: what is left over makes good for late timers and for answers that take longer than others."""

CATCH_UP_SECONDS: Final = 0.2
"""A permit taken so late does not move the next one: timers are late, the pace is not. One taken later was not
wanted, and is not saved. Ours: a fifth of a second's calls are no burst, and in a model with pauses of 0.15 s every
other second this costs 4 % of the pace, where 0.1 s costs 8 %."""

SPREAD_SECONDS: Final = 1.0
"""By so much longer than another a call may be on its way to the API. What an answer takes longer than the quickest
one counts as such a delay; all of it, until there were `TRUSTED_ANSWERS`. Ours: a lost packet that is sent again and
the pauses of a busy machine (0.33 s were seen) stay below it, and an API that hangs takes no more than half of the
pace."""

MARGIN_SECONDS: Final = 0.01
"""A second of ours is so much longer than the API's. Ours: for what the quickest answer may hide of its way there."""

TRUSTED_ANSWERS: Final = 10
"""After so many, the quickest shows the way to the API and back, and little else. Ours: the first ones open
connections, and on a busy machine several in a row are late; taken for the way, it hides how late others are."""

LONGEST_REST_SECONDS: Final = 8.0
"""An endpoint that keeps failing is tried this often. Ours: users wait for its whole after the API is back, and a
call in eight seconds is no burden for one that is not."""

SLOWEST: Final = 0.01
SLOWER: Final = 0.7
FASTER: Final = 1.03
"""What the API tolerates of our pace: 0.7 of what it was after a rate-limited answer, 1.03 of it with each second of
quiet. Ours: a refusal takes twelve seconds to make up for, whatever the limit is; so where it is a twentieth of what
we were told, one call in fifty is refused and not one in four. From the slowest it takes two minutes and a half."""

_QUIET_ENOUGH_SECONDS: Final = math.log(1 / SLOWEST, FASTER)
"""After so much quiet all of the pace is tolerated again, whatever was refused before."""


class Call:
    """One call, from its start to its end (epoch seconds). Somewhere between them the API has counted it."""

    __slots__ = ("ended_at", "started_at")

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.ended_at: float | None = None


class Pace:
    """Permits for one endpoint: evenly spaced, as the limit, our share of it and the API's answers allow.

    No second as the API counts it holds more calls than our share of the limit has: if it has *n*, the call after the
    next *n* starts a second after the latest moment at which the first of them can have reached the API.
    """

    def __init__(self, *, calls_per_second: float, most_in_flight: int) -> None:
        self._calls_per_second = calls_per_second
        self._most_in_flight = most_in_flight
        self._in_flight = 0
        self._latest: deque[Call] = deque()
        self._quickest_seconds = math.inf
        self._answers = 0
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
        """The moment of the next permit (epoch seconds, maybe past); None: not before a request has ended.

        It may come earlier once a request has ended.
        """
        if self._in_flight >= self._most_in_flight or self.share <= 0:
            return None
        return max(self._next_at, self._closed_until, self._room_at())

    def start(self, now: float) -> Call:
        """Take the permit, at or after its moment. Whoever takes it tells its end."""
        interval = 1 / self.calls_per_second(now)
        is_late = now - self._next_at <= CATCH_UP_SECONDS
        self._next_at = (self._next_at if is_late else now) + interval
        self._in_flight += 1
        call = Call(now)
        self._latest.append(call)
        while len(self._latest) > self._calls_in_a_second:
            self._latest.popleft()
        return call

    def ended(self, call: Call, now: float) -> None:
        """A request has ended, somehow. To be told at once: until then it counts as on its way."""
        self._in_flight -= 1
        call.ended_at = now

    def confirmed(self, call: Call) -> None:
        """It ended well, as was told before."""
        self._failures = 0
        if call.ended_at is not None:
            self._answers += 1
            self._quickest_seconds = min(self._quickest_seconds, call.ended_at - call.started_at)

    def failed(self, now: float, chance: float) -> None:
        """It ended for another reason than what is in it: the endpoint rests, longer with each failure in a row.

        Requests that were in flight together fail together, and count as one failure.
        """
        if now < self._closed_until:
            return
        self._failures += 1
        self._closed_until = now + backoff_seconds(self._failures, chance, longest=LONGEST_REST_SECONDS)

    def refused_for_its_rate(self, call: Call, now: float) -> None:
        """The API said: too fast. Called besides `failed`.

        A call that started before the pace was last lowered says nothing of the pace since.
        """
        if call.started_at < self._tolerated_at:
            return
        self._tolerated = max(SLOWEST, self._tolerated_now(now) * SLOWER)
        self._tolerated_at = now

    @property
    def _calls_in_a_second(self) -> int:
        """How many a second of the API may hold of ours; if our share is none, one all the same."""
        return max(
            1, math.floor(self._calls_per_second * self.share + 1e-9)
        )  # 29 / 100 of 100 is a little less than 29

    def _room_at(self) -> float:
        """When a second of the API has room for one more."""
        count = self._calls_in_a_second
        if len(self._latest) < count:
            return 0.0
        first = self._latest[-count]
        return first.started_at + 1.0 + MARGIN_SECONDS + self._spread_seconds(first)

    def _spread_seconds(self, call: Call) -> float:
        """How much later than others after their start the API can have counted it."""
        if call.ended_at is None:
            return SPREAD_SECONDS
        way = self._quickest_seconds if self._answers >= TRUSTED_ANSWERS else 0.0
        return min(SPREAD_SECONDS, max(0.0, call.ended_at - call.started_at - way))

    def _tolerated_now(self, now: float) -> float:
        quiet = min(max(0.0, now - self._tolerated_at), _QUIET_ENOUGH_SECONDS)
        return min(1.0, self._tolerated * math.pow(FASTER, quiet))
