"""One app's pushes: when one may be sent, whom it is for, which it repeats, and taking it back.

Pure: moments are arguments, in unix seconds. `ask` and `revoke` decide and alter nothing; `apply` and
`apply_revoked` alter and decide nothing, so that a journal of what they were given makes the same state.

What no page says: a push that repeats the MsgRandom of another is a repetition whatever else it says, in either
family; it is looked at first, so it is never too soon and uses no quota. Refused pushes count for nothing.
Only pushes of the successor can be revoked.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import takewhile
from typing import Final
from zlib import crc32

import msgspec

from audience_sync.emulator.condition import Condition, matcher
from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.push_reading import PushRequest
from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Repeated, Switches

SPACING_SECONDS: Final = 1.0
"""Documented: more than this between two pushes of an app."""

REVOKE_SPACING_SECONDS: Final = 1.0
"""Documented: one revocation a second."""

REVOCABLE_SECONDS: Final = 86_400.0
"""Documented: 24 hours from the push."""

REVOCABLE_FAMILY: Final = "timpush"

DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3_600


class Person(msgspec.Struct):
    """A user as a push sees him."""

    user: str
    attributes: Mapping[str, str]
    tags: Collection[str]
    online: bool


class Pushed(msgspec.Struct, frozen=True, kw_only=True, tag="push"):
    """A push that was taken: whom it is for was settled in that moment."""

    task_id: str
    family: str
    condition: Condition
    random: int
    sender: str
    body: list[object]
    offline: object | None
    at: float
    expires: float | None
    """From this moment on nobody gets it any more; None: it never waits."""

    to: list[str]
    """Whom the condition matched."""

    delivered: list[str]
    """Those of them who were online."""

    @property
    def online_only(self) -> bool:
        """Whether it waits for nobody."""
        return self.expires is None


class Revoked(msgspec.Struct, frozen=True, tag="revoke"):
    """A push that was taken back."""

    task_id: str
    at: float


class Pushing:
    """The pushes of one app. Not safe to share between threads."""

    def __init__(self, *, app_id: int, switches: Switches, pushes_per_day: int) -> None:
        self.switches = switches
        """May be replaced at any time."""

        self.sent: list[Pushed] = []
        """In the order they were taken."""

        self.revoked: dict[str, Revoked] = {}
        """{task: its revocation}, in order."""

        self._app_id = app_id
        self._pushes_per_day = pushes_per_day
        self._by_random: dict[int, Pushed] = {}
        self._by_task: dict[str, Pushed] = {}

    def ask(
        self,
        request: PushRequest,
        *,
        admin: str,
        people: Iterable[Person],
        names: Collection[str],
        now: float,
    ) -> Pushed | str:
        """The push to apply, or the TaskId of the one it repeats. Raises RefusedError.

        *names* are the attributes that are defined; *people* is everybody who can get a push, each once.
        """
        if (first := self._repeats(request.random, now)) is not None:
            if self.switches.repeated is Repeated.REFUSED:
                raise _refused(PushCode.BAD_RANDOM, f"MsgRandom {request.random} was used at {first.at}")
            return first.task_id
        self._demand_names(request.condition.names, names)
        self._demand_pace(now)
        is_for = matcher(request.condition, self.switches.combined)
        matched = [person for person in people if is_for(person.attributes, person.tags)]
        sender = admin if request.sender is None else request.sender
        return Pushed(
            task_id=self._task_id(sender, request.random, now),
            family=request.family,
            condition=request.condition,
            random=request.random,
            sender=sender,
            body=request.body,
            offline=request.offline,
            at=now,
            expires=None if request.online_only else now + request.life_seconds,
            to=[person.user for person in matched],
            delivered=[person.user for person in matched if person.online],
        )

    def apply(self, pushed: Pushed) -> None:
        """Remember a push that was taken."""
        self.sent.append(pushed)
        self._by_random[pushed.random] = pushed
        self._by_task[pushed.task_id] = pushed

    def revoke(self, task_id: str, *, has_offline: bool, now: float) -> Revoked:
        """The revocation to apply. Raises RefusedError."""
        before = next(reversed(self.revoked.values()), None)
        if before is not None and now - before.at < REVOKE_SPACING_SECONDS:
            raise _refused(PushCode.REVOKED_TOO_SOON, f"the last revocation was {now - before.at:.3f} s ago")
        pushed = self._by_task.get(task_id)
        if pushed is None or pushed.family != REVOCABLE_FAMILY:
            text = f"TaskId {task_id!r} is of no push of {REVOCABLE_FAMILY}"
            raise _refused(PushCode.TASK_UNKNOWN, text, Cause.STATE)
        if self.is_revoked(task_id):
            raise _refused(PushCode.REVOKED_BEFORE, f"{task_id} is revoked already", Cause.STATE)
        if now - pushed.at > REVOCABLE_SECONDS:
            raise _refused(PushCode.REVOKED_TOO_LATE, f"{task_id} is more than 24 hours old", Cause.STATE)
        if pushed.online_only and not has_offline:
            text = f"{task_id} was for those online: only with OfflinePushInfo is there something to revoke"
            raise _refused(PushCode.REVOKED_WITHOUT_OFFLINE_PUSH, text, Cause.STATE)
        return Revoked(task_id, now)

    def apply_revoked(self, revoked: Revoked) -> None:
        """Remember a revocation."""
        self.revoked[revoked.task_id] = revoked

    def is_revoked(self, task_id: str) -> bool:
        """Whether a push was taken back."""
        return task_id in self.revoked

    def left_today(self, now: float) -> int:
        """How many pushes the quota still has for the day of *now*."""
        today = self._day(now)
        used = sum(1 for _ in takewhile(lambda pushed: self._day(pushed.at) == today, reversed(self.sent)))
        return max(0, self._pushes_per_day - used)

    def _day(self, moment: float) -> float:
        return (moment + self.switches.day_starts_hours_east * HOUR_SECONDS) // DAY_SECONDS

    def _repeats(self, random: int, now: float) -> Pushed | None:
        first = self._by_random.get(random)
        if first is None or now - first.at >= self.switches.repeat_window_seconds:
            return None
        return first

    def _demand_names(self, asked: Collection[str], defined: Collection[str]) -> None:
        if unknown := set(asked) - set(defined):
            raise _refused(
                PushCode.BAD_ATTRIBUTE, f"attributes {sorted(unknown)} are not defined", Cause.STATE
            )

    def _demand_pace(self, now: float) -> None:
        if self.sent and now - self.sent[-1].at <= SPACING_SECONDS:
            raise _refused(PushCode.TOO_SOON, f"the last push was {now - self.sent[-1].at:.3f} s ago")
        if not self.left_today(now):
            raise _refused(
                PushCode.QUOTA_USED_UP, f"all {self._pushes_per_day} pushes of the day are used up"
            )

    def _task_id(self, sender: str, random: int, now: float) -> str:
        internal = 2**57 + crc32(sender.encode())  # the documented samples all begin with this bit
        number = (len(self.sent) + 1) * 2654435761 % 2**32  # odd, so another one for each push
        return f"{int(now):x}_{self._app_id:x}_{internal:x}_{number:x}_{random:x}"


def _refused(code: PushCode, text: str, cause: Cause = Cause.PACE) -> RefusedError:
    return RefusedError(code, cause, text)
