"""What the image installs is exactly what is pinned, each file by its hash."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.licences import SHIPPED, needed

ROOT: Final = Path(__file__).parents[2]
GROUPS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
LISTS: Final = {"packages": [SHIPPED], "tools": [Requirement(each) for each in GROUPS["image"]]}
"""The lists in image/, and what each is made from."""


@pytest.fixture(params=LISTS)
def name(request: pytest.FixtureRequest) -> str:
    """A list."""
    return str(request.param)


def listed(name: str) -> dict[Requirement, list[str]]:
    """Each package of the list, and its hashes."""
    text = (ROOT / "image" / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {Requirement(line.partition(" --")[0]): re.findall(r"--hash=(\S+)", line) for line in lines}


def names(found: Iterable[str]) -> set[str]:
    """As the index spells them."""
    return {str(canonicalize_name(each)) for each in found}


def test_each_has_the_version_that_is_pinned_and_hashes(name: str) -> None:
    """Else `make pins` was forgotten after a change of constraints.txt."""
    lines = [line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    pinned = {str(canonicalize_name(each)): version for each, version in lines}
    for requirement, hashes in listed(name).items():
        assert str(requirement.specifier) == f"=={pinned[requirement.name]}", "run `make pins`"
        assert hashes
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes)


def test_nothing_is_missing_and_nothing_too_much(name: str) -> None:
    """For this Python: what is asked for, what that needs, and no more."""
    here = [each.name for each in listed(name) if each.marker is None or each.marker.evaluate()]
    assert names(here) == names(needed(LISTS[name])) - {"audience-sync"}, "run `make pins`"
