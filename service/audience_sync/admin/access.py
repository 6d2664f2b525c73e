"""Who may see and do what an operator may: whoever shows the token, or a session that was opened with it.

What is compared is compared in constant time, and no token is answered like a wrong one.
"""

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final

from pydantic import SecretStr

COOKIE: Final = "audience_sync_operator"
SESSION_SECONDS: Final = 8 * 3600.0
"""So long a session lasts: a shift. Ours."""

MOST_SESSIONS: Final = 20
"""So many are open; beyond, the one that was opened first is closed. Ours."""


class TokenFile:
    """A token that stands in a file, and is read again whenever it is asked for: a new one needs no restart.

    While the file can't be read, or is empty, the last token counts.
    """

    def __init__(self, file: Path, first: SecretStr) -> None:
        self._file = file
        self._last = first

    def __call__(self) -> SecretStr:
        """The token as it is now."""
        try:
            found = self._file.read_text().strip()
        except (OSError, UnicodeDecodeError):
            return self._last
        if found:
            self._last = SecretStr(found)
        return self._last


@dataclass
class Session:
    """What a browser has opened with the token.

    form_token: stands in each form, so that no other page can send one. notice: what to tell on the next page.
    """

    key: str
    form_token: str
    opened_with: bytes
    ends_at: float
    notice: str = ""

    def may_send(self, form_token: str) -> bool:
        """Whether a form with this token came from a page of this session."""
        return hmac.compare_digest(self.form_token.encode(), form_token.encode())


class Access:
    """Compares what is shown with the token. Moments are epoch seconds.

    token: what it is now. new_secret: makes text that can't be guessed. refused: is told that somebody did not
    show it, whatever else he has shown.
    """

    def __init__(
        self,
        token: Callable[[], SecretStr],
        *,
        new_secret: Callable[[], str],
        clock: Callable[[], float],
        refused: Callable[[], None],
    ) -> None:
        self._token = token
        self._new_secret = new_secret
        self._clock = clock
        self._refused = refused
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def has_token(self, authorization: str | None) -> bool:
        """Whether an Authorization header shows the token, as `Bearer TOKEN`."""
        scheme, _, shown = (authorization or "").partition(" ")
        return self._is_token(shown.strip() if scheme.lower() == "bearer" else "")

    def open(self, shown: str) -> tuple[str, Session] | None:
        """A new session and the cookie's value for it, if *shown* is the token."""
        if not self._is_token(shown.strip()):
            return None
        value = self._new_secret()
        session = Session(
            key=_name(value),
            form_token=self._new_secret(),
            opened_with=self._digest(),
            ends_at=self._clock() + SESSION_SECONDS,
        )
        self._sessions[session.key] = session
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return value, session

    def session(self, cookies: str | None) -> Session | None:
        """The session that a Cookie header names, if it is open: not over, and the token still the same."""
        try:
            found = SimpleCookie(cookies or "").get(COOKIE)
        except CookieError:
            return None
        session = self._sessions.get(_name(found.value if found is not None else ""))
        if session is None:
            return None
        if self._clock() < session.ends_at and hmac.compare_digest(session.opened_with, self._digest()):
            return session
        self.close(session)
        return None

    def close(self, session: Session) -> None:
        """End it; twice is harmless."""
        self._sessions.pop(session.key, None)

    def _is_token(self, shown: str) -> bool:
        is_token = hmac.compare_digest(sha256(shown.encode()).digest(), self._digest())
        if not is_token:
            self._refused()
        return is_token

    def _digest(self) -> bytes:
        return sha256(self._token().get_secret_value().encode()).digest()


def _name(value: str) -> str:
    """What a session is kept under: how long a look-up takes tells nothing of the cookie's value."""
    return sha256(value.encode()).hexdigest()
