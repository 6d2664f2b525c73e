"""A record's bytes into changes: the topic's format, then the rules."""

from audience_sync.core.event import Event, Translation
from audience_sync.core.rule import Format, Source
from audience_sync.core.rules import Rules
from audience_sync.events.formats.cloudevents import cloudevent
from audience_sync.events.formats.json import Read, plain_json


class Translator:
    """Format and rules in one call. Immutable, and without a state: any order, any number of times."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._readers = {topic: _reader(source) for topic, source in rules.sources.items()}

    def translate(self, topic: str, value: bytes | None) -> Translation:
        """What the record does to whom. Never raises on any bytes; *topic* is one of the rules' topics.

        A topic that the rules don't name (a dead letter of former rules, say) is read as a CloudEvent and
        comes back unusable.
        """
        read = self._readers.get(topic, cloudevent)
        event = read(value)
        return self._rules.translate(topic, event) if isinstance(event, Event) else event


def _reader(source: Source) -> Read:
    match source.format:
        case Format.CLOUDEVENTS:
            return cloudevent
        case Format.JSON:
            return plain_json(
                type_field=source.type_field, event_type=source.type, time_field=source.time_field
            )
