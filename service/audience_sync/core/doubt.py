"""Users who were refused while alone in their request: whether they are at fault, or the whole has failed.

One user's refusal is his own only if the endpoint works for others. So it waits until a request to the same
endpoint is confirmed. If instead others are refused alone with the same code, and nobody is confirmed between
them, it is the whole: nobody is given up, and delivery stops.
"""

from typing import Final

import msgspec

from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.verdicts import Refusal

LONE_REFUSALS: Final = 3
"""So many users, refused alone with one code and with no confirmation between, are a failure of the whole. Ours:
two bad users in a row happen on a quiet endpoint; three before anybody good are rare, and cost a short stop."""

ASK_AFTER_SECONDS: Final = 5.0
LONGEST_ASK_SECONDS: Final = 60.0
"""After so long in doubt, a user who was confirmed before is sent again, to see whether the endpoint works; if
there is none, the one in doubt, who may pass by now, and then at growing intervals. Ours."""


LONGEST_DOUBT_SECONDS: Final = 600.0
"""After so long without anybody to compare with, it is taken for his own fault. Ours: fewer than three users in
ten minutes are no stream that could be drained, and a position must not be held for ever."""


class Lone(msgspec.Struct, frozen=True):
    """One user, his part of a request, and why it was refused. Moments are epoch seconds.

    sent_at: when the request left that was refused. since: when it was.
    """

    request: Request
    user_id: UserId
    refusal: Refusal
    sent_at: float
    since: float


class Doubt:
    """Whom nobody knows yet to be at fault, an endpoint each."""

    def __init__(self) -> None:
        self._lone: dict[Endpoint, dict[UserId, Lone]] = {endpoint: {} for endpoint in Endpoint}
        self._asked: dict[Endpoint, int] = dict.fromkeys(Endpoint, 0)
        self._confirmed_at: dict[Endpoint, float] = dict.fromkeys(Endpoint, 0.0)

    def __len__(self) -> int:
        return sum(map(len, self._lone.values()))

    def is_his_own(self, lone: Lone, *, refused_at: float | None) -> bool:
        """Whether others were confirmed since requests with him are refused, or that has lasted for too long.

        *refused_at*: since when they are; None if this is the first.
        """
        since = refused_at or lone.sent_at
        passed = self._confirmed_at[lone.request.endpoint] > since
        return passed or lone.since - since >= LONGEST_DOUBT_SECONDS

    def refused(self, lone: Lone) -> None:
        """A user was refused alone."""
        self._lone[lone.request.endpoint][lone.user_id] = lone

    def looks_like_the_whole(self, endpoint: Endpoint) -> bool:
        """Whether so many were refused alone with one code that only somebody confirmed could speak against it."""
        codes = [lone.refusal.code for lone in self._lone[endpoint].values()]
        return any(codes.count(code) >= LONE_REFUSALS for code in set(codes))

    def confirmed(self, endpoint: Endpoint, now: float) -> list[Lone]:
        """*endpoint* works. Returns who was in doubt, and is at fault."""
        self._confirmed_at[endpoint] = now
        self._asked[endpoint] = 0
        return self.take(endpoint)

    def take(self, endpoint: Endpoint) -> list[Lone]:
        """All in doubt on *endpoint*, who no longer are."""
        taken = list(self._lone[endpoint].values())
        self._lone[endpoint].clear()
        return taken

    def ask_at(self, endpoint: Endpoint) -> float | None:
        """The moment (epoch seconds) from which to ask whether *endpoint* works; None: nobody is in doubt."""
        if not (in_doubt := self._lone[endpoint]):
            return None
        since = min(lone.since for lone in in_doubt.values())
        if self.looks_like_the_whole(endpoint):
            return since
        return since + min(ASK_AFTER_SECONDS * 2.0 ** self._asked[endpoint], LONGEST_ASK_SECONDS)

    def ask_again(self, endpoint: Endpoint) -> Lone:
        """The one who is longest in doubt, to be sent again."""
        self._asked[endpoint] = min(self._asked[endpoint] + 1, 10)
        in_doubt = self._lone[endpoint]
        return in_doubt.pop(min(in_doubt, key=lambda user_id: in_doubt[user_id].since))
