"""Who is online, what waits for whom, and what was delivered.

Pure: everything happens by records that carry their moment, so that a journal of them makes the same state.
A push reaches those who are online at once. For the others it waits in their inboxes until they log in, it
expires, or it is revoked; then it is gone from there.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from audience_sync.emulator.pushing import Pushed, Revoked

KEPT: Final = 10_000
"""So many deliveries can be looked at afterwards; their numbers go on."""


class How(StrEnum):
    """Whether a user was online when the push was sent."""

    ONLINE = "online"
    OFFLINE = "offline"


class LogIn(msgspec.Struct, frozen=True, tag="log_in"):
    """A user came online."""

    user: str
    at: float


class LogOut(msgspec.Struct, frozen=True, tag="log_out"):
    """A user went offline."""

    user: str
    at: float


class Forgotten(msgspec.Struct, frozen=True, tag="forgotten"):
    """Users whose accounts are deleted: they are offline, and nothing waits for them."""

    users: list[str]
    at: float


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One push as one user got it. Numbers begin at 1 and have no gaps."""

    number: int
    user: str
    task_id: str
    sender: str
    body: list[object]
    at: float
    how: How


class Inboxes:
    """The inboxes of one app. Not safe to share between threads."""

    def __init__(self) -> None:
        self.online: set[str] = set()
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        """The last ones, oldest first."""

        self.count = 0
        """Deliveries so far: the number of the last one."""

        self._waiting: defaultdict[str, dict[str, Pushed]] = defaultdict(dict)
        self._expiring: dict[str, Pushed] = {}
        self._subscribers: list[Callable[[Delivery], None]] = []

    def subscribe(self, on_delivery: Callable[[Delivery], None]) -> Callable[[], None]:
        """Tell *on_delivery* of each delivery from now on. Returns what ends it."""
        self._subscribers.append(on_delivery)
        return lambda: self._subscribers.remove(on_delivery)

    def waiting(self, user: str, now: float) -> list[Pushed]:
        """What would be delivered if *user* logged in now, in the order it was sent."""
        raise NotImplementedError

    def log_in(self, user: str, now: float) -> list[Delivery]:
        """The user is online, and gets what waits for him."""
        raise NotImplementedError

    def log_out(self, user: str) -> None:
        """The user is offline."""
        self.online.discard(user)

    def forget(self, users: list[str]) -> None:
        """Accounts that are deleted."""
        raise NotImplementedError

    def apply(self, record: Pushed | Revoked | LogIn | LogOut | Forgotten) -> list[Delivery]:
        """Do what happened. Returns what it delivered."""
        raise NotImplementedError
