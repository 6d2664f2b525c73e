"""What is said of the answer to whether there are known vulnerabilities."""

from typing import Any

from tests.support.audit import judged

GOOD: dict[str, Any] = {"name": "one", "version": "1", "vulns": []}
BAD: dict[str, Any] = {"name": "two", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["2.1"]}]}
UNKNOWN: dict[str, Any] = {"name": "three", "version": "3", "skip_reason": "not found"}


def test_a_known_vulnerability_is_not_well() -> None:
    """It is named, with the version that mends it."""
    said, well = judged([GOOD, BAD, UNKNOWN])
    assert not well
    assert "two 2: X-1, mended in 2.1" in said
    assert "2 packages were judged, 1 were not; 1 have known vulnerabilities." in said


def test_none_is_well() -> None:
    """How many were judged is told."""
    assert judged([GOOD]) == ("1 packages were judged, 0 were not; 0 have known vulnerabilities.", True)


def test_where_nothing_is_known_it_says_so() -> None:
    """Silence would be taken for good news."""
    assert judged([UNKNOWN]) == ("No advisories can be had here: 1 packages were not judged.", True)
