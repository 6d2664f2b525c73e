"""The JSON Schema of the rules file: what an editor completes and explains it from."""

from typing import Any, Final

from audience_sync.rules.model import RulesFileModel

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_EXAMPLE: Final = {
    "sources": [{"topic": "orders", "format": "cloudevents"}],
    "rules": [
        {
            "name": "last product",
            "event": "com.example.order.paid",
            "user": "{data.customer.id}",
            "changes": [{"set_attribute": {"name": "last_product", "value": "{data.product}"}}],
        }
    ],
}


def json_schema() -> dict[str, Any]:
    """The schema, as JSON values. It refuses what it can know; the loader knows more, and says how to mend it.

    A schema knows characters and no bytes, one part of the file at a time, and neither CEL nor Python.
    """
    schema = RulesFileModel.model_json_schema()
    return {
        "$schema": _DIALECT,
        "title": "Rules of audience-sync",
        **_without_titles(schema),
        "examples": [_EXAMPLE],
    }


def _without_titles(schema: Any) -> Any:
    """*schema* without the names of our classes, which an editor would show in place of the descriptions."""
    match schema:
        case dict():
            return {
                key: _without_titles(value)
                for key, value in schema.items()
                if key != "title" or not isinstance(value, str)
            }
        case list():
            return [_without_titles(item) for item in schema]
        case _:
            return schema
