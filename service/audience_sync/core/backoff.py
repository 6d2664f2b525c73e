"""How long to wait before the next try."""

from typing import Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0


def backoff_seconds(failures: int, chance: float, *, longest: float = LONGEST_SECONDS) -> float:
    """Seconds to wait after so many *failures* in a row (at least 1): doubling, up to *longest*.

    *chance*, from [0, 1), spreads callers who failed together over the upper half of that time.
    """
    whole = min(FIRST_SECONDS * 2.0 ** min(failures - 1, 10), longest)
    return whole * (0.5 + chance / 2)
