"""What an answer means for the users in a request."""

import pytest

from audience_sync.core.limits import SERVER_TIMEOUT_SECONDS
from audience_sync.core.verdicts import Outcome, Verdict


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_confirmed_request_settles_anyone(outcome: Outcome) -> None:
    assert Verdict(outcome=outcome).comes_back == (outcome is not Outcome.CONFIRMED)


def test_after_an_ambiguous_end_the_same_users_wait_as_long_as_the_server_may_be_applying() -> None:
    ambiguous = Verdict(outcome=Outcome.TRY_AGAIN, ambiguous=True)
    definite = Verdict(outcome=Outcome.TRY_AGAIN)

    assert ambiguous.not_before(1000.0) == 1000.0 + SERVER_TIMEOUT_SECONDS
    assert definite.not_before(1000.0) == 1000.0
