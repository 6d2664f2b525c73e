"""What a test wants to know afterwards."""

from collections import Counter, defaultdict

import msgspec

KEPT = 1000
"""So many of each kind are kept with their details; the counts go on."""


class BrokenLimit(msgspec.Struct, frozen=True):
    """A request that a careful client does not send: a limit passed, or a shape that no page shows."""

    endpoint: str
    code: int
    text: str


class WentBack(msgspec.Struct, frozen=True):
    """An attribute that was written with a lower version than before. It was applied all the same."""

    user: str
    name: str
    highest: str
    written: str


class Counters(msgspec.Struct):
    """Counts by endpoint or code, since the start or the last reset."""

    calls: Counter[str] = msgspec.field(default_factory=Counter)
    """{endpoint: calls}, whatever became of them."""

    users_per_request: defaultdict[str, Counter[int]] = msgspec.field(
        default_factory=lambda: defaultdict(Counter)
    )
    """{endpoint: {users in a request: requests}}, of requests that could be read."""

    refused: Counter[int] = msgspec.field(default_factory=Counter)
    """{code: answers with it}, those made by faults included."""

    faults: Counter[str] = msgspec.field(default_factory=Counter)
    """{kind: times it struck}."""

    broken_limits: list[BrokenLimit] = msgspec.field(default_factory=list)
    broken_limits_count: int = 0
    went_back: list[WentBack] = msgspec.field(default_factory=list)
    went_back_count: int = 0

    @property
    def user_parts(self) -> dict[str, int]:
        """{endpoint: users named}, a user as often as he was named."""
        return {
            endpoint: sum(users * requests for users, requests in histogram.items())
            for endpoint, histogram in self.users_per_request.items()
        }

    @property
    def users(self) -> int:
        """Users named, over all endpoints."""
        return sum(self.user_parts.values())

    def count_users(self, endpoint: str, users: int) -> None:
        """A request with so many users could be read."""
        self.users_per_request[endpoint][users] += 1

    def add_broken_limit(self, broken: BrokenLimit) -> None:
        """Count it, and keep it if there is room."""
        self.broken_limits_count += 1
        if len(self.broken_limits) < KEPT:
            self.broken_limits.append(broken)

    def add_went_back(self, back: WentBack) -> None:
        """Count it, and keep it if there is room."""
        self.went_back_count += 1
        if len(self.went_back) < KEPT:
            self.went_back.append(back)

    def reset(self) -> None:
        """Start anew; whoever holds this object or one of its lists sees it empty."""
        for each in (self.calls, self.users_per_request, self.refused, self.faults):
            each.clear()
        self.broken_limits.clear()
        self.went_back.clear()
        self.broken_limits_count = self.went_back_count = 0
