"""Who may see and do what an operator may."""

from itertools import count
from pathlib import Path

import pytest
from pydantic import SecretStr

from audience_sync.admin.access import COOKIE, MOST_SESSIONS, SESSION_SECONDS, Access, TokenFile
from tests.support.clock import FakeClock

TOKEN = "a-token-of-some-length"


class Door:
    """An access, and what a test may change."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.token = SecretStr(TOKEN)
        self.refused = 0
        numbers = count()
        self.access = Access(
            lambda: self.token,
            new_secret=lambda: f"s{next(numbers)}",
            clock=self.clock,
            refused=self._count,
        )

    def _count(self) -> None:
        self.refused += 1

    def cookie(self) -> str:
        """The cookie of a new session."""
        opened = self.access.open(TOKEN)
        assert opened is not None
        return f"{COOKIE}={opened[0]}"


@pytest.mark.parametrize("shown", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_opens(shown: str) -> None:
    """As a header."""
    assert Door().access.has_token(shown)


@pytest.mark.parametrize(
    "shown",
    [None, "", "Bearer", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é", f"Bearer {TOKEN[1:]}"],
)
def test_nothing_else_does(shown: str | None) -> None:
    """Not even nearly the token."""
    door = Door()
    assert not door.access.has_token(shown)
    assert door.refused == 1, "whether something was shown or nothing"


def test_a_session_is_opened_by_the_token_alone() -> None:
    """And known by its cookie alone."""
    door = Door()
    assert door.access.open("wrong") is None
    assert door.access.open("") is None
    cookie = door.cookie()

    assert door.access.session(cookie) is not None
    assert door.access.session(f"other=1; {cookie}") is not None
    for other in (None, "", f"{COOKIE}=", f"{COOKIE}={TOKEN}", f"{COOKIE}=s99", "=;=;", cookie + "x"):
        assert door.access.session(other) is None


def test_a_session_ends_by_itself() -> None:
    """After a shift."""
    door = Door()
    cookie = door.cookie()
    door.clock.advance(SESSION_SECONDS - 1)
    assert door.access.session(cookie) is not None
    door.clock.advance(1)
    assert door.access.session(cookie) is None


def test_a_session_ends_with_the_token_that_opened_it() -> None:
    """Whoever changes the token wants nobody in who had the old one."""
    door = Door()
    cookie = door.cookie()
    door.token = SecretStr("another-token-of-some-length")
    assert door.access.session(cookie) is None
    door.token = SecretStr(TOKEN)
    assert door.access.session(cookie) is None, "it is closed for good"


def test_a_session_that_is_closed_is_over() -> None:
    """Twice is harmless."""
    door = Door()
    cookie = door.cookie()
    session = door.access.session(cookie)
    assert session is not None
    door.access.close(session)
    door.access.close(session)
    assert door.access.session(cookie) is None


def test_sessions_are_not_without_number() -> None:
    """The first one makes room."""
    door = Door()
    cookies = [door.cookie() for _ in range(MOST_SESSIONS + 1)]
    assert door.access.session(cookies[0]) is None
    assert all(door.access.session(cookie) is not None for cookie in cookies[1:])


def test_a_form_is_of_one_session() -> None:
    """That of another one is not good enough."""
    door = Door()
    one, other = (door.access.session(door.cookie()) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.may_send(one.form_token)
    assert not one.may_send(other.form_token)
    assert not one.may_send("")


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    """While it is away or empty, the last one counts."""
    file = tmp_path / "token"
    token = TokenFile(file, SecretStr("first"))
    assert token().get_secret_value() == "first"
    file.write_text(" second\n")
    assert token().get_secret_value() == "second"
    for broken in (b"", b"\xff\xfe"):
        file.write_bytes(broken)
        assert token().get_secret_value() == "second"
    file.unlink()
    assert token().get_secret_value() == "second"
    assert "second" not in repr(token())
