"""How many a second: totals, looked at once a second, for as long as a minute."""

from collections import deque
from collections.abc import Mapping
from typing import Final

SHORT_SECONDS: Final = 10.0
LONG_SECONDS: Final = 60.0


class Rates:
    """Keeps the totals of the last minute. Moments are epoch seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def see(self, totals: Mapping[str, int], now: float) -> None:
        """These are the totals now."""
        self._seen.append((now, totals))
        while self._seen[0][0] < now - LONG_SECONDS:
            self._seen.popleft()

    def per_second(self, seconds: float) -> dict[str, float]:
        """{name: how many a second} in the last *seconds*, or since there is something to compare with."""
        if len(self._seen) < 2:
            return {}
        last_at, last = self._seen[-1]
        at, first = next(each for each in self._seen if each[0] >= last_at - seconds)
        if last_at <= at:
            return {}
        return {name: round((total - first.get(name, 0)) / (last_at - at), 3) for name, total in last.items()}
