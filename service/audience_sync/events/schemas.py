"""The schemas that records are described by: looked up by decoders, fetched in the background, never forgotten early.

A registry that is down loses nothing: records that need a schema wait, and all behind them in their
partition, while it is asked again and again. Only its definite word that it knows no such schema makes a record
unusable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Final, Protocol

import msgspec

from audience_sync.core.backoff import backoff_seconds
from audience_sync.core.event import Cause, Unusable, Wanting
from audience_sync.events.formats.wire import ReadSchema

MOST_SCHEMAS: Final = 1000
"""Kept at once, used or unusable. Ours: a schema takes some 100 kB at most; the oldest is fetched again."""

UNKNOWN_SECONDS: Final = 60.0
"""How long the registry's word holds that it knows no schema of an id. Ours: one may be written late."""


class Described(msgspec.Struct, frozen=True):
    """A schema as the registry tells it. *references*: what it refers to, each after what it needs itself."""

    kind: str
    text: str
    references: Mapping[str, str] = {}


class RegistryError(Exception):
    """The registry gave no definite answer: ask again. The message says what it did, and no secret."""


class UnknownSchemaError(Exception):
    """The registry has no schema of that id."""


class Watch(Protocol):
    """What an operator gets to see of schemas."""

    def schemas_wanted(self, count: int) -> None:
        """Records wait for so many schemas."""

    def schema_fetched(self, schema_id: int, kind: str) -> None:
        """A schema is there."""

    def schema_unusable(self, schema_id: int, why: str) -> None:
        """The registry has no such schema, or nothing can be read by it: records of it go to the dead letters."""

    def schema_not_fetched(self, schema_id: int, error: str) -> None:
        """The registry did not answer; it is asked again, and records wait."""


class Schemas:
    """What is known of schemas, and what is wanted.

    fetch: asks the registry for one. Raises RegistryError, UnknownSchemaError.
    fetched: is called when records that waited can be read.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[Described]],
        *,
        fetched: Callable[[], None],
        watch: Watch,
        clock: Callable[[], float],
        chance: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._fetch = fetch
        self._fetched = fetched
        self._watch = watch
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        self._known: dict[int, ReadSchema | Unusable] = {}
        self._unknown_until: dict[int, float] = {}
        self._wanted: dict[int, None] = {}
        self._asked = asyncio.Event()

    def find(self, schema_id: int) -> ReadSchema | Unusable | None:
        """The schema, or why it can't be used; None if it must be fetched first."""
        known = self._known.get(schema_id)
        if type(known) is Unusable and self._clock() >= self._unknown_until.get(schema_id, float("inf")):
            self._forget(schema_id)
            return None
        return known

    def want(self, wanting: Wanting) -> None:
        """See that the schema is fetched. Safe to repeat."""
        if wanting.schema_id not in self._wanted and wanting.schema_id not in self._known:
            self._wanted[wanting.schema_id] = None
            self._watch.schemas_wanted(len(self._wanted))
            self._asked.set()

    async def run(self) -> None:
        """Fetch what is wanted, until cancelled; at growing intervals while the registry does not answer."""
        failures = 0
        while True:
            await self._asked.wait()
            schema_id = next(iter(self._wanted))
            try:
                described = await self._fetch(schema_id)
            except RegistryError as error:
                failures += 1
                self._watch.schema_not_fetched(schema_id, str(error))
                await self._sleep(backoff_seconds(failures, self._chance()))
                continue
            except UnknownSchemaError:
                self._unknown_until[schema_id] = self._clock() + UNKNOWN_SECONDS
                self._keep(schema_id, unknown(schema_id))
            else:
                self._keep(schema_id, read_schema(schema_id, described))
            failures = 0
            self._fetched()

    def _keep(self, schema_id: int, schema: ReadSchema | Unusable) -> None:
        if len(self._known) >= MOST_SCHEMAS:
            self._forget(next(iter(self._known)))
        self._known[schema_id] = schema
        del self._wanted[schema_id]
        self._watch.schemas_wanted(len(self._wanted))
        if not self._wanted:
            self._asked.clear()
        if isinstance(schema, Unusable):
            self._watch.schema_unusable(schema_id, schema.info)
        else:
            self._watch.schema_fetched(schema_id, schema.kind)

    def _forget(self, schema_id: int) -> None:
        del self._known[schema_id]
        self._unknown_until.pop(schema_id, None)


_READERS: Final = {
    "AVRO": ("audience_sync.events.formats.avro", "AvroSchema"),
    "PROTOBUF": ("audience_sync.events.formats.protobuf", "ProtobufSchema"),
    "JSON": ("audience_sync.events.formats.json_schema", "JsonSchema"),
}
"""What reads schemas of a type. Imported when the first one comes: the libraries are an extra."""


def read_schema(schema_id: int, described: Described) -> ReadSchema | Unusable:
    """The schema as *described*, or why nothing can be read by it. Raises nothing."""
    if described.kind not in _READERS:
        return _unusable(schema_id, f"its type is {described.kind!r}, and {', '.join(_READERS)} are read")
    module, name = _READERS[described.kind]
    try:
        schema: ReadSchema = getattr(import_module(module), name)(described.text, described.references)
    except Exception as error:  # the libraries' words for a schema that is wrong are no closed set
        return _unusable(schema_id, str(error) or type(error).__name__)
    return schema


def unknown(schema_id: int) -> Unusable:
    """What records of a schema are that the registry does not know."""
    return _unusable(schema_id, "the schema registry knows none of this id")


def _unusable(schema_id: int, why: str) -> Unusable:
    return Unusable(Cause.UNREADABLE, f"schema {schema_id}: {why[:400]}")
