"""What was confirmed last of users, and for which events: for people who ask about one of them.

Nothing is decided by it. It forgets nothing when partitions move: it tells what this replica has seen confirmed.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec

from audience_sync.core.changes import Endpoint, Part, UserId
from audience_sync.core.ledger import Mark, Origin


class Confirmed(msgspec.Struct, frozen=True):
    """One part of a request that the Chat API has confirmed.

    at: epoch seconds. origins: in each partition, the first of the events that it was folded from.
    """

    part: Part
    at: float
    origins: tuple[Origin, ...]


class LastConfirmed:
    """For each of so many users the last part that was confirmed, an endpoint each. Each call costs O(1).

    most_users: beyond, whoever was confirmed longest ago is forgotten.
    """

    def __init__(self, *, most_users: int) -> None:
        self._most_users = most_users
        self._users: OrderedDict[UserId, dict[Endpoint, Confirmed]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._users)

    def confirmed(
        self, user_id: UserId, endpoint: Endpoint, part: Part, marks: Sequence[Mark], now: float
    ) -> None:
        """The user's part was confirmed. *marks*: where what he waited for began; none: he only witnessed."""
        if not marks:
            return
        origins = tuple(origin for mark in marks for origin in mark.origins)
        self._users.setdefault(user_id, {})[endpoint] = Confirmed(part, now, origins)
        self._users.move_to_end(user_id)
        if len(self._users) > self._most_users:
            self._users.popitem(last=False)

    def of(self, user_id: UserId) -> Mapping[Endpoint, Confirmed]:
        """What is known of the user; nothing if he was not confirmed here, or that is long ago."""
        return self._users.get(user_id, {})
