"""A record's bytes into changes: the topic's format, then the rules."""

from audience_sync.core.event import Event, Translation
from audience_sync.core.rules import Rules
from audience_sync.events.formats.cloudevents import cloudevent
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.formats.wire import Find
from audience_sync.events.rekeyed import rekeyed_translation
from audience_sync.formats import FormatError, Record


class Translator:
    """Format and rules in one call. Without a state of its own: any order, any number of times.

    find: looks up schemas, where a registry is known.
    Raises FormatError for a source that can't be read as its format says.
    """

    def __init__(self, rules: Rules, find: Find | None = None, *, rekeyed_topic: str | None = None) -> None:
        """Take the rules. rekeyed_topic: the service's own, whose records tell changes already."""
        self._find = find
        self._rekeyed_topic = rekeyed_topic
        self.take(rules)

    def take(self, rules: Rules) -> None:
        """Let these rules apply from the next record on. Raises FormatError, and then nothing has changed."""
        decoders = {topic: decoder_of(source, self._find) for topic, source in rules.sources.items()}
        self._rules, self._decoders = rules, decoders

    def by_event_time(self, topic: str) -> bool:
        """Whether in *topic* the events' own times decide which word is the last."""
        source = self._rules.sources.get(topic)
        return source is not None and source.event_time

    def translate(self, topic: str, record: Record) -> Translation:
        """What the record does to whom. Never raises on any bytes; *topic* is one of the rules' topics.

        A topic that the rules don't name (a dead letter of former rules, say) is read as a CloudEvent and
        comes back unusable.
        """
        if topic == self._rekeyed_topic:
            return rekeyed_translation(record.value)
        decode = self._decoders.get(topic, cloudevent)
        event = decode(record)
        return self._rules.translate(topic, event) if isinstance(event, Event) else event


def format_problems(rules: Rules, *, has_registry: bool) -> list[str]:
    """Why sources of *rules* can't be read as their formats say, all of it; empty if they can."""
    problems = []
    for source in rules.sources.values():
        try:
            decoder_of(source, _nothing_found if has_registry else None)
        except FormatError as error:
            problems.append(str(error))
    return problems


def _nothing_found(_: int) -> None:
    """No schema is there."""
