"""How much is measured, and what besides."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Size:
    """A whole run, or a quick one, in which each part does a little of everything and no figure means anything."""

    quick: bool = False
    profile_folder: Path | None = None
    """Where parts that know how write profiles of our process; None: nothing is profiled."""

    def of(self, whole: T, *, quick: T) -> T:
        """The one or the other."""
        return quick if self.quick else whole
