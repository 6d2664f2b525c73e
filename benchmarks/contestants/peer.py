"""Another program that could do the work, and whether it can be had here."""

from typing import Protocol

from benchmarks.contestants.contestant import Contestant


class CannotBeHadError(Exception):
    """A peer can't be had on this machine; the message says what is missing, for the report."""


class Peer(Contestant, Protocol):
    """A contestant that may have to be fetched or built first."""

    slow: bool
    """Whether it is given the first events of the data only, for all of them would take too long."""

    def prepare(self, *, patient: bool) -> None:
        """Fetch and build what it needs, once a machine; not measured. Raises CannotBeHadError.

        patient: also what takes minutes.
        """
