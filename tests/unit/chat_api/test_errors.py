"""The table of codes, and the page that tells people of it."""

import re
from pathlib import Path

import pytest

from audience_sync.chat_api.errors import (
    BY_CODE,
    NO_ANSWER,
    ChatApiError,
    NotAllowed,
    NotReached,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
    error_class,
    refusal,
)

PAGE = Path(__file__).parents[3] / "docs" / "chat-api.md"
IN_WORDS: dict[type[ChatApiError], str] = {
    TryAgain: "try again",
    SlowDown: "slow down",
    RenewSignature: "renew the signature",
    NotAllowed: "not allowed",
    Refused: "refused",
}


def test_the_page_and_the_table_say_the_same() -> None:
    """Every code of one is in the other, with the same words and the same consequence."""
    on_the_page = {
        int(code): (meaning, following, of_a_user)
        for code, meaning, following, of_a_user in re.findall(
            r"^\| (\d{5}) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", PAGE.read_text(), re.MULTILINE
        )
    }

    assert on_the_page == {
        code: (row.meaning, IN_WORDS[row.error], "again" if refusal(code, "").again else "give up")
        for code, row in BY_CODE.items()
    }


def test_no_code_stands_twice_on_the_page() -> None:
    codes = re.findall(r"^\| (\d{5}) \|", PAGE.read_text(), re.MULTILINE)

    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    ("error", "ambiguous"),
    [(TryAgain, True), (NotReached, False), (SlowDown, False), (Refused, False), (NotAllowed, False)],
)
def test_only_an_end_without_a_definite_answer_is_ambiguous(
    error: type[ChatApiError], ambiguous: bool
) -> None:
    """What the API refused in words it has not applied."""
    assert error.ambiguous is ambiguous
    assert error("add_tag", 1, "").ambiguous is ambiguous


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (70107, False),  # the account does not exist
        (90046, False),  # too many tags
        (12345, False),  # unknown: it must end
        (91000, True),  # internal
        (60007, True),  # the rate
        (70001, True),  # the signature
        (90045, True),  # the feature is off: that is not the user's fault
    ],
)
def test_a_user_is_given_up_only_for_what_can_be_wrong_with_him(code: int, again: bool) -> None:
    """Nothing else that is said of one user may put him into the dead letters."""
    assert refusal(code, "why").again is again


def test_an_unknown_code_is_narrowed_down() -> None:
    assert error_class(12345) is Refused


def test_the_message_names_endpoint_code_and_words() -> None:
    assert str(SlowDown("add_tag", 60007, "too fast")) == "add_tag answered 60007: too fast"
    assert str(TryAgain("add_tag", NO_ANSWER, "gone")) == "add_tag got no answer: gone"
