"""Whether the whole has failed, and when to look again."""

from typing import Final

from audience_sync.core.changes import Endpoint

FIRST_LOOK_SECONDS: Final = 5.0
LONGEST_LOOK_SECONDS: Final = 60.0
"""A person has to act; a minute after he has, the service goes on by itself."""


class Halt:
    """Stopped because nothing will pass until a person acts. Everything is kept; one request at a time looks.

    reason: what the API said, or None while nothing is stopped. endpoint: the last one that stopped, and the
    attribute names that it stopped for; none: whatever is asked of it.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.endpoint: Endpoint | None = None
        self.names: frozenset[str] = frozenset()
        self.look_at = 0.0
        self.since = 0.0
        """When it stopped (epoch seconds): requests that left since look whether it is over."""
        self.code = 0
        """The code that stopped it."""
        self.wants_others = False
        """Whether only users who were refused alone could look: then reading goes on until others come."""
        self._looks = 0

    def __bool__(self) -> bool:
        return self.reason is not None

    def stop(
        self,
        endpoint: Endpoint,
        reason: str,
        now: float,
        *,
        code: int = 0,
        names: frozenset[str] = frozenset(),
    ) -> None:
        """*endpoint* gave an answer that says so. Asked again after 5 s, then twice that, up to a minute."""
        if self and now < self.look_at:
            return
        self.since = self.since if self else now
        self.reason, self.endpoint, self.names, self.code = reason, endpoint, names, code
        self.look_at = now + min(FIRST_LOOK_SECONDS * 2.0 ** min(self._looks, 10), LONGEST_LOOK_SECONDS)
        self._looks += 1

    def confirmed(self, endpoint: Endpoint, names: frozenset[str] = frozenset(), *, sent_at: float) -> bool:
        """A request that left at *sent_at* passed and spoke of these names. Returns whether that ended the stop.

        One that left before the stop says nothing of it. One to another endpoint has brought its user nearer.
        """
        if sent_at < self.since:
            return False
        if endpoint is not self.endpoint or not self.names <= names:
            self.look_at = min(self.look_at, sent_at)
            return False
        ended = bool(self)
        self.reason = self.endpoint = None
        self.names = frozenset()
        self.wants_others = False
        self._looks = 0
        return ended

    def look_now(self, now: float) -> None:
        """A person may have acted: look at once, and then at short intervals again."""
        self.look_at = min(self.look_at, now)
        self._looks = 0

    def ended_by(self, endpoint: Endpoint, code: int) -> bool:
        """Whether a user's refusal with *code* shows that what stopped this endpoint is over: it is another one."""
        return bool(self) and endpoint is self.endpoint and code != self.code

    def lift(self) -> None:
        """Nobody is left whose request could look, so whoever comes next does; the intervals go on growing."""
        self.reason = None
