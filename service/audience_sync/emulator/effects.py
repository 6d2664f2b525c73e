"""What each kind of fault does to the request that it strikes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from audience_sync.emulator.outcome import Cut, Outcome

GATEWAY_SECONDS: Final = 3.0
"""After so long the gateway gives up on the service behind it. Documented on an older page."""

GATEWAY_CODE: Final = 60008
"""What it says then."""

PAGE: Final = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center></body></html>"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What becomes of one request. By default: the usual."""

    delay_seconds: float = 0.0
    """Nothing is applied before so much time has passed, whether the caller waits or not."""

    applies: bool = True
    """Whether the request is applied, before it is answered in whatever way."""

    code: int | None = None
    """Answered instead of the verdict."""

    wait_seconds: float = 0.0
    """From applying to answering."""

    status: int | None = None
    """Answered as an HTML page instead of JSON."""

    garbage: bool = False
    """The answer is no JSON, though everything around it says so."""

    cut: Cut = Cut.NO

    @property
    def hides_the_verdict(self) -> bool:
        """Whether no code can be read from the answer."""
        return self.status is not None or self.garbage

    def spoil(self, outcome: Outcome) -> Outcome:
        """What goes back instead of *outcome*."""
        spoilt = replace(outcome, wait_seconds=outcome.wait_seconds + self.wait_seconds, cut=self.cut)
        if self.status is not None:
            page = PAGE % (self.status, self.status)
            return replace(spoilt, body=page, status=self.status, content_type="text/html")
        if self.garbage:
            return replace(spoilt, body=b"\x00" + outcome.body[1:])
        return spoilt


NO_EFFECT: Final = Effect()


def effect_of(kind: str) -> Effect:
    """What a kind does. Raises ValueError for what is no kind."""
    name, _, argument = kind.partition(":")
    if name not in KINDS:
        raise ValueError(f"fault {kind!r}: the kinds are {', '.join(KINDS)}")
    try:
        return KINDS[name](argument)
    except ValueError as error:
        raise ValueError(f"fault {kind!r}: {error}") from error


def seconds(text: str, most: float = 3600.0) -> float:
    """A number of seconds from a text. Raises ValueError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= most:
        raise ValueError(f"{text!r} is not a number of seconds from 0 to {most:g}")
    return found


def _code(text: str) -> int:
    return _whole(text, 1, 999_999)


def _status(text: str) -> int:
    return _whole(text, 400, 599)


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most):
        raise ValueError(f"a whole number from {least} to {most} belongs after the colon")
    return int(text)


def _always(effect: Effect) -> Callable[[str], Effect]:
    def without(argument: str) -> Effect:
        if argument:
            raise ValueError("nothing belongs after the colon")
        return effect

    return without


KINDS: Final[dict[str, Callable[[str], Effect]]] = {
    "delay": lambda argument: Effect(delay_seconds=seconds(argument)),
    "stall": lambda argument: Effect(wait_seconds=seconds(argument)),
    "timeout": _always(Effect(applies=False, code=GATEWAY_CODE, wait_seconds=GATEWAY_SECONDS)),
    "timeout_after": _always(Effect(code=GATEWAY_CODE, wait_seconds=GATEWAY_SECONDS)),
    "code": lambda argument: Effect(applies=False, code=_code(argument)),
    "code_after": lambda argument: Effect(code=_code(argument)),
    "http": lambda argument: Effect(applies=False, status=_status(argument)),
    "http_after": lambda argument: Effect(status=_status(argument)),
    "reset_before": _always(Effect(applies=False, cut=Cut.INSTEAD)),
    "reset": _always(Effect(cut=Cut.INSTEAD)),
    "half": _always(Effect(cut=Cut.HALFWAY)),
    "garbage": _always(Effect(garbage=True)),
}
"""A kind is written `name` or `name:argument`; this is what each name means."""
