"""Prometheus' own tools for tests."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of promtool, which comes with Prometheus."""
    if found := shutil.which("promtool"):
        return found
    why = "promtool is not installed; it comes with Prometheus (Debian's package prometheus)"
    if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_PROMTOOL") == "1":
        pytest.fail(why)
    pytest.skip(why)
