"""JSON Schemas. They name the event; the data is JSON, and says its fields itself.

Data is not compared with its schema: the producer has done so, and what a rule needs is looked at by the rule.
"""

import json
from collections.abc import Mapping
from typing import Final

from audience_sync.core.event import Fields, Unusable
from audience_sync.events.formats.json import decoded_object


class JsonSchema:
    """One schema. Raises ValueError if it is none."""

    kind: Final = "JSON"

    def __init__(self, text: str, references: Mapping[str, str]) -> None:  # noqa: ARG002 - only the title is used
        schema = json.loads(text)
        title = schema.get("title") if isinstance(schema, dict) else None
        self._name = title if isinstance(title, str) else None

    def read(self, data: bytes) -> tuple[str | None, Fields]:
        """The schema's title, and the object's fields."""
        fields = decoded_object(data)
        if isinstance(fields, Unusable):
            raise ValueError(fields.info)  # noqa: TRY004 - it is the value that is wrong, and its type is ours
        return self._name, fields
