"""Schemas from a registry that speaks Confluent's protocol. The only module that knows confluent-kafka's client."""

from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import SecretStr

from audience_sync.events.schemas import Described, RegistryError, UnknownSchemaError

_NO_SUCH_SCHEMA: Final = frozenset({40402, 40403})
"""The protocol's own codes for a version or schema that is not there. Any other 404 is a wrong address, say."""

_MOST_REFERENCES: Final = 200
"""Ours: nobody divides one event among more files, and a registry that refers in circles must come to an end."""


class RegistryAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the registry is, and how it is asked. Durations in seconds."""

    url: str
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    timeout_seconds: float = 10.0


class SchemaRegistry:
    """A client. Made in the event loop that uses it; `close` it at the end.

    Raises OSError and ValueError for certificates that can't be used, ImportError without the extra `registry`.
    """

    def __init__(self, address: RegistryAddress) -> None:
        # Imported here: the library is an extra, and brings a second of imports
        from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryError

        self._refusal = SchemaRegistryError
        self._client: Any = AsyncSchemaRegistryClient(_configuration(address))  # the library has no types

    async def fetch(self, schema_id: int) -> Described:
        """The schema of that id, with all it refers to. Raises RegistryError, UnknownSchemaError."""
        try:
            schema = await self._client.get_schema(schema_id)
            kind = schema.schema_type or "AVRO"
            form = "serialized" if kind == "PROTOBUF" else None
            if form is not None:
                await self._client.clear_caches()  # it would give the other form again
                schema = await self._client.get_schema(schema_id, fmt=form)
            references: dict[str, str] = {}
            await self._collect(schema, form, references, set())
        except self._refusal as error:
            if error.http_status_code == 404 and error.error_code in _NO_SUCH_SCHEMA:
                raise UnknownSchemaError from None
            raise RegistryError(f"HTTP {error.http_status_code}, code {error.error_code}") from None
        except (
            Exception
        ) as error:  # connections, TLS, answers that are no JSON: the library lets everything through
            raise RegistryError(f"{type(error).__name__}: {error}"[:300]) from None
        texts = (kind, schema.schema_str, *references, *references.values())
        if not all(isinstance(text, str) for text in texts):
            raise RegistryError("the answer is no schema")
        return Described(kind, schema.schema_str, references)

    async def _collect(
        self, schema: Any, form: str | None, references: dict[str, str], met: set[str]
    ) -> None:
        """Add what *schema* refers to, each after what it refers to itself. *met*: what is begun already."""
        for reference in schema.references or ():
            if reference.name in met:
                continue
            met.add(reference.name)
            if len(met) > _MOST_REFERENCES:
                raise ValueError(f"it refers to more than {_MOST_REFERENCES} schemas")
            version = await self._client.get_version(
                reference.subject, reference.version, deleted=True, fmt=form
            )
            await self._collect(version.schema, form, references, met)
            references[reference.name] = version.schema.schema_str

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _configuration(address: RegistryAddress) -> dict[str, object]:
    """As the library names it. It tries once: who calls repeats."""
    given = {
        "url": address.url,
        "ssl.ca.location": address.ca_file and str(address.ca_file),
        "ssl.certificate.location": address.certificate_file and str(address.certificate_file),
        "ssl.key.location": address.key_file and str(address.key_file),
        "basic.auth.user.info": address.password
        and f"{address.username}:{address.password.get_secret_value()}",
        "timeout": address.timeout_seconds,
        "max.retries": 0,
    }
    return {name: value for name, value in given.items() if value is not None}
