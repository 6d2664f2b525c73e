"""Which request is struck by a fault: by a list, by chance with a seed, by a script of moments.

A fault strikes only requests that are otherwise sound, so it never hides a mistake of the client.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from random import Random
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from audience_sync.emulator.effects import effect_of, seconds
from audience_sync.emulator.endpoints import ENDPOINTS

DAY_SECONDS: Final = 86_400.0


class FailNext(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Sound requests that end in this way: the next *count* of them, or all *for_seconds*, or what is first."""

    kind: str
    endpoint: str | None = None
    """None: of any endpoint."""

    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """None: one, or with *for_seconds* any number."""

    for_seconds: float | None = None
    users: list[str] | None = None
    """Only requests that name one of them."""

    probability: float = 1.0
    """With which it strikes a request that it could strike. Only a strike is counted."""


class FaultSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What to change; what is left out stays as it is. Empty lists and objects, and 0 seconds, switch off."""

    latency_seconds: float | UnsetType = UNSET
    fail_next: list[FailNext] | UnsetType = UNSET
    chance: dict[str, float] | UnsetType = UNSET
    """{kind: probability}, for whatever request the list leaves alone."""

    seed: int | UnsetType = UNSET
    script: "list[Step] | UnsetType" = UNSET


class Step(FaultSettings, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The same, *at_seconds* after the script was given."""

    at_seconds: float


@dataclass
class _Listed:
    """An entry of the list that has begun."""

    entry: FailNext
    users: frozenset[str] | None
    left: int | None
    until: float | None

    def could_strike(self, endpoint: str, users: Collection[str]) -> bool:
        return self.entry.endpoint in (None, endpoint) and (
            self.users is None or not self.users.isdisjoint(users)
        )

    def remaining(self, now: float) -> FailNext:
        until = self.until
        return msgspec.structs.replace(
            self.entry, count=self.left, for_seconds=None if until is None else round(until - now, 3)
        )


class Faults:
    """What is switched on. Moments are seconds on any clock that never goes back."""

    def __init__(self, *, latency_seconds: float, seed: int) -> None:
        self.latency_seconds = latency_seconds
        self.revision = 0
        """Goes up whenever what is switched on changes."""

        self._random = Random(seed)
        self._list: list[_Listed] = []
        self._chance: dict[str, float] = {}
        self._script: list[tuple[float, FaultSettings]] = []  # the moment, and what is changed then

    def change(self, settings: FaultSettings, *, now: float) -> None:
        """Take over what *settings* says. Raises ValueError, naming the value, and then changes nothing."""
        for problem in _problems(settings):
            raise ValueError(problem)
        self.advance(now)
        self._take_over(settings, now)
        if settings.script is not UNSET:
            steps = sorted(settings.script, key=lambda step: step.at_seconds)
            self._script = [(now + step.at_seconds, step) for step in steps]

    def advance(self, now: float) -> None:
        """Let the script go on to *now*, and what has had its time end."""
        while self._script and self._script[0][0] <= now:
            moment, step = self._script.pop(0)
            self._take_over(step, moment)
        if any(each.until is not None and each.until <= now for each in self._list):
            self._list = [each for each in self._list if each.until is None or each.until > now]
            self.revision += 1

    def now_set(self, now: float) -> FaultSettings:
        """What is left of the settings, in the form they were given."""
        self.advance(now)
        return FaultSettings(
            latency_seconds=self.latency_seconds,
            fail_next=[each.remaining(now) for each in self._list],
            chance=self._chance,
            script=[_moved(step, round(moment - now, 3)) for moment, step in self._script],
        )

    def strike(self, endpoint: str, *, users: Collection[str], now: float) -> str | None:
        """The kind that strikes this request, and uses it up; the list goes before chance."""
        if self._script or self._list:
            self.advance(now)
        for each in self._list:
            if each.could_strike(endpoint, users) and self._happens(each.entry.probability):
                self._use_up(each)
                return each.entry.kind
        for kind, probability in self._chance.items():
            if self._random.random() < probability:
                return kind
        return None

    def _happens(self, probability: float) -> bool:
        return probability >= 1 or self._random.random() < probability

    def _use_up(self, each: _Listed) -> None:
        if each.left is None:
            return
        each.left -= 1
        if not each.left:
            self._list.remove(each)
        self.revision += 1

    def _take_over(self, settings: FaultSettings, now: float) -> None:
        self.revision += 1
        if settings.latency_seconds is not UNSET:
            self.latency_seconds = settings.latency_seconds
        if settings.fail_next is not UNSET:
            self._list = [_begun(entry, now) for entry in settings.fail_next]
        if settings.chance is not UNSET:
            self._chance = dict(settings.chance)
        if settings.seed is not UNSET:
            self._random = Random(settings.seed)


def _begun(entry: FailNext, now: float) -> _Listed:
    lasting = entry.for_seconds
    return _Listed(
        entry=entry,
        users=None if entry.users is None else frozenset(entry.users),
        left=1 if entry.count is None and lasting is None else entry.count,
        until=None if lasting is None else now + lasting,
    )


def _moved(step: FaultSettings, at_seconds: float) -> Step:
    assert isinstance(step, Step)
    return msgspec.structs.replace(step, at_seconds=at_seconds)


def _problems(settings: FaultSettings) -> Iterator[str]:
    """Everything about *settings* that cannot be."""
    if settings.latency_seconds is not UNSET:
        yield from _time("latency_seconds", settings.latency_seconds, 3600)
    for entry in settings.fail_next or []:
        yield from _problems_of(entry)
    for kind, probability in (settings.chance or {}).items():
        yield from _kind(kind)
        yield from _probability(kind, probability)
    for step in settings.script or []:
        yield from _time("at_seconds", step.at_seconds, DAY_SECONDS)
        if step.script is not UNSET:
            yield "a step of a script has no script of its own"
        yield from _problems(step)


def _problems_of(entry: FailNext) -> Iterator[str]:
    yield from _kind(entry.kind)
    yield from _probability(entry.kind, entry.probability)
    if entry.endpoint is not None and entry.endpoint not in ENDPOINTS:
        yield f"endpoint {entry.endpoint!r}: one of {', '.join(ENDPOINTS)}, or null"
    if entry.count is not None and entry.count < 1:
        yield f"count {entry.count}: at least 1"
    if entry.for_seconds is not None:
        yield from _time("for_seconds", entry.for_seconds, DAY_SECONDS)
    if entry.users == []:
        yield "users is an empty list: name some, or leave it out for all"


def _kind(kind: str) -> Iterator[str]:
    try:
        effect_of(kind)
    except ValueError as error:
        yield str(error)


def _probability(kind: str, probability: float) -> Iterator[str]:
    if not 0 <= probability <= 1:
        yield f"chance of {kind!r} is {probability}: 0 to 1"


def _time(name: str, given: float, most: float) -> Iterator[str]:
    try:
        seconds(str(given), most)
    except ValueError as error:
        yield f"{name}: {error}"
