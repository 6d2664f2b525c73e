"""What a person has paused: all, requests to an endpoint, the events of a rule.

A pause loses nothing, and sends nothing out of order. Who waits for a paused endpoint goes on waiting with all
that he waits for, so his parts leave in their order. A rule is paused by reading no further in its topics: events
that were read and not applied would have to be kept for ever, or their positions be committed without them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from audience_sync.core.changes import Endpoint
from audience_sync.core.rules import Rules

ALL: Final = "all"
ENDPOINT: Final = "endpoint:"
RULE: Final = "rule:"
"""How what is paused is called: `all`, `endpoint:add_tag`, `rule:city`."""


class NotPausableError(ValueError):
    """There is nothing of that name. The message says what there is."""


class Pause(msgspec.Struct, frozen=True):
    """One thing that is paused.

    since: epoch seconds. topics: where nothing is read for it, if it is a rule.
    """

    what: str
    since: float
    topics: tuple[str, ...] = ()


class Pauses:
    """What is paused now, in this replica; nothing at its start."""

    def __init__(self, topics_of_rules: Mapping[str, Sequence[str]]) -> None:
        """Take the rules: {name: the topics that its events come from}."""
        self._topics_of_rules = topics_of_rules
        self._paused: dict[str, Pause] = {}
        self._endpoints: frozenset[Endpoint] = frozenset()
        self._topics: frozenset[str] = frozenset()
        self._all = False

    def __bool__(self) -> bool:
        return bool(self._paused)

    def __iter__(self) -> Iterator[Pause]:
        """The longest paused first."""
        return iter(self._paused.values())

    @property
    def pausable(self) -> tuple[str, ...]:
        """All that `pause` takes."""
        return (
            ALL,
            *(f"{ENDPOINT}{endpoint}" for endpoint in Endpoint),
            *(f"{RULE}{name}" for name in self._topics_of_rules),
        )

    @property
    def reason(self) -> str | None:
        """Why the service is not doing all of its work, or None."""
        if not self._paused:
            return None
        return f"paused by a person, until it is resumed or the process ends: {', '.join(self._paused)}"

    def sends_to(self, endpoint: Endpoint) -> bool:
        """Whether requests may leave to *endpoint*."""
        return not self._all and endpoint not in self._endpoints

    def reads(self, topic: str) -> bool:
        """Whether records of *topic* may be taken in, beyond what a hold needs."""
        return not self._all and topic not in self._topics

    def pause(self, what: str, now: float) -> Pause:
        """Pause it; what is paused already stays so since it was. Raises NotPausableError."""
        if (pause := self._paused.get(what)) is not None:
            return pause
        if what not in self.pausable:
            raise NotPausableError(f"there is no {what!r} to pause; there is {', '.join(self.pausable)}")
        topics = (
            tuple(self._topics_of_rules.get(what.removeprefix(RULE), ())) if what.startswith(RULE) else ()
        )
        pause = self._paused[what] = Pause(what, now, topics)
        self._look()
        return pause

    def resume(self, what: str) -> bool:
        """Let it go on. Returns whether it was paused. Raises NotPausableError for what never can be."""
        if what not in self._paused and what not in self.pausable:
            raise NotPausableError(f"there is no {what!r} to resume; there is {', '.join(self.pausable)}")
        if self._paused.pop(what, None) is None:
            return False
        self._look()
        return True

    def take(self, topics_of_rules: Mapping[str, Sequence[str]]) -> None:
        """The rules have changed. A paused one that is gone stays paused where it was."""
        self._topics_of_rules = topics_of_rules
        for what, pause in self._paused.items():
            topics = topics_of_rules.get(what.removeprefix(RULE)) if what.startswith(RULE) else None
            if topics is not None:
                self._paused[what] = Pause(what, pause.since, tuple(topics))
        self._look()

    def _look(self) -> None:
        """Work out what each question is answered with: it is asked far more often than anything is paused."""
        self._all = ALL in self._paused
        self._endpoints = frozenset(e for e in Endpoint if f"{ENDPOINT}{e}" in self._paused)
        self._topics = frozenset(topic for pause in self._paused.values() for topic in pause.topics)


def topics_of_rules(rules: Rules) -> dict[str, tuple[str, ...]]:
    """{name of a rule: the topics that its events come from}, as `Pauses` takes them."""
    return {rule.name: rule.topics for rule in rules.rules}
