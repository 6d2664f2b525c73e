"""What can go wrong with a call, sorted by what the sender does next, and the table of the API's codes."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from audience_sync.core.changes import UserId
from audience_sync.core.verdicts import Refusal

NO_ANSWER: Final = -1
"""The code when no answer could be read. An HTTP status stands for itself: codes have five digits."""


class BrokenLimit(ValueError):  # noqa: N818 - named for what happened
    """A request breaks a limit of the API, so it was not sent. The message names user, field and limit."""


class ChatApiError(Exception):
    """The Chat API did not confirm a request. Each subclass says what the sender does next."""

    ambiguous: bool = False
    """True: the request may have been applied, or still be, so its users wait out the server's time-out."""

    def __init__(
        self, endpoint: str, code: int, info: str, *, named: Mapping[UserId, Refusal] | None = None
    ) -> None:
        """Keep what the answer said; *named* are the users it named, of whom the others may know nothing."""
        super().__init__(f"{endpoint} {'got no answer' if code == NO_ANSWER else f'answered {code}'}: {info}")
        self.endpoint, self.code, self.info = endpoint, code, info
        self.named: Mapping[UserId, Refusal] = named or {}
        self.confirmed: frozenset[str] = frozenset()
        """Of a call for many users: those whose requests were all confirmed before this one failed."""


class TryAgain(ChatApiError):  # noqa: N818 - named for what comes next
    """The request is sound and may pass later: wait, then repeat, with what arrived meanwhile folded in."""

    ambiguous = True


class NotReached(TryAgain):
    """No connection came about, so nothing was sent: wait, then repeat."""

    ambiguous = False


class Withheld(ChatApiError):  # noqa: N818 - named for what happened
    """Whoever sends it no longer wanted it to leave when it was about to be written: nothing was sent."""


class SlowDown(TryAgain):
    """The rate limit is reached, nothing was applied: lower this endpoint's pace, then repeat."""

    ambiguous = False


class Refused(ChatApiError):  # noqa: N818 - named for what comes next
    """Something in the request is wrong: halve it to find which user; give up on one who stands alone."""


class NotAllowed(ChatApiError):  # noqa: N818 - named for what comes next
    """Nothing will pass until a person acts: stop reading, keep everything, report unready."""


class RenewSignature(NotAllowed):
    """The signature has expired. The client renews it and repeats once; who sees this had a new one refused.

    So a clock is wrong, ours or theirs, and a person must act.
    """


_TRY_AGAIN: Final = {
    10002: "internal error of the group service",
    20004: "network error inside",
    20005: "internal error",
    60004: "account check failed, or account or signature wrong",
    60005: "account check failed, or account or signature wrong",
    60008: "the service behind timed out or answered badly",
    60013: "an answer inside could not be read",
    60014: "the account check timed out",
    70169: "the account service timed out",
    70202: "the account service timed out",
    70500: "internal error of the account service",
    90992: "internal error, or a callback failed",
    90994: "internal error",
    90995: "internal error, or a message too long",
    91000: "internal error",
}
_SLOW_DOWN: Final = {
    10006: "too many calls of the group service",
    22006: "too many calls",
    60007: "too many calls of this endpoint",
    60011: "too many calls of this app",
    60018: "too many calls",
    60019: "too many calls",
    72010: "too many calls",
    90024: "pushes one second apart or less",
    90051: "more than one withdrawal a second",
    90057: "too many batch pushes",
}
_RENEW_SIGNATURE: Final = {70001: "the signature has expired"}
_NOT_ALLOWED: Final = {
    10003: "unknown command",
    20002: "the signature is not valid",
    60002: "the URL cannot be read",
    60006: "no such app",
    60009: "no such path",
    60010: "for administrators only",
    60012: "the app is missing in the URL",
    60016: "the app is disabled",
    60017: "this call is disabled",
    60020: "the plan is missing, expired or unpaid",
    60021: "the caller's address is not allowed",
    60025: "a parameter of the URL is wrong",
    60026: "the host does not serve this app",
    60027: "the app is of another product",
    60028: "the trial's daily volume is used up",
    70003: "the signature is malformed",
    70009: "the signature does not fit the key",
    70013: "the signature is another administrator's",
    70014: "the signature is another app's",
    70016: "the app has no key here",
    70020: "the app is not known here",
    70050: "too many wrong signatures: wait a minute",
    70051: "the administrator is blocked",
    70398: "no more accounts in this plan",
    70403: "for administrators only",
    71000: "accounts of this app cannot be deleted",
    72000: "the plan's daily users are used up",
    72001: "the feature is off",
    72002: "the plan's monthly users are used up",
    80005: "the service is off",
    90009: "the caller is no administrator of the app",
    90045: "push to all users is not switched on for the app",
    90047: "the day's pushes are used up",
}
_REFUSED: Final = {
    10004: "a parameter is wrong",
    10005: "too many accounts",
    20001: "the packet is wrong",
    20003: "no such user, or not a valid one",
    40006: "the account's profile could not be set",
    40601: "a field of the account's profile is too long",
    60003: "the body is not JSON",
    60015: "an account is not a string",
    70107: "the account does not exist",
    70399: "the account was deleted too short a time ago",
    70402: "a parameter is wrong",
    80001: "the text is blocked",
    80002: "the text is too long",
    80004: "the picture is blocked",
    90001: "the body is not JSON, or of another structure",
    90002: "the message's body is malformed",
    90003: "the receiver is missing or unknown",
    90004: "the message's sequence number is out of range",
    90005: "the message's random number is missing or no integer",
    90007: "the message's body is no array",
    90008: "the sender is missing or unknown",
    90010: "an element of the message's body is malformed",
    90012: "the receiver is missing or unknown",
    90018: "too many users in one request",
    90019: "the body of setting or adding is malformed",
    90020: "a tag is longer than 50 bytes, or a tag or attribute is illegal",
    90021: "the body of removing is malformed",
    90022: "a tag stands on both sides of the condition",
    90023: "the body of reading is malformed",
    90026: "the life time is longer than seven days",
    90030: "an attribute is empty or longer than 50 bytes",
    90032: "more than ten tags in a condition, or for one user",
    90033: "an attribute is invalid: not defined, or defined twice",
    90034: "a tag is longer than 50 bytes",
    90035: "the user is illegal, or of another account type",
    90039: "attributes and tags in one condition",
    90040: "an empty tag in a condition",
    90043: "the offline push information is malformed",
    90044: "the life time is no integer",
    90046: "the user would have too many tags",
    90048: "the account does not exist",
    90049: "the push to withdraw is unknown",
    90050: "the push is withdrawn already",
    90052: "the push is too old to be withdrawn",
    90053: "withdrawing needs offline push information",
    90056: "the push is larger than 10 KB",
    93000: "the body is larger than 12 KB",
}


class Code(msgspec.Struct, frozen=True):
    """One row of the table: what the sender does next, and what the code means."""

    error: type[ChatApiError]
    meaning: str


def _rows() -> Iterator[tuple[int, Code]]:
    groups: tuple[tuple[type[ChatApiError], Mapping[int, str]], ...] = (
        (TryAgain, _TRY_AGAIN),
        (SlowDown, _SLOW_DOWN),
        (RenewSignature, _RENEW_SIGNATURE),
        (NotAllowed, _NOT_ALLOWED),
        (Refused, _REFUSED),
    )
    for error, meanings in groups:
        for code, meaning in meanings.items():
            yield code, Code(error, meaning)


BY_CODE: Final[Mapping[int, Code]] = dict(_rows())
"""Every code we know of, also those of neighbouring calls. Source: docs/chat-api.md#codes."""


def error_class(code: int) -> type[ChatApiError]:
    """The class of *code*. An unknown one counts as refused, so that it ends: narrowed down to one user."""
    row = BY_CODE.get(code)
    return row.error if row else Refused


def refusal(code: int, info: str) -> Refusal:
    """What *code* means when it is said of one user.

    Only what is wrong with a request can be wrong with a user. Codes about time, rate, signature,
    configuration or quota say nothing against him, so his part is kept and repeated.
    """
    return Refusal(code, info, again=not issubclass(error_class(code), Refused))
