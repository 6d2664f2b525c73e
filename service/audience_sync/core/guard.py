"""Whether so much goes to the dead letters that something on the whole must be wrong.

A rule that no longer fits its events, or a new format, would drain a stream into the dead letters as fast as it
is read. So only so many go there in a minute; then reading stops, and one at a time is let through at growing
intervals, until what is read is sound again.
"""

from typing import Final

MINUTE_SECONDS: Final = 60.0

FIRST_LOOK_SECONDS: Final = 5.0
LONGEST_LOOK_SECONDS: Final = 60.0

SOUND_EVENTS: Final = 100
"""So many events in a row that can be used, or that long a quiet minute, and the guard is open again. Ours."""


class Guard:
    """Lets dead letters through, up to a number a minute. Moments are epoch seconds, and never go back."""

    def __init__(self, *, most_per_minute: int) -> None:
        self._most = most_per_minute
        self._left = float(most_per_minute)
        self._filled_at: float | None = None
        self._look_at: float | None = None
        self._looks = 0
        self._sound = 0

    @property
    def closed(self) -> bool:
        """Whether reading stops because of it."""
        return self._look_at is not None

    @property
    def reason(self) -> str | None:
        """Why the service is not doing its work, or None."""
        return f"more than {self._most} dead letters a minute: see their causes" if self.closed else None

    def may_bury(self, now: float) -> bool:
        """Whether a dead letter may be written now; then it counts. Who must not, keeps what he has."""
        self._fill(now)
        self._sound = 0
        if self._look_at is None and self._left >= 1.0:
            self._left -= 1.0
            return True
        if self._look_at is not None and now < self._look_at:
            return False
        letting_one_through = self._look_at is not None
        self._look_at = now + min(FIRST_LOOK_SECONDS * 2.0**self._looks, LONGEST_LOOK_SECONDS)
        self._looks = min(self._looks + 1, 10)
        return letting_one_through

    def may_read(self, now: float) -> bool:
        """Whether to read on: always while open; while closed from the moment of the next look."""
        return self._look_at is None or now >= self._look_at

    def sound(self) -> None:
        """An event could be used."""
        if self._look_at is not None:
            self._sound += 1
            if self._sound >= SOUND_EVENTS:
                self._open()

    def _fill(self, now: float) -> None:
        passed = 0.0 if self._filled_at is None else now - self._filled_at
        self._filled_at = now
        self._left = min(float(self._most), self._left + passed * self._most / MINUTE_SECONDS)
        if self._look_at is not None and passed >= MINUTE_SECONDS and now >= self._look_at + MINUTE_SECONDS:
            self._open()

    def _open(self) -> None:
        self._look_at, self._looks, self._sound = None, 0, 0
