"""Who is online, what waits for whom, and what was delivered.

Pure: everything happens by records that carry their moment, so that a journal of them makes the same state.
A push reaches those who are online at once. For the others it waits in their inboxes until they log in, it
expires, or it is revoked; then it is gone from there.
"""

from collections import Counter, defaultdict, deque
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

        self._waiting: defaultdict[str, dict[str, Pushed]] = defaultdict(
            dict
        )  # {user: {task: push}}, in order
        self._delivered: Counter[str] = Counter()  # {task: users who got it}
        self._undelivered: Counter[str] = Counter()  # {task: users in whose inboxes it is}
        self._live: dict[str, Pushed] = {}  # those that wait for anybody, by task
        self._subscribers: list[Callable[[Delivery], None]] = []

    def subscribe(self, on_delivery: Callable[[Delivery], None]) -> Callable[[], None]:
        """Tell *on_delivery* of each delivery from now on. Returns what ends it."""
        self._subscribers.append(on_delivery)
        return lambda: self._subscribers.remove(on_delivery)

    def is_online(self, user: str) -> bool:
        """Whether the user is logged in."""
        return user in self.online

    def counts(self, task_id: str, now: float) -> tuple[int, int]:
        """How many users got a push, and for how many it waits."""
        pushed = self._live.get(task_id)
        waits = pushed is not None and not _is_over(pushed, now)
        return self._delivered[task_id], self._undelivered[task_id] if waits else 0

    def waiting(self, user: str, now: float) -> list[Pushed]:
        """What *user* would get if he logged in now, in the order it was sent."""
        return [pushed for pushed in self._waiting.get(user, {}).values() if not _is_over(pushed, now)]

    def log_in(self, user: str, now: float) -> list[Delivery]:
        """The user is online, and gets what waits for him."""
        self.online.add(user)
        waiting = self.waiting(user, now)
        self._empty(user)
        self._delivered.update(pushed.task_id for pushed in waiting)
        return [self._deliver(user, pushed, now, How.OFFLINE) for pushed in waiting]

    def log_out(self, user: str) -> None:
        """The user is offline."""
        self.online.discard(user)

    def forget(self, users: list[str]) -> None:
        """The accounts of *users* are deleted."""
        self.online.difference_update(users)
        for user in users:
            self._empty(user)

    def apply(self, record: Pushed | Revoked | LogIn | LogOut | Forgotten) -> list[Delivery]:
        """Do what happened. Returns what it delivered."""
        match record:
            case Pushed():
                return self._push(record)
            case Revoked(task_id):
                if (pushed := self._live.pop(task_id, None)) is not None:
                    self._take_out(pushed)
            case LogIn(user, at):
                return self.log_in(user, at)
            case LogOut(user):
                self.log_out(user)
            case Forgotten(users):
                self.forget(users)
        return []

    def _push(self, pushed: Pushed) -> list[Delivery]:
        self._drop_expired(pushed.at)
        if pushed.expires is not None:
            online = set(pushed.delivered)
            self._live[pushed.task_id] = pushed
            for user in pushed.to:
                if user not in online:
                    self._waiting[user][pushed.task_id] = pushed
            self._undelivered[pushed.task_id] = len(pushed.to) - len(online)
        self._delivered[pushed.task_id] = len(pushed.delivered)
        return [self._deliver(user, pushed, pushed.at, How.ONLINE) for user in pushed.delivered]

    def _deliver(self, user: str, pushed: Pushed, at: float, how: How) -> Delivery:
        self.count += 1
        delivery = Delivery(
            number=self.count,
            user=user,
            task_id=pushed.task_id,
            sender=pushed.sender,
            body=pushed.body,
            at=at,
            how=how,
        )
        self.deliveries.append(delivery)
        for tell in tuple(self._subscribers):  # one of them may end its subscription
            tell(delivery)
        return delivery

    def _empty(self, user: str) -> None:
        self._undelivered.subtract(self._waiting.pop(user, {}).keys())

    def _drop_expired(self, now: float) -> None:
        """Keep no more than what may still be delivered. Once a push, so that a log-in need not."""
        for pushed in [each for each in self._live.values() if _is_over(each, now)]:
            del self._live[pushed.task_id]
            self._take_out(pushed)

    def _take_out(self, pushed: Pushed) -> None:
        del self._undelivered[pushed.task_id]
        for user in pushed.to:
            if (inbox := self._waiting.get(user)) is not None:
                inbox.pop(pushed.task_id, None)
                if not inbox:
                    del self._waiting[user]


def _is_over(pushed: Pushed, now: float) -> bool:
    return pushed.expires is not None and now >= pushed.expires
