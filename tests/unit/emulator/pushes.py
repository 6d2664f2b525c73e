"""Pushes as they come, and the emulator's two halves that carry them, without HTTP."""

from collections.abc import Collection
from typing import Any

import msgspec
import pytest

from audience_sync.emulator.inbox import Delivery, Forgotten, Inboxes, LogIn, LogOut
from audience_sync.emulator.push_reading import PushRequest, read_push
from audience_sync.emulator.pushing import Person, Pushed, Pushing, Revoked
from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Switches

TEXT = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}
WEEK_SECONDS = 604_800
DAY_SECONDS = 86_400
MIDNIGHT = 1_700_064_000.0
"""A midnight in UTC+8: 19,676 days and 16 hours after the epoch."""

Record = Pushed | Revoked | LogIn | LogOut | Forgotten


def body(**fields: Any) -> dict[str, Any]:
    """A sound body of a push, but for *fields*."""
    return {"MsgRandom": 1, "MsgBody": [TEXT], **fields}


def read(
    given: dict[str, Any],
    *,
    family: str = "all_member_push",
    body_bytes: int | None = None,
    **switches: Any,
) -> PushRequest:
    """The push in a body."""
    return read_push(given, family=family, switches=Switches(**switches), body_bytes=body_bytes)


def refusal(given: dict[str, Any], **how: Any) -> tuple[int, Cause]:
    """The code and the cause that a body is refused with."""
    with pytest.raises(RefusedError) as refused:
        read(given, **how)
    return refused.value.code, refused.value.cause


class Town:
    """Some people and the pushes to them; every record that a journal would have, in order."""

    def __init__(self, *, pushes_per_day: int = 100, **switches: Any) -> None:
        self.pushing = Pushing(
            app_id=1400000000, switches=Switches(**switches), pushes_per_day=pushes_per_day
        )
        self.inboxes = Inboxes()
        self.people: dict[str, tuple[dict[str, str], list[str]]] = {"alice": ({}, []), "bob": ({}, [])}
        self.records: list[Record] = []

    def push(
        self, at: float, *, names: Collection[str] = (), family: str = "all_member_push", **fields: Any
    ) -> str:
        """Ask for a push and carry it out. Returns its TaskId. Raises RefusedError."""
        request = read_push(body(**fields), family=family, switches=self.pushing.switches)
        people = [
            Person(user, attributes, tags, user in self.inboxes.online)
            for user, (attributes, tags) in self.people.items()
        ]
        asked = self.pushing.ask(request, admin="administrator", people=people, names=names, now=at)
        if isinstance(asked, str):
            return asked
        self.carry_out(asked)
        return asked.task_id

    def revoke(self, task_id: str, at: float, *, has_offline: bool = False) -> None:
        """Take a push back. Raises RefusedError."""
        self.carry_out(self.pushing.revoke(task_id, has_offline=has_offline, now=at))

    def log_in(self, user: str, at: float) -> list[Delivery]:
        """He comes online."""
        return self.carry_out(LogIn(user, at))

    def log_out(self, user: str, at: float) -> None:
        """He goes offline."""
        self.carry_out(LogOut(user, at))

    def carry_out(self, record: Record) -> list[Delivery]:
        """What the emulator does with each record, now and when it replays its journal."""
        self.records.append(record)
        match record:
            case Pushed():
                self.pushing.apply(record)
            case Revoked():
                self.pushing.apply_revoked(record)
            case _:
                pass
        return self.inboxes.apply(record)

    def replayed(self) -> "Town":
        """Another town that was told only what is in the journal of this one."""
        other = Town(pushes_per_day=10**9)
        other.pushing.switches = self.pushing.switches
        for line in [msgspec.json.encode(record) for record in self.records]:
            other.carry_out(msgspec.json.decode(line, type=Record))
        return other


def code(refused: pytest.ExceptionInfo[RefusedError]) -> int:
    """What was refused with."""
    return refused.value.code


def received(deliveries: Collection[Delivery]) -> list[tuple[str, str]]:
    """(user, task) of deliveries, in order."""
    return [(each.user, each.task_id) for each in deliveries]
