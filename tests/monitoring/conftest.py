"""What the tests of alerts share."""

import pytest

from tests.monitoring.everyday import Scrapes, everyday_hour


@pytest.fixture(scope="session")
def hour() -> Scrapes:
    """An hour as most are."""
    return everyday_hour()
