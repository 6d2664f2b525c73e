"""Schemas for commands, which wait for them: they have nothing else to do meanwhile."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from audience_sync.core.event import Unusable
from audience_sync.events.formats.wire import Find, ReadSchema
from audience_sync.events.schemas import RegistryError, UnknownSchemaError, read_schema, unknown
from audience_sync.outside.registry import schema_registry
from audience_sync.settings import RegistrySettings


def finding(settings: RegistrySettings) -> Find | None:
    """What looks schemas up in the registry that the settings name, each once; None if they name none.

    It blocks, also in an event loop, and raises RegistryError where the registry gives no definite answer.
    """
    if settings.url is None:
        return None
    known: dict[int, ReadSchema | Unusable] = {}
    aside = ThreadPoolExecutor(max_workers=1)  # its own thread, for the caller's may run an event loop

    def find(schema_id: int) -> ReadSchema | Unusable:
        if schema_id not in known:
            known[schema_id] = aside.submit(asyncio.run, _fetched(settings, schema_id)).result()
        return known[schema_id]

    return find


async def _fetched(settings: RegistrySettings, schema_id: int) -> ReadSchema | Unusable:
    registry = schema_registry(settings)
    try:
        return read_schema(schema_id, await registry.fetch(schema_id))
    except UnknownSchemaError:
        return unknown(schema_id)
    except RegistryError as error:
        raise RegistryError(
            f"the schema registry at {settings.url} gave no schema {schema_id}: {error}; see whether it is there, "
            "and whether the path and the credentials are right"
        ) from None
    finally:
        await registry.close()
