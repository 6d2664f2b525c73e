"""How a command ends that failed as a whole: what happened, what to do next, and an exit code for scripts."""

import re

import pytest

from audience_sync.chat_api import (
    ChatApiError,
    NotAllowed,
    NotReached,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
)
from audience_sync.chat_api.errors import BY_CODE, NO_ANSWER
from audience_sync.commands.chat.ending import stop_after
from audience_sync.commands.stop import ExitCode


@pytest.mark.parametrize(
    ("error", "code", "happened", "next_"),
    [
        (
            NotReached("add_tag", NO_ANSWER, "no connection (ConnectError)"),
            ExitCode.UNAVAILABLE,
            "add_tag got no answer: no connection (ConnectError)",
            "Is there a network",
        ),
        (TryAgain("add_tag", 502, "gave up"), ExitCode.UNAVAILABLE, "502: gave up", "--patience"),
        (
            SlowDown("add_tag", 60007, ""),
            ExitCode.UNAVAILABLE,
            "add_tag was answered 60007: too many calls of this endpoint",
            "All callers of the app share the rate",
        ),
        (RenewSignature("add_tag", 70001, ""), ExitCode.REFUSED, "70001: the signature has expired", "clock"),
        (NotAllowed("add_tag", 70009, "sig"), ExitCode.REFUSED, "does not fit the key (sig)", "SIGNING_KEY"),
        (NotAllowed("add_tag", 60026, ""), ExitCode.REFUSED, "60026", "AUDIENCE_SYNC_CHAT__REGION"),
        (NotAllowed("push", 90045, ""), ExitCode.REFUSED, "90045", "Switch the feature on"),
        (NotAllowed("push", 90047, ""), ExitCode.REFUSED, "90047", "tomorrow"),
        (NotAllowed("add_tag", 403, "closed"), ExitCode.REFUSED, "403: closed", "until this is put right"),
        (Refused("set_attr", 90033, ""), ExitCode.REFUSED, "90033", "get-attribute-names"),
        (Refused("add_tag", 90048, ""), ExitCode.REFUSED, "90048", "import-accounts"),
        (Refused("add_tag", 90001, ""), ExitCode.REFUSED, "90001", "refused again"),
        (Refused("add_tag", 99999, ""), ExitCode.REFUSED, "the table of codes does not have it", "refused again"),
    ],
)  # fmt: skip
def test_each_class_says_what_happened_and_what_to_do(
    error: ChatApiError, code: ExitCode, happened: str, next_: str
) -> None:
    """First line and second."""
    stop = stop_after(error, "Nothing more.", "")
    lines = stop.message.splitlines()
    assert stop.code is code
    assert happened in lines[0]
    assert next_ in lines[1]
    assert lines[2:] == ["Nothing more."]


@pytest.mark.parametrize("code", BY_CODE)
def test_every_code_has_a_way_out(code: int) -> None:
    """In a sentence or two, of settings and commands that there are."""
    first, second = stop_after(BY_CODE[code].error("add_tag", code, "")).message.splitlines()
    assert BY_CODE[code].meaning in first
    assert re.search(r"[.?)]$", second)


def test_words_of_the_api_cannot_move_the_cursor() -> None:
    """They come from outside."""
    assert "\x1b" not in stop_after(Refused("add_tag", 90001, "\x1b[2Jgone")).message
