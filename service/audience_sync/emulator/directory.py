"""Who exists: users who were imported, have logged in, or came into being when they were written to."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from audience_sync.emulator.requests import NewAccount

AWAY_SECONDS: Final = 90 * 86_400.0
"""Documented: a deleted account cannot be imported again for three months."""


class Profile(msgspec.Struct):
    """What is known of an account, but for attributes and tags."""

    nick: str = ""
    face_url: str = ""
    imported: bool = False
    """Whether it was imported or has logged in; otherwise it came into being by a write."""

    deleted_at: float | None = None
    """In unix seconds; None as long as it exists."""


class Directory:
    """All accounts of one app, in the order in which they came. Those that are deleted are remembered."""

    def __init__(self) -> None:
        self.profiles: dict[str, Profile] = {}
        self._deleted = 0

    def __contains__(self, user: object) -> bool:
        profile = self.profiles.get(user) if isinstance(user, str) else None
        return profile is not None and profile.deleted_at is None

    def __iter__(self) -> Iterator[str]:
        return (user for user, profile in self.profiles.items() if profile.deleted_at is None)

    def __len__(self) -> int:
        return len(self.profiles) - self._deleted

    def is_deleted(self, user: str) -> bool:
        """Whether he existed, and does no more."""
        return user in self.profiles and user not in self

    def may_come(self, user: str, now: float) -> bool:
        """Whether *user* can be imported: not soon after he was deleted."""
        profile = self.profiles.get(user)
        return profile is None or profile.deleted_at is None or now - profile.deleted_at >= AWAY_SECONDS

    def add(self, users: Iterable[str]) -> None:
        """They were written to, so they exist."""
        for user in users:
            if user not in self.profiles:
                self.profiles[user] = Profile()

    def import_(self, accounts: Iterable[NewAccount]) -> None:
        """They exist, with these profiles."""
        for account in accounts:
            self._revive(account.user)
            profile = self.profiles.setdefault(account.user, Profile())
            profile.nick, profile.face_url, profile.imported = account.nick, account.face_url, True

    def log_in(self, user: str) -> None:
        """Whoever logs in exists."""
        self.profiles.setdefault(user, Profile()).imported = True

    def delete(self, users: Iterable[str], at: float) -> None:
        """They exist no more."""
        for user in users:
            if user in self:
                self.profiles[user] = Profile(deleted_at=at)
                self._deleted += 1

    def _revive(self, user: str) -> None:
        if self.is_deleted(user):
            del self.profiles[user]  # so that he comes last
            self._deleted -= 1
