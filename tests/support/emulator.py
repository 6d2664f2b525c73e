"""An emulated Chat API for tests: a fixture that also checks the promises, and signed calls to it.

Signatures come from the vendor's published package, so that neither side's reading checks itself.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from TLSSigAPIv2 import TLSSigAPIv2  # type: ignore[import-untyped]  # it ships no types

from audience_sync.emulator.endpoints import BY_PATH
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.settings import AppSettings, Settings

SETTINGS = Settings(key="a key for tests", attribute_names=("membership", "city"))


@pytest.fixture
async def chat_api() -> AsyncIterator[Emulator]:
    """The emulated Chat API on a free port. Whatever a test checks, it checks this too."""
    async with serve(SETTINGS) as emulator:
        yield emulator
    assert emulator.broken_limits == []
    assert emulator.overlaps == [], "one user was in two requests at the same time"


def query(settings: AppSettings = SETTINGS, **other: str) -> dict[str, str]:
    """The query of a call that is let in, with parts of it replaced."""
    signature = TLSSigAPIv2(settings.app_id, settings.key).gen_sig(settings.admin, expire=86_400)
    return {
        "sdkappid": str(settings.app_id),
        "identifier": settings.admin,
        "usersig": signature,
        "random": str(time.monotonic_ns() % 4_294_967_296),
        "contenttype": "json",
        **other,
    }


def path_of(endpoint: str) -> str:
    """Where an endpoint is called that has this name in the emulator's counters."""
    return {each.name: path for path, each in BY_PATH.items()}[endpoint]


async def call(client: httpx.AsyncClient, emulator: Emulator, endpoint: str, body: object) -> Any:
    """What an endpoint answers to a signed call: whatever JSON it is."""
    address = emulator.url + path_of(endpoint)
    answer = await client.post(address, params=query(emulator.settings), json=body)
    return answer.json()
