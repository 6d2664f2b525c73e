"""Waiting that a signal may end. No signal cuts into anything else, so cleaning up is never cut short."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NAP_SECONDS: Final = 0.05
"""How late a signal may be noticed."""


class ToldToStopError(Exception):
    """A signal has come; what is open is to be closed."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.strsignal(number) or f"signal {number}")
        self.number = number


class Stopping:
    """Knows whether a signal has come. Made by `signals_end_waiting`."""

    def __init__(self) -> None:
        self._number = 0

    def take(self, number: int, _: FrameType | None = None) -> None:
        """Note a signal; the first one counts."""
        self._number = self._number or number

    def wait(self, seconds: float) -> None:
        """Let so much time pass. Raises ToldToStopError, soon after a signal has come."""
        until = time.monotonic() + seconds
        while not self._number and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, NAP_SECONDS))
        if self._number:
            raise ToldToStopError(self._number)


@contextmanager
def signals_end_waiting() -> Iterator[Stopping]:
    """Within the block signals end nothing but `Stopping.wait`. Only in the main thread."""
    stopping = Stopping()
    before = {number: signal.signal(number, stopping.take) for number in SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
