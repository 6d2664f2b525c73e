"""Commands wait for the schemas that events need, and say which registry did not answer."""

import asyncio
from collections.abc import Iterator

import pytest

from audience_sync.commands.schemas import finding
from audience_sync.core.event import Unusable
from audience_sync.events.schemas import RegistryError
from audience_sync.settings import RegistrySettings
from tests.support.registry_server import RegistryServer, serving
from tests.support.schemas import MEMBER, text_of


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    with serving() as server:
        server.schemas[1] = {"schema": text_of(MEMBER)}
        yield server


async def test_each_schema_is_asked_for_once_also_from_within_an_event_loop(registry: RegistryServer) -> None:
    """A command that replays runs one; another that plans does not."""
    find = finding(RegistrySettings(url=registry.url))
    assert find is not None

    for _ in range(2):
        for schema_id in (1, 99):
            assert find(schema_id) is await asyncio.to_thread(find, schema_id)

    assert registry.asked == ["/schemas/ids/1", "/schemas/ids/99"]
    assert not isinstance(find(1), Unusable)
    assert isinstance(find(99), Unusable)


def test_a_registry_that_does_not_answer_is_named(registry: RegistryServer) -> None:
    registry.broken = (503, b"")
    find = finding(RegistrySettings(url=registry.url))
    assert find is not None

    with pytest.raises(
        RegistryError, match=f"the schema registry at {registry.url} gave no schema 1: HTTP 503"
    ):
        find(1)


def test_without_a_registry_there_is_nothing_to_ask() -> None:
    assert finding(RegistrySettings()) is None
