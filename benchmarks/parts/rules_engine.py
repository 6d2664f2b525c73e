"""Events a second through the rules, beside the same translations written by hand: `benchmarks.rules_engine`."""

import msgspec

from benchmarks.parts.size import Size
from benchmarks.rig import Rig
from benchmarks.rules_engine import measured


class Figures(msgspec.Struct, frozen=True):
    """Both comparisons, as the command prints them."""

    with_decoding: dict[str, float]
    without_decoding: dict[str, float]


def measure(_: Rig, size: Size) -> Figures:
    """Measure both; nothing of the rig is needed."""
    return msgspec.convert(measured(size.of(60, quick=3)), Figures)
