"""Time that tests move: a clock, and an event loop that jumps to its next timer instead of sleeping."""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

START: Final = 1_000.0
"""Where time begins. Small, so that adding a millisecond is exact enough."""

MOST_TURNS: Final = 200_000
"""An event loop that has turned so often without ending runs in circles."""


class FakeClock:
    """A number of epoch seconds, and `advance`."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        """The moment."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now = max(self.now + seconds, math.nextafter(self.now, math.inf))


class _JumpingSelector(selectors.SelectSelector):
    """Where the loop would wait for a timer, time passes at once."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        assert self._turns < MOST_TURNS, "the event loop runs in circles"
        if timeout is None:
            raise AssertionError("everyone waits, and nothing will ever happen")
        if timeout > 0:
            self._clock.advance(timeout)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time; `loop.time()` is `clock`. For code without sockets and threads."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        super().__init__(_JumpingSelector(self.clock))

    def time(self) -> float:
        """Virtual seconds."""
        return self.clock()


def on_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* to its end on virtual time. Raises AssertionError where it would wait for ever."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def virtual_now() -> float:
    """The moment on the running virtual loop."""
    return asyncio.get_running_loop().time()
