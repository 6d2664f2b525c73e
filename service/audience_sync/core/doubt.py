"""Users who were refused while alone in their request: whether they are at fault, or the whole has failed.

One user's refusal is his own only if the endpoint works for others. So he waits until a request to the same
endpoint is confirmed that speaks of the same attribute names (one name may not be defined while another is),
and is sent once more; refused again, he is at fault. If instead others are refused alone with the same code,
and nobody is confirmed between them, it is the whole: nobody is given up, and delivery stops.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from audience_sync.core.changes import ABOUT_TAGS, Endpoint, Request, UserId, names_in
from audience_sync.core.user_state import Refused
from audience_sync.core.verdicts import Refusal

LONE_REFUSALS: Final = 3
"""So many users, refused alone with one code and with no confirmation between, are a failure of the whole. Ours:
two bad users in a row happen on a quiet endpoint; three before anybody good are rare, and cost a short stop."""

ASK_AFTER_SECONDS: Final = 5.0
LONGEST_ASK_SECONDS: Final = 60.0
"""After so long in doubt, a user who was confirmed before is sent again, to see whether the endpoint works; if
there is none, the one in doubt, who may pass by now, and then at growing intervals. Ours."""


LONGEST_DOUBT_SECONDS: Final = 600.0
"""After so long with nobody to compare with, a refusal is taken for his own fault. Ours: fewer than three users in
ten minutes are no stream that could be drained, and a position must not be held for ever."""


class Lone(msgspec.Struct, frozen=True):
    """One user, his part of a request, and why it was refused. Moments are epoch seconds.

    since: when the answer came. code_since: since when requests with him are refused with this code.
    """

    request: Request
    user_id: UserId
    refusal: Refusal
    since: float
    code_since: float

    @property
    def names(self) -> frozenset[str]:
        """The attribute names that it is about."""
        return names_in(self.request.endpoint, self.request.parts[self.user_id])


class Doubt:
    """Whom nobody knows yet to be at fault, an endpoint each."""

    def __init__(self) -> None:
        self._lone: dict[Endpoint, dict[UserId, Lone]] = {endpoint: {} for endpoint in Endpoint}
        self._asked: dict[Endpoint, int] = dict.fromkeys(Endpoint, 0)
        self._works_at: dict[tuple[Endpoint, str], float] = {}
        self.asking: dict[Endpoint, Request] = {}
        """The request of a witness that is under way: its answer is waited for."""

    def __len__(self) -> int:
        return sum(map(len, self._lone.values()))

    def proven(self, request: Request, refused: Mapping[UserId, Refused]) -> dict[UserId, int]:
        """Those of *request*, which leaves now, who will be at fault if they are refused with this code.

        Others were confirmed since requests with them are refused with it, so the endpoint works; a failure of
        the whole that they met is over.

        refused: {user: since when requests with him are refused}, of those with whom they are.
        """
        endpoint = request.endpoint
        return {
            user_id: since.code
            for user_id, since in refused.items()
            if self._works_at_for(endpoint, names_in(endpoint, request.parts[user_id])) >= since.code_since
        }

    def passed_since(self, lone: Lone) -> bool:
        """Whether others were confirmed since he is refused: then it is worth sending him again at once."""
        return not self._unconfirmed(lone)

    def refused(self, lone: Lone) -> None:
        """A user was refused alone."""
        self._lone[lone.request.endpoint][lone.user_id] = lone

    def failing(self, endpoint: Endpoint) -> frozenset[str] | None:
        """What of *endpoint* may have failed as a whole: one attribute name, or none: all of it. None: nothing.

        So many were refused alone for it, with one code, that only somebody confirmed could speak against it.
        """
        counts = Counter(
            (lone.refusal.code, name)
            for lone in self._lone[endpoint].values()
            for name in self._unconfirmed(lone)
        )
        for (_, name), count in counts.items():
            if count >= LONE_REFUSALS:
                return frozenset({name} - ABOUT_TAGS)
        return None

    def confirmed(self, endpoint: Endpoint, names: frozenset[str], sent_at: float) -> list[Lone]:
        """A request with these attribute names is confirmed that left at *sent_at* (epoch seconds): *endpoint* works.

        Returns who was in doubt, and is worth sending again at once. He may have met a failure of the whole that
        is over; if he is refused once more, it is his fault. The moment when the request left is what counts, for
        it may have been judged then, and a failure may have begun before the answer came.
        """
        for name in names or ABOUT_TAGS:
            self._works_at[endpoint, name] = max(sent_at, self._works_at.get((endpoint, name), 0.0))
        if not (in_doubt := self._lone[endpoint]):
            return []
        again = [lone for lone in in_doubt.values() if not self._unconfirmed(lone)]
        for lone in again:
            del in_doubt[lone.user_id]
        self._asked[endpoint] = 0
        return again

    def take(self, endpoint: Endpoint) -> list[Lone]:
        """All in doubt on *endpoint*, who no longer are."""
        taken = list(self._lone[endpoint].values())
        self._lone[endpoint].clear()
        return taken

    def ask(self, endpoint: Endpoint) -> tuple[float, frozenset[str]] | None:
        """From when on (epoch seconds) to ask whether *endpoint* works, and for which attribute names.

        None: nobody is in doubt.
        """
        if not (in_doubt := self._lone[endpoint]):
            return None
        oldest = min(in_doubt.values(), key=lambda lone: lone.since)
        if (failing := self.failing(endpoint)) is not None:
            return oldest.since, failing
        wait = min(ASK_AFTER_SECONDS * 2.0 ** self._asked[endpoint], LONGEST_ASK_SECONDS)
        return oldest.since + wait, frozenset(self._unconfirmed(oldest)) - ABOUT_TAGS

    def ask_again(self, endpoint: Endpoint) -> Lone:
        """The one who is longest in doubt, to be sent again."""
        self._asked[endpoint] = min(self._asked[endpoint] + 1, 10)
        in_doubt = self._lone[endpoint]
        return in_doubt.pop(min(in_doubt, key=lambda user_id: in_doubt[user_id].since))

    def _unconfirmed(self, lone: Lone) -> list[str]:
        """What of *lone* nobody was confirmed for since he is refused: attribute names, or "" for tags."""
        endpoint = lone.request.endpoint
        return [
            name
            for name in lone.names or ABOUT_TAGS
            if self._works_at.get((endpoint, name), 0.0) < lone.code_since
        ]

    def _works_at_for(self, endpoint: Endpoint, names: frozenset[str]) -> float:
        """Until when at least *endpoint* works for all of these attribute names."""
        return min(self._works_at.get((endpoint, name), 0.0) for name in names or ABOUT_TAGS)
