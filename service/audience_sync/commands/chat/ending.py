"""What a person is told when a call failed as a whole: what happened, and what to do next."""

from typing import Final

from audience_sync.chat_api import (
    ChatApiError,
    NotAllowed,
    NotReached,
    RenewSignature,
    SlowDown,
    TryAgain,
)
from audience_sync.chat_api.errors import BY_CODE, NO_ANSWER
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.words import printable
from audience_sync.settings import PREFIX

CHAT: Final = f"{PREFIX}CHAT__"

_WAYS_OUT: Final[tuple[tuple[frozenset[int], str], ...]] = (
    (
        frozenset({20002, 70003, 70009, 70016}),
        f"Is {CHAT}SIGNING_KEY (or ..._FILE) the secret key of this app? The console shows it.",
    ),
    (
        frozenset({60006, 60012, 70014, 70020}),
        f"Is {CHAT}APP_ID the app's SDKAppID, and {CHAT}REGION its region?",
    ),
    (frozenset({60026}), f"Set {CHAT}REGION to the region that the console shows for the app."),
    (
        frozenset({60010, 70013, 70403, 90009}),
        f"Make {CHAT}ADMIN an administrator of the app in the console, or name one who is.",
    ),
    (frozenset({60021}), "Allow this machine's address in the console."),
    (frozenset({70050}), "Wait a minute, and see that no other program signs with a wrong key."),
    (
        frozenset({72001, 80005, 90045}),
        "Switch the feature on in the console; push to all users needs one of the larger plans.",
    ),
    (frozenset({90047}), "Push again tomorrow (the day may begin at midnight in China), or buy more pushes."),
    (
        frozenset({60020, 60028, 70398, 72000, 72002}),
        "See the app's plan in the console: nothing passes until it allows more.",
    ),
    (frozenset({71000}), "Allow in the console that accounts are deleted."),
    (
        frozenset({90033}),
        "`audience-sync chat get-attribute-names` shows the app's attributes, `set-attribute-names` defines others.",
    ),
    (
        frozenset({20003, 70107, 90003, 90012, 90048}),
        "`audience-sync chat check-accounts` shows who exists, `import-accounts` makes users exist.",
    ),
    (
        frozenset({90008}),
        "--from names a user who has an account: `audience-sync chat import-accounts` makes one.",
    ),
    (frozenset({90053}), "Give --title and --desc: what is shown instead of the notification."),
)
"""What to do about codes of which more is known than what their class says."""


def meaning(code: int, info: str) -> str:
    """What *code* means, and the API's own words where the table has none."""
    row = BY_CODE.get(code)
    return row.meaning if row else info or "the table of codes does not have it"


def what_happened(error: ChatApiError) -> str:
    """In one line: the call, the code and its meaning, the API's words."""
    if error.code == NO_ANSWER:
        return f"{error.endpoint} got no answer: {error.info}"
    if error.code not in BY_CODE:
        return f"{error.endpoint} was answered {error.code}: {error.info or meaning(error.code, '')}"
    words = f" ({error.info})" if error.info else ""
    return f"{error.endpoint} was answered {error.code}: {meaning(error.code, error.info)}{words}"


def what_next(error: ChatApiError) -> str:
    """In one sentence or two: what to do about it."""
    for codes, way_out in _WAYS_OUT:
        if error.code in codes:
            return way_out
    match error:
        case NotReached():
            return (
                f"Is there a network, and is {CHAT}REGION or {CHAT}BASE_URL right? The last try sent nothing."
            )
        case SlowDown():
            return (
                "All callers of the app share the rate, a running service too. Repeat the command later, "
                "or give it more time: --patience."
            )
        case TryAgain():
            return "This may pass later: repeat the command, or give it more time with --patience."
        case RenewSignature():
            return "A new signature counts as expired: set this machine's clock right."
    if isinstance(error, NotAllowed):
        return "Nothing will pass until this is put right in the console or in the settings."
    return "Put the request right; a repeat as it is would be refused again."


def stop_after(error: ChatApiError, *more: str) -> Stop:
    """The end of a command that *error* ended; *more* is said below."""
    code = ExitCode.UNAVAILABLE if isinstance(error, TryAgain) else ExitCode.REFUSED
    return Stop(code, "\n".join(filter(None, [printable(what_happened(error)), what_next(error), *more])))
