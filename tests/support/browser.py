"""A Chromium that is installed, for tests of pages. None is downloaded."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Where Chromium is: as AUDIENCE_SYNC_TEST_CHROMIUM says, or in the path. Skips the test without one."""
    found = os.environ.get("AUDIENCE_SYNC_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if found:
        return found
    needed = (
        f"needs Chromium: {', '.join(NAMES)} in the path, or AUDIENCE_SYNC_TEST_CHROMIUM with where it is"
    )
    if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_BROWSER") == "1":
        pytest.fail(f"a browser is required here: {needed}")
    pytest.skip(needed)


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A headless one for the block."""
    path = chromium()
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # as root, Chromium has no sandbox
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
