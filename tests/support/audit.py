"""Asks for known vulnerabilities of the pinned packages: `make audit`. Fails if there are any.

Where no advisories can be had, it says so and passes: a machine without them must not stop a change.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

PINS: Final = Path(__file__).parents[2] / "constraints.txt"


def judged(packages: Sequence[dict[str, Any]]) -> tuple[str, bool]:
    """What to say of pip-audit's answer, and whether all is well."""
    known = [package for package in packages if "skip_reason" not in package]
    bad = [package for package in known if package["vulns"]]
    if not known:
        return f"No advisories can be had here: {len(packages)} packages were not judged.", True
    lines = [
        f"{package['name']} {package['version']}: {each['id']}, "
        f"mended in {', '.join(each['fix_versions']) or 'no version'}"
        for package in bad
        for each in package["vulns"]
    ]
    skipped = len(packages) - len(known)
    lines.append(
        f"{len(known)} packages were judged, {skipped} were not; {len(bad)} have known vulnerabilities."
    )
    return "\n".join(lines), not bad


def main() -> None:
    """Run pip-audit on exactly the pins."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "-r",
        str(PINS),
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(f"pip-audit failed: {done.stderr}")
    said, well = judged(json.loads(done.stdout)["dependencies"])
    print(said)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
