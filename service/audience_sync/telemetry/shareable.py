"""The backlog that more replicas would read sooner: what the number of replicas may follow."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from audience_sync.core.changes import Endpoint
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import Pace
from audience_sync.core.tenure import Tenure

QUEUE_SECONDS: Final = 2.0
"""An endpoint whose ready users take longer than this, at its pace and in full requests, has no pace to spare. Ours:
users of one batch become ready together, and are gone within a second where there is pace."""


def shareable_records(
    tenure: Tenure,
    *,
    ready: bool,
    paces: Mapping[Endpoint, Pace],
    waiting: Collection[PartitionKey],
    unread: Callable[[PartitionKey, int], int],
    now: float,
) -> int:
    """Unread records that nothing holds up but this replica's own speed, at *now* (epoch seconds).

    ready: whether the service does its work. waiting: partitions whose next records wait for something: room,
    a schema, the end of a stop. What another replica could not read sooner either is left out: with the API at its
    limit all of it, as replicas share one limit.
    """
    if not ready or any(_no_pace_to_spare(tenure, endpoint, pace, now) for endpoint, pace in paces.items()):
        return 0
    held = set(tenure.ownership.held_numbers)
    return sum(
        unread(key, ledger.read_position)
        for key, ledger in tenure.ownership.ledgers()
        if key not in waiting and key.number not in held
    )


def _no_pace_to_spare(tenure: Tenure, endpoint: Endpoint, pace: Pace, now: float) -> bool:
    requests = tenure.debouncer.ready.waiting(endpoint) / USERS_PER_REQUEST
    return requests > QUEUE_SECONDS * pace.calls_per_second(now)
