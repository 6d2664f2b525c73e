"""Positions that were passed without a record: mostly markers and what was compacted away, sometimes a loss.

When retention deletes what a paused partition has not read, the client goes on at the new beginning by itself. What
tells that apart from a harmless gap is the partition's beginning: it lies behind what was to be read next.
"""

from collections.abc import Collection, Mapping

from audience_sync.core.ownership import PartitionKey


class Gaps:
    """The widest gap of each partition since somebody looked where it begins."""

    def __init__(self) -> None:
        self._widest: dict[PartitionKey, tuple[int, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._widest)

    @property
    def partitions(self) -> Collection[PartitionKey]:
        """Whose beginnings to ask for."""
        return list(self._widest)

    def passed(self, key: PartitionKey, expected: int, found: int) -> None:
        """*expected* was to be read next, and *found* was."""
        first, last = self._widest.get(key, (0, 0))
        if found - expected > last - first:
            self._widest[key] = (expected, found)

    def lost(self, beginnings: Mapping[PartitionKey, int]) -> dict[PartitionKey, tuple[int, int]]:
        """{partition: (first lost position, beginning)} of those cut by retention. All gaps are forgotten."""
        found = {
            key: (first, beginnings[key])
            for key, (first, last) in self._widest.items()
            if first < beginnings.get(key, 0) <= last
        }
        self._widest.clear()
        return found

    def forget(self) -> None:
        """The assignment has ended."""
        self._widest.clear()
