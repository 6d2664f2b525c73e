"""What comes of a request becomes a verdict, whatever it is."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from audience_sync.chat_api.errors import (
    BrokenLimit,
    NotAllowed,
    NotReached,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
    Withheld,
)
from audience_sync.chat_api.exchange import always
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.verdicts import Outcome, Refusal, Verdict
from audience_sync.delivery.sender import Sender

REQUEST = Request(Endpoint.ADD_TAGS, {UserId("alice"): ["a"]})


def sent(end: Exception | Mapping[UserId, Refusal]) -> Verdict:
    async def send(request: Request, *, may_leave: Callable[[], bool]) -> Mapping[UserId, Refusal]:
        assert request is REQUEST
        assert may_leave is always
        if isinstance(end, Exception):
            raise end
        return end

    return asyncio.run(Sender(send).send(REQUEST, always))


@pytest.mark.parametrize(
    ("error", "outcome", "ambiguous"),
    [
        (SlowDown("im_add_tag", 60007, "too fast"), Outcome.SLOW_DOWN, False),
        (TryAgain("im_add_tag", 60008, "timed out"), Outcome.TRY_AGAIN, True),
        (NotReached("im_add_tag", -1, "no connection"), Outcome.TRY_AGAIN, False),
        (Withheld("im_add_tag", -1, "it may no longer leave"), Outcome.UNTRIED, False),
        (NotAllowed("im_add_tag", 60010, "off"), Outcome.STOPPED, False),
        (RenewSignature("im_add_tag", 70001, "expired"), Outcome.STOPPED, False),
        (Refused("im_add_tag", 90001, "malformed"), Outcome.REFUSED, False),
    ],
)
def test_an_error_says_what_comes_next(error: Exception, outcome: Outcome, ambiguous: bool) -> None:
    verdict = sent(error)

    assert (verdict.outcome, verdict.ambiguous) == (outcome, ambiguous)
    assert verdict.comes_back
    assert verdict.reason == str(error)


def test_a_request_that_breaks_a_limit_is_narrowed_down_like_one_that_the_api_refused() -> None:
    """The one user whose change breaks it is given up; the others leave."""
    verdict = sent(BrokenLimit("101 users"))

    assert verdict.outcome is Outcome.REFUSED
    assert "101 users" in verdict.reason


def test_users_refused_by_name_are_told_apart() -> None:
    refused = {UserId("alice"): Refusal(code=70107, info="unknown", again=False)}

    assert sent(refused) == Verdict(outcome=Outcome.CONFIRMED, refused=refused)
