"""What goes wrong on command: by a list, one request after the other, or by chance with a seed.

A fault strikes only requests that are otherwise sound, so it never hides a mistake of the client.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, Final

import msgspec

from audience_sync.emulator.requests import ENDPOINTS


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a fault does to one request. By default: nothing."""

    applies: bool = True
    """Whether the request is applied before anything else happens."""

    code: int | None = None
    """Answered instead of the verdict."""

    status: int | None = None
    """Answered as an HTML page instead of JSON."""

    resets: bool = False
    """The connection is cut instead of an answer."""

    wait_seconds: float = 0.0
    """The answer comes so much later."""


KINDS: Final[dict[str, Callable[[str], Effect]]] = {
    "code": lambda argument: Effect(applies=False, code=_whole(argument, 1, 999_999)),
    "code_after": lambda argument: Effect(code=_whole(argument, 1, 999_999)),
    "http": lambda argument: Effect(applies=False, status=_whole(argument, 400, 599)),
    "reset": lambda argument: _without(argument, Effect(resets=True)),
    "stall": lambda argument: Effect(wait_seconds=_seconds(argument)),
}
"""A kind is written `name` or `name:argument`; this is what each name means."""


class FailNext(msgspec.Struct, forbid_unknown_fields=True):
    """The next *count* sound requests of an endpoint, or of any, end in this way."""

    kind: str
    endpoint: str | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class FaultSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays as it is. Empty lists and objects, and 0 seconds, switch off."""

    latency_seconds: float | msgspec.UnsetType = msgspec.UNSET
    fail_next: list[FailNext] | msgspec.UnsetType = msgspec.UNSET
    chance: dict[str, float] | msgspec.UnsetType = msgspec.UNSET
    seed: int | msgspec.UnsetType = msgspec.UNSET


class Faults:
    """What is switched on at the moment."""

    def __init__(self, *, latency_seconds: float, seed: int) -> None:
        self.latency_seconds = latency_seconds
        self._random = Random(seed)
        self._list: list[FailNext] = []
        self._chance: dict[str, float] = {}

    def change(self, settings: FaultSettings) -> None:
        """Take over what *settings* says. Raises ValueError, naming the value, and then changes nothing."""
        _check(settings)
        if settings.latency_seconds is not msgspec.UNSET:
            self.latency_seconds = settings.latency_seconds
        if settings.fail_next is not msgspec.UNSET:
            self._list = [FailNext(each.kind, each.endpoint, each.count) for each in settings.fail_next]
        if settings.chance is not msgspec.UNSET:
            self._chance = dict(settings.chance)
        if settings.seed is not msgspec.UNSET:
            self._random = Random(settings.seed)

    def now_set(self) -> Mapping[str, object]:
        """What is left of the settings, in the form they were given."""
        return {"latency_seconds": self.latency_seconds, "fail_next": self._list, "chance": self._chance}

    def strike(self, endpoint: str) -> str | None:
        """The kind that strikes this request, and uses it up; the list goes before chance."""
        for entry in self._list:
            if entry.endpoint in (None, endpoint):
                entry.count -= 1
                if not entry.count:
                    self._list.remove(entry)
                return entry.kind
        for kind, probability in self._chance.items():
            if self._random.random() < probability:
                return kind
        return None


def effect_of(kind: str) -> Effect:
    """What a kind does. Raises ValueError for what is no kind."""
    name, _, argument = kind.partition(":")
    if name not in KINDS:
        raise ValueError(f"fault {kind!r}: the kinds are {', '.join(KINDS)}")
    try:
        return KINDS[name](argument)
    except ValueError as error:
        raise ValueError(f"fault {kind!r}: {error}") from error


def _check(settings: FaultSettings) -> None:
    if settings.latency_seconds is not msgspec.UNSET:
        _seconds(str(settings.latency_seconds))
    listed: Sequence[FailNext] = settings.fail_next or []
    for entry in listed:
        effect_of(entry.kind)
        if entry.endpoint is not None and entry.endpoint not in ENDPOINTS:
            raise ValueError(f"endpoint {entry.endpoint!r}: one of {', '.join(ENDPOINTS)}, or null")
        if entry.count < 1:
            raise ValueError(f"count {entry.count}: at least 1")
    chances: Mapping[str, float] = settings.chance or {}
    for kind, probability in chances.items():
        effect_of(kind)
        if not 0 <= probability <= 1:
            raise ValueError(f"chance of {kind!r} is {probability}: 0 to 1")


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most):
        raise ValueError(f"a whole number from {least} to {most} belongs after the colon")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text or "nan")
    if not (math.isfinite(seconds) and 0 <= seconds <= 3600):
        raise ValueError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds


def _without(text: str, effect: Effect) -> Effect:
    if text:
        raise ValueError("nothing belongs after the colon")
    return effect
