"""The licences of everything that the image holds besides our own code, from what the packages say of themselves."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

from packaging.requirements import Requirement

SHIPPED: Final = Requirement("audience-sync[registry,traces]")
"""What the image installs."""

SAME: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
"""What packages write, as SPDX has it."""

BY_TEXT: Final = "Redistributions of source code must retain the above copyright notice"
"""Of a package that gives the whole text: the three clauses of BSD begin so."""

ALLOWED: Final = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
)
"""They let anybody use, change and pass on a service that has them within. MPL-2.0 asks for changed files only."""


def shipped() -> dict[str, Distribution]:
    """{name: package} of all that are installed of what the image holds, ours apart."""
    found = needed([SHIPPED])
    del found["audience-sync"]
    return dict(sorted(found.items(), key=lambda each: each[0].lower()))


def needed(asked: Iterable[Requirement]) -> dict[str, Distribution]:
    """{name: package} of all that are installed of what is asked for, and of what that needs."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()

    def walk(wanted: Requirement) -> None:
        extras = frozenset(wanted.extras)
        if (wanted.name.lower(), extras) in seen:
            return
        seen.add((wanted.name.lower(), extras))
        try:
            package = distribution(wanted.name)
        except PackageNotFoundError:
            return  # for another Python or platform
        found[package.metadata["Name"]] = package
        for line in package.requires or ():
            further = Requirement(line)
            marker = further.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                walk(further)

    for each in asked:
        walk(each)
    return found


def licence(package: Distribution) -> str:
    """Its licence in SPDX's words. ValueError if it says none that is known."""
    metadata = package.metadata
    said = [*(metadata.get_all("License-Expression") or ()), *(metadata.get_all("License") or ())]
    said += [
        each.rsplit(" :: ", 1)[-1] for each in metadata.get_all("Classifier") or () if "License ::" in each
    ]
    for text in said:
        found = "BSD-3-Clause" if BY_TEXT in text else SAME.get(text, text)
        if all(part in ALLOWED for part in re.split(r" (?:AND|OR) ", found)):
            return found
    raise ValueError(
        f"{metadata['Name']} says of its licence: {said}; none of it is known in docs/licences.py"
    )


def rows() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each."""
    for name, package in shipped().items():
        yield name, package.version, licence(package)


def page() -> str:
    """docs/licences.md."""
    head = """\
# Licences

<!-- Made from the packages' own metadata by `make docs`. -->

audience-sync is under the Apache License 2.0. The image holds these packages besides, unchanged, for one version of
Python. Each licence lets anybody use, change and pass on a service that has them within; another one would fail
a test.

| package | version | licence |
| --- | --- | --- |
"""
    return head + "".join(f"| {name} | {version} | {spdx} |\n" for name, version, spdx in rows())
