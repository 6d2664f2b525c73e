"""Users whom the API refused, as they are shown."""

from typing import Final

import msgspec

from audience_sync.chat_api import Refusal
from audience_sync.commands.chat.ending import meaning
from audience_sync.commands.terminal.output import View


class RefusedUser(msgspec.Struct, frozen=True):
    """A user whom the API refused by name, or left out of its answer (code 0)."""

    user: str
    said: Refusal


def _code(refused: RefusedUser) -> str:
    return str(refused.said.code or "-")


def _meaning(refused: RefusedUser) -> str:
    return meaning(refused.said.code, refused.said.info)


REFUSED_USERS: Final[View[RefusedUser]] = View(
    columns=("user", "code", "meaning"),
    rows=lambda refused: [(refused.user, _code(refused), _meaning(refused))],
    fields=lambda refused: {
        "user": refused.user,
        "code": refused.said.code or None,
        "meaning": _meaning(refused),
        "info": refused.said.info,
    },
)
