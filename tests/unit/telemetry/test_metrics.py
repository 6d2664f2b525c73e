"""Every series is there from the start, told apart by closed sets, and explained."""

from collections.abc import Iterable
from typing import Final

import pytest
from prometheus_client import CollectorRegistry, Metric

from audience_sync.chat_api.errors import BY_CODE
from audience_sync.core.changes import Endpoint
from audience_sync.core.event import Cause
from audience_sync.core.pauses import ALL
from audience_sync.core.verdicts import REFUSED_USER, UNKNOWN_ACCOUNT, Outcome
from audience_sync.telemetry.metrics import (
    RULES,
    ChangeKind,
    Credential,
    EventOutcome,
    FetchOutcome,
    Metrics,
    PartOutcome,
    Readiness,
    ReloadOutcome,
)

TOPICS: Final = ("membership-changed", "city-changed")
CODES: Final = tuple(BY_CODE)

CLOSED: Final[dict[str, frozenset[str]]] = {
    "audience_sync_events/topic": frozenset(TOPICS),
    "audience_sync_events/outcome": frozenset(EventOutcome),
    "audience_sync_changes/kind": frozenset(ChangeKind),
    "audience_sync_parts/endpoint": frozenset(Endpoint),
    "audience_sync_parts/outcome": frozenset(PartOutcome),
    "audience_sync_requests/endpoint": frozenset(Endpoint),
    "audience_sync_requests/outcome": frozenset(Outcome),
    "audience_sync_errors/code": frozenset({*map(str, CODES), "other"}),
    "audience_sync_users_per_request/ready": frozenset(Readiness),
    "audience_sync_request_seconds/endpoint": frozenset(Endpoint),
    "audience_sync_ready_users/endpoint": frozenset(Endpoint),
    "audience_sync_requests_in_flight/endpoint": frozenset(Endpoint),
    "audience_sync_pace_calls_per_second/endpoint": frozenset(Endpoint),
    "audience_sync_paused/what": frozenset({ALL, *Endpoint, RULES}),
    "audience_sync_foreign_keys/topic": frozenset(TOPICS),
    "audience_sync_late_changes/topic": frozenset(TOPICS),
    "audience_sync_rekeyed_copies/topic": frozenset(TOPICS),
    "audience_sync_schema_fetches/outcome": frozenset(FetchOutcome),
    "audience_sync_dead_letters/cause": frozenset({*Cause, REFUSED_USER, UNKNOWN_ACCOUNT}),
    "audience_sync_rules_reloads/outcome": frozenset(ReloadOutcome),
    "audience_sync_rotations/credential": frozenset(Credential),
    "audience_sync_rotations/outcome": frozenset(ReloadOutcome),
    "audience_sync_credentials_outdated/credential": frozenset(Credential),
}
"""Each label of each metric, and what it may hold. A user, a tag or an error's text is in none of them."""


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of its own, so that two tests never share a count."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    """Metrics that nothing has counted on yet."""
    return Metrics(registry, topics=TOPICS, codes=CODES)


def values_of_labels(families: Iterable[Metric]) -> dict[str, set[str]]:
    """What each label of each metric holds; buckets are no label of ours."""
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label != "le":
                    found.setdefault(f"{family.name}/{label}", set()).add(value)
    return found


@pytest.mark.usefixtures("metrics")
def test_every_series_is_there_at_zero(registry: CollectorRegistry) -> None:
    """An alert on a rate sees the first failure only if the series was there before it."""
    families = list(registry.collect())
    assert families
    for family in families:
        assert family.samples, f"{family.name} has no series before something is counted"
        for sample in family.samples:
            assert sample.value == 0 or sample.name.endswith("_created"), sample


@pytest.mark.usefixtures("metrics")
def test_labels_hold_closed_sets(registry: CollectorRegistry) -> None:
    """All of each set, and nothing else."""
    assert values_of_labels(registry.collect()) == CLOSED


@pytest.mark.usefixtures("metrics")
def test_every_metric_is_explained_and_ours(registry: CollectorRegistry) -> None:
    """The help is a sentence; the name says whose it is."""
    for family in registry.collect():
        assert family.name.startswith("audience_sync_")
        assert family.documentation.endswith("."), family.name
        assert family.documentation[0].isupper() or family.documentation[0].isdigit(), family.name


def test_a_code_that_is_not_in_the_table_counts_as_other(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    """The API may invent codes; they must not make series."""
    metrics.count_error(CODES[0])
    metrics.count_error(424242)

    assert registry.get_sample_value("audience_sync_errors_total", {"code": str(CODES[0])}) == 1
    assert registry.get_sample_value("audience_sync_errors_total", {"code": "other"}) == 1
    assert values_of_labels(registry.collect()) == CLOSED


def test_totals_are_sums_over_all_labels(metrics: Metrics) -> None:
    """For a summary at the end, of what came in, what left and what was given up."""
    metrics.events.labels(TOPICS[0], EventOutcome.TRANSLATED).inc(3)
    metrics.events.labels(TOPICS[1], EventOutcome.UNUSABLE).inc()
    metrics.dead_letters.labels(Cause.NO_TYPE).inc()

    totals = metrics.totals()

    assert (totals["records"], totals["dead_letters"], totals["requests"]) == (4, 1, 0)


def test_two_services_in_one_process_share_nothing(metrics: Metrics) -> None:
    """As in tests, and in the demo."""
    other = Metrics(CollectorRegistry(), topics=TOPICS, codes=CODES)
    metrics.events.labels(TOPICS[0], EventOutcome.TRANSLATED).inc()
    assert (metrics.totals()["records"], other.totals()["records"]) == (1, 0)


def test_delays_told_at_once_count_like_delays_told_one_by_one() -> None:
    """Also those on a bound, below the first and above the last."""
    amounts = [0.0, 0.1, 0.10001, 2.0, 2.0, 34.9, 3600.0, 90_000.0]
    at_once, one_by_one = CollectorRegistry(), CollectorRegistry()
    Metrics(at_once, topics=TOPICS, codes=CODES).delay_seconds.observe_all(amounts)
    singly = Metrics(one_by_one, topics=TOPICS, codes=CODES).delay_seconds
    for amount in amounts:
        singly.observe(amount)

    def told(registry: CollectorRegistry) -> dict[str, object]:
        return {
            f"{sample.name}{sample.labels}": pytest.approx(sample.value)
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name.startswith("audience_sync_delay_seconds_") and not sample.name.endswith("_created")
        }

    assert told(at_once) == told(one_by_one)
    assert len(told(at_once)) > len(amounts)
