"""Schemas are fetched in the background; a registry that is down loses nothing, and one that knows none says so."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from audience_sync.core.event import Unusable, Wanting
from audience_sync.events import schemas as module
from audience_sync.events.schemas import (
    UNKNOWN_SECONDS,
    Described,
    RegistryError,
    Schemas,
    UnknownSchemaError,
)
from tests.support.clock import FakeClock
from tests.support.schemas import MEMBER, text_of

AVRO = Described("AVRO", text_of(MEMBER))


class Registry:
    """Answers what a test says, and keeps what was asked and told."""

    def __init__(self) -> None:
        self.answers: dict[int, Described] = {1: AVRO}
        self.down = False
        self.asked: list[int] = []
        self.slept: list[float] = []
        self.told: list[str] = []
        self.clock = FakeClock()
        self.schemas = Schemas(
            self._fetch,
            fetched=lambda: self.told.append("read on"),
            watch=self,
            clock=self.clock,
            chance=lambda: 0.0,
            sleep=self._sleep,
        )

    async def _fetch(self, schema_id: int) -> Described:
        self.asked.append(schema_id)
        if self.down:
            raise RegistryError("HTTP 503, code 50301")
        if schema_id not in self.answers:
            raise UnknownSchemaError
        return self.answers[schema_id]

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        if len(self.slept) == 8:
            self.down = False

    def schemas_wanted(self, count: int) -> None:
        """Records wait for so many schemas."""
        self.told.append(f"wanted: {count}")

    def schema_fetched(self, schema_id: int, kind: str) -> None:
        """A schema is there."""
        self.told.append(f"{schema_id}: {kind}")

    def schema_unusable(self, schema_id: int, why: str) -> None:
        """None is there, or nothing can be read by it."""
        self.told.append(f"{schema_id}: {why}")

    def schema_not_fetched(self, schema_id: int, error: str) -> None:
        """The registry did not answer."""
        self.told.append(f"{schema_id}: {error}")


def run(story: Callable[[Registry], Awaitable[None]]) -> Registry:
    """Tell *story* with schemas being fetched."""

    async def main() -> Registry:
        registry = Registry()
        task = asyncio.create_task(registry.schemas.run())
        await story(registry)
        task.cancel()
        await asyncio.wait([task])
        return registry

    return asyncio.run(main())


async def settled() -> None:
    """Everything that needs no further word has happened."""
    for _ in range(100):
        await asyncio.sleep(0)


def test_a_schema_is_fetched_once_and_records_are_read_on() -> None:
    async def story(registry: Registry) -> None:
        assert registry.schemas.find(1) is None
        registry.schemas.want(Wanting(1))
        registry.schemas.want(Wanting(1))
        await settled()
        registry.schemas.want(Wanting(1))
        await settled()
        found = registry.schemas.find(1)
        assert found is not None
        assert not isinstance(found, Unusable)
        assert found.kind == "AVRO"

    registry = run(story)
    assert registry.asked == [1]
    assert registry.told == ["wanted: 1", "wanted: 0", "1: AVRO", "read on"]


def test_a_registry_that_is_down_is_asked_until_it_answers() -> None:
    """At growing intervals; meanwhile the schema is neither there nor given up, so its records wait."""

    async def story(registry: Registry) -> None:
        registry.down = True
        registry.schemas.want(Wanting(1))
        await asyncio.sleep(0)
        assert registry.schemas.find(1) is None
        await settled()
        assert registry.schemas.find(1) is not None

    registry = run(story)
    assert registry.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert registry.told == ["wanted: 1", *["1: HTTP 503, code 50301"] * 8, "wanted: 0", "1: AVRO", "read on"]


def test_a_schema_that_the_registry_does_not_know_makes_records_unusable_for_a_while() -> None:
    """Its definite word. One that is registered late is found later."""

    async def story(registry: Registry) -> None:
        registry.schemas.want(Wanting(2))
        await settled()
        unknown = registry.schemas.find(2)
        assert isinstance(unknown, Unusable)
        assert unknown.info == "schema 2: the schema registry knows none of this id"
        registry.clock.advance(seconds=UNKNOWN_SECONDS - 1)
        assert registry.schemas.find(2) is unknown
        registry.clock.advance(seconds=1)
        registry.answers[2] = AVRO
        assert registry.schemas.find(2) is None
        registry.schemas.want(Wanting(2))
        await settled()
        assert not isinstance(registry.schemas.find(2), Unusable)

    assert run(story).asked == [2, 2]


@pytest.mark.parametrize(
    ("described", "why"),
    [
        (Described("XML", "<a/>"), "its type is 'XML', and AVRO, PROTOBUF, JSON are read"),
        (Described("AVRO", '"string"'), "it is no record"),
        (Described("AVRO", "{"), "Expecting property name"),
        (Described("AVRO", '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "B"}]}'), "B"),
        (Described("AVRO", "[" * 100_000), "maximum recursion depth"),
        (Described("PROTOBUF", "message M {}"), "it is not served in serialised form"),
        (Described("JSON", "{"), "Expecting property name"),
    ],
)
def test_a_schema_by_which_nothing_can_be_read_makes_records_unusable(described: Described, why: str) -> None:
    """For as long as the service runs: a schema never changes."""

    async def story(registry: Registry) -> None:
        registry.answers[3] = described
        registry.schemas.want(Wanting(3))
        await settled()
        registry.clock.advance(seconds=1e9)
        found = registry.schemas.find(3)
        assert isinstance(found, Unusable)
        assert found.info.startswith(f"schema 3: {why}")

    run(story)


def test_so_many_schemas_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken records may name any of four billion."""
    monkeypatch.setattr(module, "MOST_SCHEMAS", 3)

    async def story(registry: Registry) -> None:
        for schema_id in range(1, 6):
            registry.schemas.want(Wanting(schema_id))
            await settled()
        assert [number for number in range(1, 6) if registry.schemas.find(number) is not None] == [3, 4, 5]

    run(story)
