"""Ownerships and tenures in the state that a test begins with."""

from collections.abc import Mapping, Sequence
from typing import Final

from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.hold import Start
from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.tenure import Memory, Tenure

KEY: Final = PartitionKey("events", 0)
FROM_THE_BEGINNING: Final = Start(0, 0, None, clean=True)
TIMES: Final = DebounceTimes(quiet_seconds=2.0, longest_wait_seconds=10.0, fill_seconds=0.1)
BOUNDS: Final = Bounds(lease_seconds=3.0, request_timeout_seconds=3.5, max_unsettled_records=100)
FOR_EVER: Final = Bounds(lease_seconds=1e9, request_timeout_seconds=3.5, max_unsettled_records=100_000)


def an_ownership(
    starts: Mapping[PartitionKey, Start] | None = None,
    *,
    topics: Sequence[str] = ("events",),
    bounds: Bounds = BOUNDS,
    now: float = 0.0,
) -> Ownership:
    """Partitions just assigned, by default one that nobody has ever read; nothing was committed yet."""
    return Ownership(
        epoch=1,
        starts={KEY: FROM_THE_BEGINNING} if starts is None else starts,
        topics=topics,
        bounds=bounds,
        now=now,
    )


def opened(ownership: Ownership, now: float) -> Ownership:
    """The same, after the commit with which sending begins."""
    ownership.accepted(ownership.commit(now), sent_at=now)
    return ownership


def a_tenure(
    now: float,
    *,
    bounds: Bounds = FOR_EVER,
    times: DebounceTimes = TIMES,
    memory: Memory = Memory(),  # noqa: B008 - it is never altered
) -> Tenure:
    """One partition that may be sent for."""
    return Tenure(opened(an_ownership(bounds=bounds, now=now), now), times, memory)
