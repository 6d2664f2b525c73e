"""The body of a push into a request, or the code that refuses it. What depends on stored state is not looked at."""

from collections.abc import Mapping

import msgspec

from audience_sync.emulator.condition import Condition
from audience_sync.emulator.switches import Switches

Body = Mapping[str, object]


class PushRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A push that keeps every limit that can be seen in it alone."""

    family: str
    """"all_member_push" or "timpush"."""

    condition: Condition
    random: int
    life_seconds: float
    """How long it waits for users who are offline; 0 if it doesn't."""

    online_only: bool
    sender: str | None
    """None: the admin who asks."""

    body: list[object]
    """MsgBody as it came."""

    offline: object | None
    """OfflinePushInfo as it came."""


class RevokeRequest(msgspec.Struct, frozen=True):
    """A push to take back."""

    task_id: str
    has_offline: bool
    """Whether OfflinePushInfo came with it."""


def read_push(body: Body, *, family: str, switches: Switches, body_bytes: int | None = None) -> PushRequest:
    """The push in *body*, which came as so many bytes (None: as compact JSON has). Raises RefusedError."""
    raise NotImplementedError


def read_revoke(body: Body) -> RevokeRequest:
    """The revocation in *body*. Raises RefusedError."""
    raise NotImplementedError
