"""The body of a push into a request, or the code that refuses it. What depends on stored state is not looked at.

What no page says: a Condition that is {} or null asks nothing, and so the push is for everybody, the worst
case for a client. A field that belongs to the other family is refused rather than overlooked. null is a value
of a wrong type, except in a Condition. The successor's pushes wait for seven days unless they are for
those online only: its page says "as long as ordinary messages", which is that. One without a MsgBody, which
the successor takes if there is an OfflinePushInfo, has nothing that could wait.
"""

from collections.abc import Mapping
from typing import Final, NoReturn, TypeGuard

import msgspec

from audience_sync.emulator.condition import Condition
from audience_sync.emulator.condition_reading import read_condition
from audience_sync.emulator.limits import RANDOM_MOST, USER_BYTES, fits
from audience_sync.emulator.message_formats import check_message, check_offline_push
from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Switches

PUSH_BYTES: Final = 10 * 1024
"""Documented for a push of the successor, all in all."""

PACKET_BYTES: Final = 12 * 1024
"""Documented: a JSON body that sends a message (8 K before)."""

LIFE_SECONDS_MOST: Final = 604_800
"""Documented: seven days."""

FOREIGN: Final = {"all_member_push": "OnlineOnlyFlag", "timpush": "MsgLifeTime"}
"""{family: the field that only the other one has}."""

Body = Mapping[str, object]


class PushRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A push that keeps every limit that can be seen in it alone."""

    family: str
    """all_member_push or timpush."""

    condition: Condition
    random: int
    life_seconds: float
    """How long it waits for users who are offline; 0 if it doesn't."""

    online_only: bool
    sender: str | None
    """None: the admin who asks."""

    body: list[object]
    """MsgBody as it came; empty if there is an offline push alone."""

    offline: object | None
    """OfflinePushInfo as it came."""


class RevokeRequest(msgspec.Struct, frozen=True):
    """A push to take back."""

    task_id: str
    has_offline: bool
    """Whether OfflinePushInfo came with it."""


def read_push(body: Body, *, family: str, switches: Switches, body_bytes: int | None = None) -> PushRequest:
    """The push in *body*, which came as so many bytes (None: as compact JSON has). Raises RefusedError."""
    _demand_size(len(msgspec.json.encode(body)) if body_bytes is None else body_bytes, family)
    if FOREIGN[family] in body:
        _refuse(PushCode.BAD_STRUCTURE, f"{family} knows no {FOREIGN[family]}")
    message = _message(body, family)
    life_seconds = _life_seconds(body) if family == "all_member_push" else _roaming_seconds(body)
    if not message:
        life_seconds = 0
    return PushRequest(
        family=family,
        sender=_sender(body),
        random=_random(body),
        life_seconds=life_seconds,
        online_only=life_seconds == 0,
        body=message,
        offline=_offline(body),
        condition=read_condition(body.get("Condition"), family=family, switches=switches),
    )


def read_revoke(body: Body) -> RevokeRequest:
    """The revocation in *body*. Raises RefusedError."""
    task_id = body.get("TaskId")
    if not isinstance(task_id, str) or not task_id:
        _refuse(PushCode.TASK_UNKNOWN, "TaskId is not a string")
    return RevokeRequest(task_id, has_offline=_offline(body) is not None)


def _demand_size(body_bytes: int, family: str) -> None:
    if body_bytes > PACKET_BYTES:
        _refuse(PushCode.PACKET_TOO_LARGE, f"{body_bytes} bytes of JSON, at most {PACKET_BYTES}", Cause.LIMIT)
    if family == "timpush" and body_bytes > PUSH_BYTES:
        _refuse(PushCode.PUSH_TOO_LARGE, f"a push of {body_bytes} bytes, at most {PUSH_BYTES}", Cause.LIMIT)


def _sender(body: Body) -> str | None:
    if "From_Account" not in body:
        return None
    sender = body["From_Account"]
    if not isinstance(sender, str):
        _refuse(PushCode.BAD_STRUCTURE, "From_Account is not a string")
    if not fits(sender, USER_BYTES):
        _refuse(PushCode.BAD_STRUCTURE, f"From_Account {sender!r}: 1 to {USER_BYTES} bytes", Cause.LIMIT)
    return sender


def _random(body: Body) -> int:
    random = body.get("MsgRandom")
    if not _is_integer(random):
        _refuse(PushCode.BAD_RANDOM, "MsgRandom is not an integer")
    if not 0 <= random <= RANDOM_MOST:
        _refuse(PushCode.BAD_RANDOM, f"MsgRandom {random}: 0 to {RANDOM_MOST}", Cause.LIMIT)
    return random


def _life_seconds(body: Body) -> int:
    seconds = body.get("MsgLifeTime", 0)
    if not _is_integer(seconds):
        _refuse(PushCode.LIFE_TIME_NOT_INTEGER, "MsgLifeTime is not an integer")
    if not 0 <= seconds <= LIFE_SECONDS_MOST:
        _refuse(
            PushCode.BAD_LIFE_TIME, f"MsgLifeTime {seconds}: 0 to {LIFE_SECONDS_MOST} seconds", Cause.LIMIT
        )
    return seconds


def _roaming_seconds(body: Body) -> int:
    flag = body.get("OnlineOnlyFlag", 0)
    if not _is_integer(flag) or flag not in (0, 1):
        _refuse(PushCode.BAD_STRUCTURE, f"OnlineOnlyFlag {flag!r} is neither 0 nor 1")
    return 0 if flag else LIFE_SECONDS_MOST


def _message(body: Body, family: str) -> list[object]:
    if "MsgBody" not in body and family == "timpush" and "OfflinePushInfo" in body:
        return []
    if "MsgBody" not in body:
        _refuse(PushCode.BAD_BODY, "MsgBody is missing")
    message = body["MsgBody"]
    if not isinstance(message, list):
        _refuse(PushCode.BODY_NOT_LIST, "MsgBody is not an array")
    check_message(message)
    return message


def _offline(body: Body) -> object | None:
    if "OfflinePushInfo" not in body:
        return None
    check_offline_push(body["OfflinePushInfo"])
    return body["OfflinePushInfo"]


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(code: PushCode, text: str, cause: Cause = Cause.SHAPE) -> NoReturn:
    raise RefusedError(code, cause, text)
