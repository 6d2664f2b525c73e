"""A rules file that changes while the service runs: looked at again, checked, and taken over or refused.

The file is read, not watched for: a ConfigMap changes by a symbolic link two folders above it, which no watch on the
file tells.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from audience_sync.core.rules import Rules
from audience_sync.rules.problems import RulesError


class Watch(Protocol):
    """What an operator gets to see of it."""

    def rules_taken(self, rules: Rules) -> None:
        """The changed rules apply from the next record on."""

    def rules_refused(self, problems: list[str]) -> None:
        """The changed file can't be used; the rules that applied before go on applying."""

    def rules_unchanged(self) -> None:
        """The file is again what applies."""


class Reload:
    """Looks at the rules file every so many seconds, and hands on what has changed.

    load: reads the file and checks it. Raises RulesError.
    take: lets new rules apply. Raises RulesError, or ValueError with a message, for rules that can't apply here.
    """

    def __init__(
        self,
        file: Path,
        rules: Rules,
        *,
        load: Callable[[], Rules],
        take: Callable[[Rules], Awaitable[None]],
        every_seconds: float,
        sleep: Callable[[float], Awaitable[None]],
        watch: Watch,
    ) -> None:
        self._file = file
        self._topics = _topics(rules)
        self._load = load
        self._take = take
        self._every_seconds = every_seconds
        self._sleep = sleep
        self._watch = watch
        self._applies = self._seen = _digest(file)

    async def run(self) -> None:
        """Look until cancelled. A file that can't be used is told once, until it changes again."""
        while True:
            await self._sleep(self._every_seconds)
            digest = await asyncio.to_thread(_digest, self._file)
            if digest == self._seen:
                continue
            self._seen = digest
            if digest == self._applies:
                self._watch.rules_unchanged()
                continue
            try:
                rules = await asyncio.to_thread(self._load)
                self._compare_topics(rules)
                await self._take(rules)
            except RulesError as error:
                self._watch.rules_refused(error.problems)
            except ValueError as error:
                self._watch.rules_refused([f"{self._file}: {error}"])
            else:
                self._applies = digest
                self._watch.rules_taken(rules)

    def _compare_topics(self, rules: Rules) -> None:
        """Whose partitions are ours depends on the topics, so they can't change while some are."""
        if (topics := _topics(rules)) == self._topics:
            return
        changes = [f"+{topic}" for topic in sorted(topics - self._topics)]
        changes += [f"-{topic}" for topic in sorted(self._topics - topics)]
        raise RulesError(
            [
                f"{self._file}: the topics are others ({', '.join(changes)}), and a running service can't "
                "change them; restart all replicas"
            ]
        )


def _topics(rules: Rules) -> frozenset[str]:
    """The topics, as a message names them."""
    return frozenset(f"{topic} (re-keyed)" if topic in rules.rekeyed else topic for topic in rules.topics)


def _digest(file: Path) -> bytes | None:
    """What tells one content from another; None for a file that can't be read."""
    try:
        return sha256(file.read_bytes()).digest()
    except OSError:
        return None
