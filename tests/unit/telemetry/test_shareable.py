"""What replicas are added for: only a backlog that this replica is too slow for, and nothing that waits."""

from typing import Final

from audience_sync.core.changes import AddTag, Endpoint, UserId
from audience_sync.core.hold import Start
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import Pace
from audience_sync.core.tenure import Tenure
from audience_sync.telemetry.shareable import shareable_records
from tests.support.tenures import FOR_EVER, KEY, TIMES, a_tenure, an_ownership, opened

NOW: Final = 1000.0
UNREAD: Final = 7_000


def shareable(
    tenure: Tenure,
    *,
    ready: bool = True,
    calls_per_second: float = 100,
    waiting: frozenset[PartitionKey] = frozenset(),
) -> int:
    """What the gauge says, with so many unread records in each partition."""
    paces = {endpoint: Pace(calls_per_second=calls_per_second, most_in_flight=4) for endpoint in Endpoint}
    return shareable_records(
        tenure, ready=ready, paces=paces, waiting=waiting, unread=lambda *_: UNREAD, now=NOW
    )


def with_users(count: int, *, ready: bool) -> Tenure:
    """So many users whose changes wait for quiet, or are ready for a request."""
    tenure = a_tenure(NOW)
    for number in range(count):
        tenure.debouncer.add(
            UserId(f"user-{number}"),
            [AddTag("a")],
            ledger=tenure.ownership.partitions[KEY].ledger,
            position=number,
            at=NOW,
            now=NOW,
            urgent=ready,
        )
    tenure.debouncer.advance(NOW)
    return tenure


def test_a_backlog_that_the_replica_is_too_slow_for_counts() -> None:
    """Nothing waits, and there is pace: another replica would help."""
    assert shareable(a_tenure(NOW)) == UNREAD


def test_users_who_wait_for_quiet_do_not_change_it() -> None:
    """They are read. Lag that the quiet time holds is no backlog, however many they are."""
    assert shareable(with_users(5_000, ready=False), calls_per_second=1) == UNREAD


def test_with_the_api_at_its_limit_nothing_counts() -> None:
    """Replicas share one limit: a thousand users at two calls a second queue for five seconds, whoever sends them."""
    tenure = with_users(1_000, ready=True)

    assert shareable(tenure, calls_per_second=2) == 0
    assert shareable(tenure, calls_per_second=100) == UNREAD


def test_what_waits_for_room_is_not_counted() -> None:
    """A partition at its bound is not read sooner by another replica."""
    assert shareable(a_tenure(NOW), waiting=frozenset({KEY})) == 0


def test_what_is_held_is_not_counted() -> None:
    """After a rebalance records are read again: were they counted, each new replica would ask for the next."""
    behind = Start(0, 50, None, clean=False)
    other = PartitionKey("events", 1)
    ownership = an_ownership({KEY: behind, other: Start(0, 0, None, clean=True)}, bounds=FOR_EVER, now=NOW)
    tenure = Tenure(opened(ownership, NOW), TIMES)
    assert ownership.held_numbers == [KEY.number]

    assert shareable(tenure) == UNREAD


def test_of_a_service_that_does_not_work_nothing_counts() -> None:
    """Delivery is stopped, the broker accepts no commit: more replicas would wait for the same."""
    assert shareable(a_tenure(NOW), ready=False) == 0
