"""What an ideal sender would send: the yardstick for how well the service folds. It shares no code with the service.

The ideal sender knows the same debounce and keeps the same limits, and nothing is in its way:

- It has an event at the event's own moment, and an answer at the moment of the call. It never makes a mistake.
- A user is ready after the quiet time without an event, or when the first event that he waits for is as old as the
  longest wait. Then he stands in line for the first of his calls, and what arrives until it is made is folded in.
- A user's words on his attributes and tags leave in up to three kinds of call, in this order: tags removed, tags
  added, attributes set. One call at a time carries a user, at most ten of his tags, and at most 100 users.
- What is cut leaves together. A word that arrives before the last of it is gone takes the place of an older one on
  the same name that has not left; any other word waits as if it were the user's first.
- A call is made when the pace allows the next one (calls are evenly spaced, each kind for itself) and either 100
  users stand in line or the first of them has stood there for the fill time.

So every part that a sender makes beyond this comes from what it does late or twice, and not from the debounce.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from heapq import heappop, heappush
from math import inf
from typing import Final, NamedTuple

USERS_A_CALL: Final = 100
TAGS_A_PART: Final = 10

Word = str | bool
"""An attribute's value, or whether the user carries the tag."""


class Happening(NamedTuple):
    """An event: its moment (seconds), its user, and {attribute: value, tag: whether he carries it from now on}."""

    at: float
    user: str
    words: Mapping[str, Word]


class Debounce(NamedTuple):
    """How long is waited, in seconds, and how many calls of each kind are made in one."""

    quiet_seconds: float
    longest_wait_seconds: float
    fill_seconds: float
    calls_per_second: float


class Kind(IntEnum):
    """The kinds of call, in the order in which a user's words leave."""

    REMOVE_TAGS = 0
    ADD_TAGS = 1
    SET_ATTRIBUTES = 2


class Sent(NamedTuple):
    """What left by calls of one kind."""

    calls: int
    parts: int
    """Users in them, each as often as a call named him."""


class _User:
    """waiting: since when, and until when it was last changed; leaving: what was cut and has not left."""

    __slots__ = ("first_at", "last_at", "leaving", "stands", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[str, Word] = {}
        self.leaving: dict[str, Word] = {}
        self.first_at = self.last_at = 0.0
        self.stands: Kind | None = None


class Ideal:
    """The ideal sender. All moments are seconds on the events' own axis."""

    def __init__(self, debounce: Debounce) -> None:
        self._debounce = debounce
        self._users: dict[str, _User] = {}
        self._moments: list[tuple[float, str]] = []
        self._lines: dict[Kind, dict[str, float]] = {kind: {} for kind in Kind}
        self._next_call_at = dict.fromkeys(Kind, -inf)
        self._calls = dict.fromkeys(Kind, 0)
        self._parts = dict.fromkeys(Kind, 0)

    def sent(self, events: Iterable[Happening]) -> dict[Kind, Sent]:
        """Live through the events, the oldest first, to the end of what they cause."""
        for event in events:
            self._live_until(event.at)
            self._arrive(event)
        self._live_until(inf)
        return {kind: Sent(self._calls[kind], self._parts[kind]) for kind in Kind}

    def _live_until(self, end: float) -> None:
        """What happens before *end*: at one moment users become ready first, and then calls are made."""
        while True:
            ready_at = self._moments[0][0] if self._moments else inf
            call_at, kind = min((self._call_at(kind), kind) for kind in Kind)
            if min(ready_at, call_at) >= end:
                return
            if ready_at <= call_at:
                self._become_ready(*heappop(self._moments))
            else:
                self._call(kind, call_at)

    def _arrive(self, event: Happening) -> None:
        user = self._users.setdefault(event.user, _User())
        later: dict[str, Word] = {}
        for name, word in event.words.items():
            (user.leaving if name in user.leaving else later)[name] = word
        if later:
            if not user.waiting:
                user.first_at = event.at
            user.last_at = event.at
            user.waiting.update(later)
        self._stand(event.user, user, event.at)

    def _stand(self, name: str, user: _User, now: float) -> None:
        """See that the user stands in the right line with the age he has, or is looked at when he may be ready."""
        if user.stands is not None:
            kind = _first_kind(user.leaving or user.waiting)
            if kind is not user.stands:
                self._lines[kind][name] = self._lines[user.stands].pop(name)
                user.stands = kind
        elif user.waiting:
            heappush(self._moments, (max(now, self._ready_at(user)), name))

    def _ready_at(self, user: _User) -> float:
        times = self._debounce
        return min(user.last_at + times.quiet_seconds, user.first_at + times.longest_wait_seconds)

    def _become_ready(self, now: float, name: str) -> None:
        user = self._users[name]
        if user.stands is None and user.waiting and self._ready_at(user) <= now:
            user.stands = _first_kind(user.waiting)
            self._lines[user.stands][name] = now

    def _call_at(self, kind: Kind) -> float:
        line = self._lines[kind]
        if not line:
            return inf
        worth = next(iter(line.values()))
        return max(
            self._next_call_at[kind],
            worth if len(line) >= USERS_A_CALL else worth + self._debounce.fill_seconds,
        )

    def _call(self, kind: Kind, now: float) -> None:
        line = self._lines[kind]
        names = [name for name, _ in zip(line, range(USERS_A_CALL), strict=False)]
        for name in names:
            del line[name]
            user = self._users[name]
            user.stands = None
            if not user.leaving:
                user.leaving, user.waiting = user.waiting, {}
            for word in _part(kind, user.leaving):
                del user.leaving[word]
            if user.leaving:
                user.stands = _first_kind(user.leaving)
                self._lines[user.stands][name] = now
            else:
                self._stand(name, user, now)
        self._calls[kind] += 1
        self._parts[kind] += len(names)
        self._next_call_at[kind] = now + 1 / self._debounce.calls_per_second


def _kind(word: Word) -> Kind:
    if isinstance(word, str):
        return Kind.SET_ATTRIBUTES
    return Kind.ADD_TAGS if word else Kind.REMOVE_TAGS


def _first_kind(words: Mapping[str, Word]) -> Kind:
    return min(map(_kind, words.values()))


def _part(kind: Kind, words: Mapping[str, Word]) -> list[str]:
    """The names of what one call of this kind carries of these words."""
    names = [name for name, word in words.items() if _kind(word) is kind]
    return names if kind is Kind.SET_ATTRIBUTES else names[:TAGS_A_PART]
