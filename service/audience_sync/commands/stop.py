"""How a command ends when it can't do what was asked."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code of a command tells."""

    FAILED = 1
    """What was tried came out otherwise than expected; the output says how."""
    BAD_INPUT = 2
    """Arguments, settings, rules or events are wrong; the message says which and the way out."""
    UNAVAILABLE = 3
    """Something outside could not be worked with: Kafka, the Chat API, a port. A repeat may pass."""
    REFUSED = 4
    """The Chat API refused some users, who are listed, or all that was asked; the message says why."""
    INTERRUPTED = 130
    """A person ended it (Ctrl-C); the message says how far it got. The number is what shells give it."""


class Stop(Exception):  # noqa: N818 - it is no error of the program
    """End the command with a message for the user, and this code."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
