"""Secrets and certificates whose files change while the service runs: looked at, and taken over or refused.

The files are read, not watched for: a Secret changes by a symbolic link two folders above them, which no watch on a
file tells.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from audience_sync.telemetry.metrics import Credential

LOOK_SECONDS: Final = 2.0
"""Between two looks. Ours: a change is taken over with the second look that finds it, so within five seconds."""


class Watch(Protocol):
    """What an operator gets to see of it."""

    def credential_taken(self, credential: Credential) -> None:
        """What has changed applies from now on."""

    def credential_refused(self, credential: Credential, reason: str) -> None:
        """What has changed can't be used; what applied before goes on applying."""

    def credential_unchanged(self, credential: Credential) -> None:
        """The files are again what applies."""


class Rotated:
    """One credential, in one file or several that belong together: all of them are taken, or none.

    load: reads and checks them. Raises ValueError, whose message holds no secret. It may block, and changes nothing.
    take: lets what was loaded apply.
    """

    def __init__(
        self,
        credential: Credential,
        files: Sequence[Path],
        *,
        load: Callable[[], Any],
        take: Callable[[Any], None],
    ) -> None:
        self.credential = credential
        self.load = load
        self.take = take
        self._files = files
        self._applies = self._judged = self._found = self._digest()

    def has_changed(self) -> bool:
        """Whether they hold what was not judged yet, and what they held at the last look: nobody is writing them."""
        last, self._found = self._found, self._digest()
        return self._found == last != self._judged

    def judge(self) -> bool:
        """What was found is being looked at, once. Returns whether it is something else than what applies."""
        self._judged = self._found
        return self._judged != self._applies

    def applied(self) -> None:
        """What was found applies."""
        self._applies = self._judged

    def _digest(self) -> bytes:
        """What tells one content from another."""
        return sha256(b"".join(_content(file) for file in self._files)).digest()


class Rotation:
    """Looks at what may change every two seconds, and hands it on."""

    def __init__(
        self, rotated: Sequence[Rotated], *, sleep: Callable[[float], Awaitable[None]], watch: Watch
    ) -> None:
        self._rotated = rotated
        self._sleep = sleep
        self._watch = watch

    async def run(self) -> None:
        """Look until cancelled. What can't be used is told once, until it changes again."""
        while True:
            await self._sleep(LOOK_SECONDS)
            for each in self._rotated:
                if await asyncio.to_thread(each.has_changed):
                    await self._judge(each)

    async def _judge(self, each: Rotated) -> None:
        if not each.judge():
            self._watch.credential_unchanged(each.credential)
            return
        try:
            each.take(await asyncio.to_thread(each.load))
        except ValueError as error:
            self._watch.credential_refused(each.credential, str(error))
        else:
            each.applied()
            self._watch.credential_taken(each.credential)


def _content(file: Path) -> bytes:
    """What tells one content of a file from another; zeros for one that can't be read."""
    try:
        return sha256(file.read_bytes()).digest()
    except OSError:
        return bytes(sha256().digest_size)
