"""`make bench`: all parts in one run, into one JSON, from which the report is made.

python -m benchmarks                                 everything, into docs/performance.json
python -m benchmarks --only throughput,peers         some parts, into build/performance.json
python -m benchmarks --quick                         a little of everything: do the parts work? No figure counts
python -m benchmarks --only throughput --profile     with profiles of our process, in build/profiles:
                                                     python -m pyinstrument --load FILE shows one
python -m benchmarks --report                        docs/performance.md and its pictures, from the JSON as it stands
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks.document import FILE, Document, read, write
from benchmarks.measuring import machine
from benchmarks.parts.size import Size
from benchmarks.report.findings import findings
from benchmarks.report.page import pages, write_pages
from benchmarks.rig import ROOT, Rig

PARTS: Final = (
    *("rules_engine", "transports", "throughput", "sizes", "mixes", "peers", "growth"),
    *("limited", "latency", "memory", "starting", "outage", "costs"),
)
"""The modules of `benchmarks.parts` that a whole run consists of, in their order."""


def main() -> None:
    """Run the parts, and write the JSON."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures the service beside others."
    )
    options.add_argument("--only", help=f"some parts, with commas between them: {', '.join(PARTS)}")
    options.add_argument("--quick", action="store_true", help="a little of everything; no figure counts")
    options.add_argument("--output", type=Path, help="where the JSON goes")
    options.add_argument(
        "--profile", action="store_true", help="write profiles of our process to build/profiles"
    )
    options.add_argument("--report", action="store_true", help="measure nothing; make the page from the JSON")
    given = options.parse_args()
    if given.report:
        write_pages(pages(read(given.output or FILE), findings()))
        return
    names = PARTS if given.only is None else tuple(given.only.split(","))
    if unknown := [name for name in names if name not in PARTS]:
        options.error(f"--only: there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    is_whole = given.only is None and not given.quick and not given.profile
    output = given.output or (FILE if is_whole else ROOT / "build" / "performance.json")
    profiles = ROOT / "build" / "profiles" if given.profile else None
    for folder in (output.parent, profiles):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    document = run(names, Size(quick=given.quick, profile_folder=profiles))
    write(document, output)
    if is_whole:
        write_pages(pages(document, findings()))
    print(f"{document.seconds:.0f} s; {output}")
    if document.failed:
        sys.exit(f"without figures: {', '.join(document.failed)}")


def run(names: tuple[str, ...], size: Size) -> Document:
    """The parts of these names, one after the other, before one broker."""
    begun, here = time.monotonic(), machine()
    if not here.quiet:
        print(
            f"others use {here.busy_before:.0%} of this machine: ratios hold, events a second and delays do not"
        )
    parts: dict[str, Any] = {}
    failed: dict[str, str] = {}
    seconds: dict[str, float] = {}
    with Rig.open() as rig:
        for name in names:
            print(f"{name}:", flush=True)
            part_begun = time.monotonic()
            try:
                parts[name] = import_module(f"benchmarks.parts.{name}").measure(rig, size)
            except Exception as error:  # the others still have something to say
                print(f"  {error}", flush=True)
                failed[name] = f"{type(error).__name__}: {error}"
            seconds[name] = round(time.monotonic() - part_begun, 1)
    return Document(
        taken=datetime.now(UTC).isoformat(timespec="seconds"),
        quick=size.quick,
        seconds=round(time.monotonic() - begun, 1),
        machine=here,
        parts_seconds=seconds,
        parts=parts,
        failed=failed,
    )


if __name__ == "__main__":
    main()
