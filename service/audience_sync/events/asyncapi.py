"""The AsyncAPI document of what the service reads and writes, made from the rules; nothing is connected.

FastStream describes the channels of a broker's subscribers and publishers. So the topics of the rules are
subscribed to on a broker that is never started, with models of the events made from what the rules need.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import cleandoc
from typing import Annotated, Any, Final

import msgspec
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel, RootModel, WithJsonSchema, create_model

from audience_sync.core.rule import Format, OtherTypes, Rule, Source
from audience_sync.core.rules import Rules
from audience_sync.events.dead_letters import DeadLetter
from audience_sync.events.event_schema import event_schema

_USER_KEY: Final = {
    "type": "string",
    "description": "The user whom the rules find, as in the value. Events of one user are in order only so.",
}


def document(
    rules: Rules, *, dead_letter_topic: str, bootstrap_servers: Sequence[str], version: str
) -> dict[str, Any]:
    """AsyncAPI 3.0 as JSON values: a channel a topic, with the events that the rules name. Connects to nothing."""
    broker = KafkaBroker(list(bootstrap_servers))
    for source in rules.sources.values():
        description = f"Read. {_WRITTEN.get(source.format, '')}{_of_other_types(source)}"
        broker.subscriber(source.topic, title=source.topic, description=description)(
            _taking(_model(source.topic, _events(source, rules.rules)))
        )
    broker.publisher(
        dead_letter_topic,
        title=dead_letter_topic,
        description="Written: what could not be applied, with the reason.",
        schema=_model("DeadLetter", _dead_letter()),
    )
    described = AsyncAPI(
        broker,
        title="audience-sync",
        version=version,
        description="Keeps user attributes and tags in Tencent Cloud Chat in step with these events.",
    ).to_specification()
    content: dict[str, Any] = msgspec.json.decode(described.to_json())
    for name, message in content["components"]["messages"].items():
        if not name.startswith(f"{dead_letter_topic}:"):
            del message["correlationId"]  # FastStream's own header: events need none
            message["bindings"] = {"kafka": {"key": _USER_KEY}}
    for part in (content["channels"], content["operations"], *content["components"].values()):
        for name in sorted(part):  # FastStream keeps subscribers in no order
            part[name] = part.pop(name)
    return content


_WRITTEN: Final[Mapping[str, str]] = {
    Format.DEBEZIUM: "Change events of Debezium. ",
    Format.AVRO: "Avro in Confluent's wire format; described is what it holds. ",
    Format.PROTOBUF: "Protobuf in Confluent's wire format; described is what it holds. ",
    Format.JSON_SCHEMA: "JSON in Confluent's wire format. ",
}
"""How records are written where the schema of their fields does not say all."""


def _of_other_types(source: Source) -> str:
    match source.other_types:
        case _ if source.type is not None:
            return "Every record is an event of the one type."
        case OtherTypes.DEAD_LETTER:
            return "Events of other types go to the dead letters."
        case OtherTypes.IGNORE:
            return "Events of other types are counted and ignored."


def _taking(kind: type[BaseModel]) -> Callable[..., Awaitable[None]]:
    """A handler whose one parameter is of that kind; FastStream reads its annotation, and nothing calls it."""

    async def event(event: Any) -> None:
        pass

    event.__annotations__["event"] = kind
    return event


def _model(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """A model that is described by *schema*. It refers to nothing, so no two models can mix up their parts."""
    return create_model(
        name,
        __base__=RootModel[Annotated[dict[str, object], WithJsonSchema(dict(schema))]],
        __module__=__name__,
    )


def _events(source: Source, rules: Sequence[Rule]) -> dict[str, Any]:
    """The schema of *source*'s events: one for each type that rules read from it."""
    by_type: dict[str, list[Rule]] = {}
    for rule in rules:
        for kind in rule.events if source.topic in rule.topics else ():
            by_type.setdefault(kind, []).append(rule)
    if not by_type:
        return {"description": "No rule reads events from here."}
    return {"oneOf": [event_schema(source, kind, each) for kind, each in by_type.items()]}


def _dead_letter() -> dict[str, Any]:
    """The schema of a dead letter, from the structure that is written."""
    [_], schemas = msgspec.json.schema_components([DeadLetter])
    letter: dict[str, Any] = _inlined(schemas["DeadLetter"], schemas)
    return letter | {"description": cleandoc(letter["description"])}


def _inlined(schema: Any, schemas: Mapping[str, Any]) -> Any:
    """*schema* with each reference replaced by what it refers to."""
    match schema:
        case {"$ref": str(reference)}:
            return _inlined(schemas[reference.rpartition("/")[2]], schemas)
        case dict():
            return {key: _inlined(value, schemas) for key, value in schema.items()}
        case list():
            return [_inlined(item, schemas) for item in schema]
        case _:
            return schema
