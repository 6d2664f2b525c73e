"""Gauges that are read off the service when they are asked for."""

from collections.abc import Callable, Collection, Mapping
from functools import partial

from audience_sync.core.changes import Endpoint
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import Pace
from audience_sync.core.pauses import ALL, ENDPOINT, RULE, Pauses
from audience_sync.core.tenure import Tenure
from audience_sync.telemetry.metrics import RULES, Metrics
from audience_sync.telemetry.shareable import shareable_records


def keep_gauges(
    metrics: Metrics,
    *,
    tenure: Callable[[], Tenure | None],
    paces: Mapping[Endpoint, Pace],
    unread: Callable[[PartitionKey, int], int],
    waiting: Callable[[], Collection[PartitionKey]],
    ready: Callable[[], bool],
    pauses: Pauses,
    clock: Callable[[], float],
) -> None:
    """Let each gauge ask for its value at the moment of a scrape."""

    def of_tenure(value: Callable[[Tenure], float]) -> Callable[[], float]:
        def ask() -> float:
            ours = tenure()
            return 0.0 if ours is None else value(ours)

        return ask

    def oldest_seconds(ours: Tenure) -> float:
        moments = [ledger.oldest_at for _, ledger in ours.ownership.ledgers()]
        return max((clock() - at for at in moments if at is not None), default=0.0)

    def held_partitions(ours: Tenure) -> int:
        held = set(ours.ownership.held_numbers)
        return sum(key.number in held for key in ours.ownership.partitions)

    metrics.waiting_users.set_function(of_tenure(lambda ours: len(ours.debouncer)))
    metrics.oldest_unsettled_seconds.set_function(of_tenure(oldest_seconds))
    metrics.partitions.set_function(of_tenure(lambda ours: len(ours.ownership.partitions)))
    metrics.held_partitions.set_function(of_tenure(held_partitions))
    metrics.unread_records.set_function(
        of_tenure(
            lambda ours: sum(unread(key, ledger.read_position) for key, ledger in ours.ownership.ledgers())
        )
    )
    metrics.shareable_records.set_function(
        of_tenure(
            lambda ours: shareable_records(
                ours, ready=ready(), paces=paces, waiting=waiting(), unread=unread, now=clock()
            )
        )
    )
    metrics.unsettled_records.set_function(
        of_tenure(
            lambda ours: sum(
                ledger.read_position - ledger.settled_position for _, ledger in ours.ownership.ledgers()
            )
        )
    )
    metrics.users_on_two_numbers.set_function(of_tenure(lambda ours: ours.debouncer.seen_on_two_numbers))
    metrics.ready.set_function(lambda: float(ready()))
    metrics.paused.labels(ALL).set_function(lambda: sum(pause.what == ALL for pause in pauses))
    metrics.paused.labels(RULES).set_function(lambda: sum(pause.what.startswith(RULE) for pause in pauses))
    for endpoint, pace in paces.items():
        metrics.ready_users.labels(endpoint).set_function(of_tenure(partial(_ready_users, endpoint)))
        metrics.requests_in_flight.labels(endpoint).set_function(partial(_in_flight, pace))
        metrics.paused.labels(endpoint).set_function(partial(_paused, pauses, endpoint))
        metrics.pace.labels(endpoint).set_function(partial(_calls_per_second, pace, clock))


def _ready_users(endpoint: Endpoint, ours: Tenure) -> float:
    return ours.debouncer.ready.waiting(endpoint)


def _paused(pauses: Pauses, endpoint: Endpoint) -> float:
    return sum(pause.what == f"{ENDPOINT}{endpoint}" for pause in pauses)


def _in_flight(pace: Pace) -> float:
    return pace.in_flight


def _calls_per_second(pace: Pace, clock: Callable[[], float]) -> float:
    return pace.calls_per_second(clock())
