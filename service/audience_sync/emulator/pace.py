"""How fast one endpoint is called, and whether that is too fast."""

from collections import deque


class Pace:
    """A bucket of `calls_per_second` permits that fills at that rate, and the busiest second so far.

    Moments are seconds on any clock that never goes back.
    """

    def __init__(self, calls_per_second: float) -> None:
        self._rate = calls_per_second
        self._permits = calls_per_second
        self._filled_at: float | None = None
        self._last_second: deque[float] = deque()
        self.most_in_a_second = 0

    def arrive(self, now: float) -> bool:
        """Count a call, refused or not. Returns whether it is within the rate; then it has used a permit."""
        self._last_second.append(now)
        while self._last_second[0] <= now - 1.0:
            self._last_second.popleft()
        self.most_in_a_second = max(self.most_in_a_second, len(self._last_second))

        passed = now - self._filled_at if self._filled_at is not None else 0.0
        self._filled_at = now
        self._permits = min(self._rate, self._permits + passed * self._rate)
        if self._permits < 1.0:
            return False
        self._permits -= 1.0
        return True

    def forget_the_busiest_second(self) -> None:
        """Count the busiest second anew. The permits stay as they are."""
        self._last_second.clear()
        self.most_in_a_second = 0
