"""What goes back to a caller, and when: between what is decided and what is sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto


class Cut(Enum):
    """Whether the connection breaks, and where."""

    NO = auto()
    INSTEAD = auto()
    """It is reset, and nothing is answered."""

    HALFWAY = auto()
    """The headers say how long the answer is, and half of it comes."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """An answer that is decided, with everything that was to be applied applied."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    """Beside those that say what the body is."""

    wait_seconds: float = 0.0
    """It is sent so much later."""

    cut: Cut = Cut.NO


@dataclass(frozen=True, kw_only=True)
class Later:
    """A request that is carried out only after a while, whether its caller still waits or not."""

    wait_seconds: float
    then: Callable[[float], Outcome]
    """Carries it out; is told the moment, in unix seconds."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An answer without an end: server-sent events, as long as the caller stays."""

    news: Callable[[float], Iterator[bytes]]
    """What came since it was asked last; is told the moment, in unix seconds."""

    pause_seconds: float
    """From one question to the next, at least."""
