"""What an answer means for each user in the request."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from audience_sync.core.changes import UserId
from audience_sync.core.limits import SERVER_TIMEOUT_SECONDS


class Outcome(StrEnum):
    """How a request ended. A closed set, because it is a label."""

    CONFIRMED = "confirmed"
    """The API answered OK; users that it refused by name apart."""
    TRY_AGAIN = "try_again"
    """Sound, and may pass later."""
    SLOW_DOWN = "slow_down"
    """Above the rate limit; not applied."""
    REFUSED = "refused"
    """Refused as a whole: somebody in it is meant, and maybe nobody is named."""
    STOPPED = "stopped"
    """Nothing will pass until a person acts."""
    UNTRIED = "untried"
    """Not sent: it was no longer certain that the partitions are ours."""


class UnknownAccounts(StrEnum):
    """What becomes of a user who does not exist in the Chat API."""

    DEAD_LETTER = "dead_letter"
    """His changes go to the dead letters."""
    DROP = "drop"
    """His changes are dropped, and counted."""
    IMPORT = "import"
    """He is imported, and his changes are sent again."""


class Refusal(msgspec.Struct, frozen=True):
    """What the API said of one user. *again*: it may pass later; else the user's part is given up."""

    code: int
    info: str
    again: bool


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended, and for whom otherwise than for the rest.

    ambiguous: no definite answer came; the API may still be applying the request.
    """

    outcome: Outcome
    refused: Mapping[UserId, Refusal] = {}
    """Whom the API named; all others are confirmed, or come back with the request."""

    ambiguous: bool = False
    code: int = 0
    reason: str = ""

    @property
    def comes_back(self) -> bool:
        """Whether nobody in the request is settled."""
        return self.outcome is not Outcome.CONFIRMED

    def not_before(self, now: float) -> float:
        """From when on (epoch seconds) the same users may be sent again, if they come back."""
        return now + SETTLING_SECONDS if self.ambiguous else now


SETTLING_SECONDS: Final = SERVER_TIMEOUT_SECONDS
"""After an ambiguous end the server may still be applying the request for as long as its own time-out."""

REFUSED_USER: Final = "refused_user"
"""The cause of a dead letter whose user the Chat API has refused, by name or alone; beside `core.event.Cause`."""

UNKNOWN_ACCOUNT: Final = "unknown_account"
"""The cause of a dead letter whose user does not exist in the Chat API."""
