"""A record's bytes into changes: the topic's format, then the rules."""

from functools import partial

import msgspec

from audience_sync.core.event import Event, Translation
from audience_sync.core.rule import ByTranslator, Source
from audience_sync.core.rules import Rules
from audience_sync.events.formats.cloudevents import cloudevent
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.formats.wire import Find
from audience_sync.events.rekeyed import rekeyed_translation
from audience_sync.events.straight import Translate, straightened
from audience_sync.formats import Decoder, FormatError, Record


class Translator:
    """Format and rules in one call. Without a state of its own: any order, any number of times.

    find: looks up schemas, where a registry is known.
    all_times: whether events tell their time also where no order, copy or translator in Python rests on it.
    Raises FormatError for a source that can't be read as its format says.
    """

    def __init__(
        self,
        rules: Rules,
        find: Find | None = None,
        *,
        rekeyed_topic: str | None = None,
        all_times: bool = True,
    ) -> None:
        """Take the rules. rekeyed_topic: the service's own, whose records tell changes already."""
        self._find = find
        self._all_times = all_times
        self._rekeyed_topic = rekeyed_topic
        self.take(rules)

    def take(self, rules: Rules) -> None:
        """Let these rules apply from the next record on. Raises FormatError, and then nothing has changed."""
        by_topic: dict[str, Translate] = {}
        for topic, source in rules.sources.items():
            read = self._timed(source, rules)
            long_way = _translation(topic, decoder_of(read, self._find), rules)
            by_topic[topic] = straightened(read, rules.of_topic(topic), long_way)
        if self._rekeyed_topic is not None:
            by_topic[self._rekeyed_topic] = lambda record: rekeyed_translation(record.value)
        self._rules, self._by_topic = rules, by_topic

    def _timed(self, source: Source, rules: Rules) -> Source:
        return msgspec.structs.replace(source, timed=self._all_times or rests_on_times(source, rules))

    def by_event_time(self, topic: str) -> bool:
        """Whether in *topic* the events' own times decide which word is the last."""
        source = self._rules.sources.get(topic)
        return source is not None and source.event_time

    def translate(self, topic: str, record: Record) -> Translation:
        """What the record does to whom. Never raises on any bytes; *topic* is one of the rules' topics."""
        return self.translation(topic)(record)

    def translation(self, topic: str) -> Translate:
        """The same for all records of *topic*, until other rules are taken: a batch looks it up once.

        A topic that the rules don't name (a dead letter of former rules, say) is read as a CloudEvent and
        comes back unusable.
        """
        found = self._by_topic.get(topic)
        return _translation(topic, cloudevent, self._rules) if found is None else found


def rests_on_times(source: Source, rules: Rules) -> bool:
    """Whether anything rests on when the events of *source* happened."""
    return (
        source.event_time
        or source.rekey
        or any(isinstance(rule.effect, ByTranslator) and source.topic in rule.topics for rule in rules.rules)
    )


def _translation(topic: str, decode: Decoder, rules: Rules) -> Translate:
    by_type, of_no_rule = rules.by_type(topic), partial(rules.of_no_rule, topic)

    def translate(record: Record) -> Translation:
        event = decode(record)
        return by_type.get(event.type, of_no_rule)(event) if isinstance(event, Event) else event

    return translate


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
