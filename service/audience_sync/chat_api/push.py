"""A push: a message to everybody, or to those who meet a condition."""

from collections.abc import Sequence

import msgspec

from audience_sync.chat_api.checks import checked, encoded, shown
from audience_sync.chat_api.conditions import Condition, decode_condition, encode_condition
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.messages import Element, decode_body, encode_body
from audience_sync.chat_api.offline_push import OfflinePush, decode_offline_push, encode_offline_push
from audience_sync.chat_api.wire import Family
from audience_sync.core import limits


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One message to many.

    body:         what the app shows. The successor takes none if there is an offline push: that is all, then.
    random:       what the API knows the push by (uint32): one for each push, kept when it is repeated.
    life_seconds: how long the API keeps it for those who are offline, up to seven days; 0: not at all. The
                  successor has no number for it: more than 0 is kept as long as the app keeps any message.
    sender:       who the receivers see; without it, the administrator who calls (inferred).
    """

    body: Sequence[Element]
    to: Condition
    random: int
    life_seconds: int = 0
    sender: str | None = None
    offline_push: OfflinePush | None = None


class _Wire(
    msgspec.Struct,
    forbid_unknown_fields=True,
    rename={
        "sender": "From_Account",
        "random": "MsgRandom",
        "life_seconds": "MsgLifeTime",
        "online_only": "OnlineOnlyFlag",
        "body": "MsgBody",
        "condition": "Condition",
        "offline_push": "OfflinePushInfo",
    },
):
    """A push as the API writes it."""

    body: list[object] | None = None
    sender: str | None = None
    random: int | None = None
    life_seconds: int | None = None
    online_only: int | None = None
    condition: dict[str, object] | None = None
    offline_push: dict[str, object] | None = None


def encode_push(push: Push, family: Family) -> bytes:
    """The body of *push*. BrokenLimit names what the API would refuse: field, value and limit.

    Source: docs/chat-api.md#im_push.
    """
    body: dict[str, object] = {}
    if push.sender is not None:
        if broken := limits.broken_text("From_Account", push.sender, limits.USER_ID_BYTES):
            raise BrokenLimit(broken)
        body["From_Account"] = push.sender
    body["MsgRandom"] = _whole("MsgRandom", push.random, limits.RANDOM_MOST)
    life_seconds = _whole("MsgLifeTime", push.life_seconds, limits.PUSH_LIFE_SECONDS)
    if condition := encode_condition(push.to, family):
        body["Condition"] = condition
    if push.body or push.offline_push is None or family is not Family.TIMPUSH:
        body |= _kept(life_seconds, family)
        body["MsgBody"] = encode_body(push.body)
    if push.offline_push is not None:
        body["OfflinePushInfo"] = encode_offline_push(push.offline_push)
    return _within("the push", encoded("the push", body), family)


def _kept(life_seconds: int, family: Family) -> dict[str, object]:
    if family is Family.TIMPUSH:
        return {"OnlineOnlyFlag": int(life_seconds == 0)}
    return {"MsgLifeTime": life_seconds}


def _whole(name: str, value: object, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise BrokenLimit(f"{name} {shown(value)}: the Chat API takes a whole number from 0 to {most}")


def _within(what: str, body: bytes, family: Family) -> bytes:
    most = limits.TIMPUSH_BYTES if family is Family.TIMPUSH else limits.MESSAGE_BYTES
    if len(body) > most:
        raise BrokenLimit(f"{what} has {len(body)} bytes of JSON; {family} takes up to {most}, so shorten it")
    return body


def decode_push(body: bytes, family: Family, *, random: int | None = None, everybody: bool = False) -> Push:
    """The push in *body*, JSON as documented for *family*. BrokenLimit for what is wrong with it, limits included.

    random:    taken when the body has none.
    everybody: whether a body without a condition is meant for everybody; if not, that is an error.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenLimit(f"the push is no JSON: {error}") from None
    wire = checked("the push", value, _Wire)
    number = random if wire.random is None else wire.random
    if number is None:
        raise BrokenLimit(
            "MsgRandom is missing; give each push a number of its own, and keep it for a repeat"
        )
    push = Push(
        body=decode_body(wire.body or []),
        to=decode_condition(wire.condition, everybody=everybody),
        random=number,
        life_seconds=_life_seconds(wire, family),
        sender=wire.sender,
        offline_push=None if wire.offline_push is None else decode_offline_push(wire.offline_push),
    )
    encode_push(push, family)  # what can be read may still break a limit
    return push


def _life_seconds(wire: _Wire, family: Family) -> int:
    if family is not Family.TIMPUSH:
        if wire.online_only is not None:
            raise BrokenLimit(
                f"OnlineOnlyFlag: only the family {Family.TIMPUSH} has it; write MsgLifeTime, in seconds"
            )
        return wire.life_seconds or 0
    if wire.life_seconds is not None:
        raise BrokenLimit(
            f"MsgLifeTime: the family {family} has none; write OnlineOnlyFlag, 1 to keep nothing"
        )
    if wire.online_only not in (None, 0, 1):
        raise BrokenLimit(f"OnlineOnlyFlag {wire.online_only!r}: the Chat API takes 0 and 1")
    return 0 if wire.online_only else limits.PUSH_LIFE_SECONDS


def encode_revoke(task_id: str, *, offline_push: OfflinePush | None = None) -> bytes:
    """The body that takes back the push of *task_id*. The successor's alone.

    offline_push: shown instead of the notification; needed (90053) when the push was for those online only.
    Source: docs/chat-api.md#revoke.
    """
    if not checked("TaskId", task_id, str):
        raise BrokenLimit("TaskId is empty; it is the text that pushing answered")
    body: dict[str, object] = {"TaskId": task_id}
    if offline_push is not None:
        body["OfflinePushInfo"] = encode_offline_push(offline_push)
    return _within("taking back", encoded("taking back", body), Family.TIMPUSH)
