"""Scenarios from the command line, each with its figures; or one of them, with all of its figures."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.scenarios.playing import Played, play, read
from tests.scenarios.scenario import FOLDER, scenario_files


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 if something was not as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description=__doc__)
    parser.add_argument("name", nargs="?", help="a file's name without .yaml; all by default")
    name = parser.parse_args(arguments).name
    files = [FOLDER / f"{name}.yaml"] if name else scenario_files()
    if missing := [file for file in files if not file.exists()]:
        known = ", ".join(file.stem for file in scenario_files())
        parser.error(f"there is no scenario {missing[0].stem}; there are {known}")
    begun = time.monotonic()
    with multiprocessing.get_context("spawn").Pool() as pool:
        failed = 0
        for file, played in zip(files, pool.imap(play, files), strict=True):
            _tell(file, played, everything=bool(name))
            failed += not played.is_as_expected
    print(f"{len(files)} scenarios in {time.monotonic() - begun:.0f} s, {failed} not as expected")
    return 1 if failed else 0


def _tell(file: Path, played: Played, *, everything: bool) -> None:
    print(f"{file.stem}: {played.sentence}")
    expected = read(file).expect
    for name in played.figures if everything else expected:
        between = f"{expected[name][0]:g} to {expected[name][1]:g}" if name in expected else ""
        print(f"    {name:<32} {played.figures[name]:>10.4g}   {between}")
    if not played.is_as_expected:
        print(played.told())
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
