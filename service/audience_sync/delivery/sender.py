"""One request, sent once, to its end: whatever comes of it becomes a verdict."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from audience_sync.chat_api.errors import BrokenLimit, ChatApiError, Refused, SlowDown, TryAgain, Withheld
from audience_sync.core.changes import Request, UserId
from audience_sync.core.verdicts import Outcome, Refusal, Verdict


class Call(Protocol):
    """What the client has for a single request."""

    def __call__(
        self, request: Request, *, may_leave: Callable[[], bool]
    ) -> Awaitable[Mapping[UserId, Refusal]]:
        """Send it once; gives whom the API refused by name."""


class Sender:
    """Sends requests through the client. Nothing is dropped or repeated here: a verdict says what happened."""

    def __init__(self, send: Call) -> None:
        self._send = send

    async def send(self, request: Request, may_leave: Callable[[], bool]) -> Verdict:
        """Send *request* once. Safe to repeat: each change is absolute.

        may_leave: is asked when it is about to be written; if it says no, nothing was tried.
        """
        try:
            refused = await self._send(request, may_leave=may_leave)
        except Withheld as error:
            return _verdict(Outcome.UNTRIED, error)
        except SlowDown as error:
            return _verdict(Outcome.SLOW_DOWN, error)
        except TryAgain as error:
            return _verdict(Outcome.TRY_AGAIN, error)
        except Refused as error:
            return msgspec.structs.replace(_verdict(Outcome.REFUSED, error), refused=error.named)
        except ChatApiError as error:
            return _verdict(Outcome.STOPPED, error)
        except BrokenLimit as error:
            return Verdict(outcome=Outcome.REFUSED, reason=f"it breaks a limit of the API: {error}")
        return Verdict(outcome=Outcome.CONFIRMED, refused=refused)


def _verdict(outcome: Outcome, error: ChatApiError) -> Verdict:
    return Verdict(outcome=outcome, ambiguous=error.ambiguous, code=error.code, reason=str(error))
