"""How a command ends when it can't do what was asked."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code of a command tells."""

    BAD_INPUT = 2
    """Arguments, settings, rules or events are wrong; the message says which and the way out."""
    UNAVAILABLE = 3
    """Something outside could not be worked with: Kafka, a port."""


class Stop(Exception):  # noqa: N818 - it is no error of the program
    """End the command with a message for the user, and this code."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
