"""A poll that fails has handed out nothing: what it dropped is read again."""

from typing import Any

import pytest
from aiokafka.errors import CorruptRecordException

from audience_sync.core.hold import start_from
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.positions import Positions


class Kafka:
    """As much of the client as a poll and its failure touch."""

    def __init__(self) -> None:
        self.polls = 0

    async def getmany(self, *, timeout_ms: int) -> dict[Any, Any]:
        """Fails at the second poll."""
        self.polls += 1
        if self.polls == 2:
            raise CorruptRecordException(f"wrong checksum, after {timeout_ms} ms")
        return {}


class NothingToSee:
    """A watch that looks away."""

    def committed(self) -> None:
        """Nothing."""

    def not_committed(self, error: str) -> None:
        """Nothing."""

    def made_anew(self, key: PartitionKey, *, committed: int, end: int) -> None:
        """Nothing."""

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Nothing."""


async def test_a_failed_poll_is_told_before_anything_else_happens_and_raised_all_the_same() -> None:
    """FastStream polls again; by then the positions are back where the records were taken in."""
    kafka, failures = Kafka(), []
    positions = Positions(kafka=lambda: kafka, timeout_seconds=1, clock=lambda: 0.0, watch=NothingToSee())
    for _ in range(2):  # each assignment asks for it; one is enough
        positions.guard_polls(lambda: failures.append(kafka.polls))

    assert await kafka.getmany(timeout_ms=50) == {}
    with pytest.raises(CorruptRecordException):
        await kafka.getmany(timeout_ms=50)
    assert await kafka.getmany(timeout_ms=50) == {}

    assert failures == [2]


@pytest.mark.parametrize(
    ("committed", "position", "target", "clean"),
    [
        (None, 5, 5, True),
        ((20, '{"sent_below":40,"clean":true,"v":1}'), 20, 40, True),
        ((20, '{"sent_below":400,"clean":false,"v":1}'), 20, 90, False),
        ((2, '{"sent_below":3,"clean":true,"v":1}'), 5, 5, True),
        ((20, ""), 20, 30, False),
        ((20, "somebody's note"), 20, 30, False),
        ((20, '{"sent_below":40,"clean":true,"v":2}'), 20, 30, False),
    ],
    ids=[
        "no commit",
        "ours",
        "up to the end",
        "cut by retention",
        "a tool's",
        "a stranger's",
        "of a later version",
    ],
)
def test_a_partition_is_held_up_to_where_its_last_owner_may_have_sent(
    committed: tuple[int, str] | None, position: int, target: int, clean: bool
) -> None:
    """Records 5 to 89 are there, and the bound is 10."""
    start = start_from(committed=committed, beginning=5, end=90, bound=10)

    assert (start.position, start.target, start.clean) == (position, target, clean)
