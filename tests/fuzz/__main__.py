"""`make fuzz`: so many spoilt records; ends with what became of them, or with the seed that broke something."""

import asyncio
import sys
import time
from argparse import ArgumentParser
from collections import Counter

from tests.fuzz.swamp import Swamp

PIECE = 50_000
"""Records of one seed: what breaks can be seen again in seconds."""


def main() -> None:
    """Run until all are taken in."""
    parser = ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, help="this one only; by default each piece has another")
    given = parser.parse_args()
    first = time.time_ns() % 10**9 if given.seed is None else given.seed
    counts: Counter[str] = Counter()
    started = time.monotonic()
    for piece in range(1 if given.seed is not None else -(-given.records // PIECE)):
        swamp = Swamp(first + piece)
        try:
            asyncio.run(swamp.swallow(PIECE))
        except BaseException:
            print(
                f"\nseed {first + piece} breaks it: python -m tests.fuzz --seed {first + piece}",
                file=sys.stderr,
            )
            raise
        counts += swamp.counts
        print(f"\r{(piece + 1) * PIECE:,} records", end="", file=sys.stderr, flush=True)
    print(f" in {time.monotonic() - started:.0f} s", file=sys.stderr)
    for what, number in sorted(counts.items()):
        print(f"{number:>10,}  {what}")


if __name__ == "__main__":
    main()
