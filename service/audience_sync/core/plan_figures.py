"""What a plan comes to: changes, requests, calls that were saved, limits that would be broken, dead letters."""

import math
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

import msgspec

from audience_sync.core.changes import AddTag, Change, Endpoint, RemoveAllTags, RemoveTag, Request, UserId
from audience_sync.core.event import Cause, Ignored, Translated, TranslatedMany, Unusable
from audience_sync.core.limits import TAGS_PER_USER
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.planner import Arrival, calls_alone
from audience_sync.core.user_state import Round

EXAMPLES: Final = 3
"""So many of each cause are kept: one to see it, and two to see whether they are alike."""

MOST_USERS_WITH_TAGS: Final = 200_000
"""Of so many users the tags are counted. Ours: the memory of a large plan stays below a gigabyte."""


class Lost(msgspec.Struct, frozen=True):
    """A record that would go to the dead letters: where it stands, and why."""

    partition: PartitionKey
    position: int
    info: str


class Calls(msgspec.Struct):
    """What would go to one endpoint. *fastest*: the most calls in any second."""

    calls: int = 0
    users: int = 0
    fastest: int = 0


class Sent(msgspec.Struct, frozen=True):
    """A request that would leave, and when (epoch seconds)."""

    at: float
    request: Request


class Figures:
    """Counts what a planner does. *shown*: so many of the first changes and requests are kept as they are."""

    def __init__(self, *, shown: int = 0) -> None:
        self._shown = shown
        self._in_a_second: dict[Endpoint, deque[float]] = {endpoint: deque() for endpoint in Endpoint}
        self._tags: dict[UserId, set[str]] = {}
        self.first_at = math.inf
        """When the first record came (epoch seconds)."""
        self.last_at = 0.0
        """When the last one came."""
        self.records = 0
        self.translated = 0
        self.foreign_keys = 0
        """Records that are keyed by something else than their user."""
        self.ignored: Counter[str] = Counter()
        self.unusable: Counter[Cause] = Counter()
        self.examples: dict[Cause, list[Lost]] = {}
        self.changes: Counter[type[Change]] = Counter()
        self.skipped = 0
        """Changes that would not be sent, as they repeat what was confirmed."""
        self.calls = {endpoint: Calls() for endpoint in Endpoint}
        self.one_by_one = 0
        """Calls that the events would take, each sent by itself."""
        self.delays = array("d")
        """Of each round, from the user's first unsent event to the confirmation, in seconds."""
        self.first_changes: list[Arrival] = []
        self.first_requests: list[Sent] = []
        self.users_with_too_many_tags: set[UserId] = set()
        """Who would carry more tags than the API stores, by these events alone."""
        self.stops: list[tuple[float, str]] = []
        """When the service would have stopped reading (epoch seconds), and why."""

    @property
    def planned(self) -> int:
        """Calls that would be made."""
        return sum(each.calls for each in self.calls.values())

    def arrived(self, arrival: Arrival) -> None:
        """A record was read."""
        self.first_at = min(self.first_at, arrival.at)
        self.last_at = arrival.at
        self.records += 1
        self.foreign_keys += arrival.foreign_key
        came = arrival.came
        if isinstance(came, Translated | TranslatedMany):
            self.translated += 1
            for part in came.parts:
                self.changes.update(type(change) for change in part.changes)
                self.one_by_one += calls_alone(part.changes)
                self._carry(part)
            if len(self.first_changes) < self._shown:
                self.first_changes.append(arrival)
        elif isinstance(came, Unusable):
            self.unusable[came.cause] += 1
            examples = self.examples.setdefault(came.cause, [])
            if len(examples) < EXAMPLES:
                examples.append(Lost(arrival.partition, arrival.position, came.info))
        elif isinstance(came, Ignored):
            self.ignored[came.reason] += 1

    def cut(self, request: Request, *, at: float, ready: int) -> None:  # noqa: ARG002 - a watch is told it
        """A request would leave."""
        calls, second = self.calls[request.endpoint], self._in_a_second[request.endpoint]
        second.append(at)
        while second[0] <= at - 1.0:
            second.popleft()
        calls.calls += 1
        calls.users += len(request.parts)
        calls.fastest = max(calls.fastest, len(second))
        if len(self.first_requests) < self._shown:
            self.first_requests.append(Sent(at, request))

    def repeats_skipped(self, changes: int) -> None:
        """So many changes would not be sent."""
        self.skipped += changes

    def settled(self, ended: Round, *, at: float) -> None:
        """A user's round would be confirmed."""
        self.delays.append(at - ended.first_at)

    def too_many_dead_letters(self, reason: str, *, at: float) -> None:
        """The service would stop reading."""
        self.stops.append((at, reason))

    def delay_at(self, *parts: float) -> Iterator[float]:
        """For each of *parts* (0.99: of a hundred) the delay in seconds that so large a part stays within."""
        delays = sorted(self.delays)
        for part in parts:
            yield delays[min(len(delays) - 1, math.ceil(part * len(delays)) - 1)] if delays else 0.0

    def _carry(self, came: Translated) -> None:
        for change in came.changes:
            match change:
                case AddTag(tag):
                    if came.user in self._tags or len(self._tags) < MOST_USERS_WITH_TAGS:
                        self._tags.setdefault(came.user, set()).add(tag)
                        if len(self._tags[came.user]) > TAGS_PER_USER:
                            self.users_with_too_many_tags.add(came.user)
                case RemoveTag(tag) if came.user in self._tags:
                    self._tags[came.user].discard(tag)
                case RemoveAllTags():
                    self._tags.pop(came.user, None)
                case _:
                    pass
