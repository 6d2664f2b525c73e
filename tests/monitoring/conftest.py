"""What the tests of alerts and dashboard share."""

import pytest
from prometheus_client import CollectorRegistry

from audience_sync.chat_api.errors import BY_CODE
from audience_sync.telemetry.metrics import Metrics
from tests.monitoring.everyday import Scrapes, everyday_hour


@pytest.fixture(scope="session")
def hour() -> Scrapes:
    """An hour as most are."""
    return everyday_hour()


@pytest.fixture(scope="session")
def served() -> dict[str, list[dict[str, str]]]:
    """{sample: the labels of each of its series}, as they are from the start."""
    registry = CollectorRegistry()
    Metrics(registry, topics=["t"], codes=BY_CODE)
    found: dict[str, list[dict[str, str]]] = {}
    for family in registry.collect():
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, []).append(sample.labels)
    return found
