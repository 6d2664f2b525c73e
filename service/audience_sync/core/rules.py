"""Which changes an event causes: compiled rules, without files or libraries.

Each event of 100,000 a second passes here once, so everything that can be known when the rules are loaded
is worked out then: which rules apply to a topic and type, where a field stands, which change never varies.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from audience_sync.core.applying import Apply, applied, shortened
from audience_sync.core.event import Cause, Event, Ignored, Translation, Unusable
from audience_sync.core.rule import OtherTypes, Rule, Source
from audience_sync.core.targets import attribute_names


class Rules:
    """The rules of all topics, ready to be applied. Immutable; one may replace another between two events."""

    def __init__(self, sources: Sequence[Source], rules: Sequence[Rule]) -> None:
        self.sources: Mapping[str, Source] = {source.topic: source for source in sources}
        self.rules = tuple(rules)
        self.topics = tuple(self.sources)
        """All of them, those that are re-keyed included."""
        self.rekeyed = tuple(source.topic for source in sources if source.rekey)
        self.attribute_names = attribute_names(rules)
        self._by_type = {
            topic: {kind: applied(each) for kind, each in self.of_topic(topic).items()}
            for topic in self.topics
        }

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of topic names that still stand for topics: load the rules with the broker's topics."""
        return tuple(source.topic for source in self.sources.values() if source.is_pattern)

    def of_topic(self, topic: str) -> Mapping[str, Sequence[Rule]]:
        """The rules for the events of *topic*, by type, in the order of the file."""
        by_type: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if topic in rule.topics:
                for kind in rule.events:
                    by_type.setdefault(kind, []).append(rule)
        return by_type

    def translate(self, topic: str, event: Event) -> Translation:
        """The changes that *event* causes, whole or not at all. Alters nothing; a repeat gives the same.

        All rules of its type apply, their changes joined in the order of the file. One change that can't be
        made, or that the Chat API would refuse, makes the whole event unusable: half an event would leave the
        user in a state that no event stands for.
        """
        return self.by_type(topic).get(event.type, partial(self.of_no_rule, topic))(event)

    def by_type(self, topic: str) -> Mapping[str, Apply]:
        """What events of *topic* do whose type a rule names; `of_no_rule` is for the others."""
        return self._by_type.get(topic, {})

    def of_no_rule(self, topic: str, event: Event) -> Ignored | Unusable:
        """What becomes of an event of *topic* whose type no rule names."""
        source = self.sources.get(topic)
        if source is None:
            info = f"no source names the topic {topic!r}; add it to the sources, or leave its events alone"
            return Unusable(Cause.UNKNOWN_TYPE, shortened(info))
        info = shortened(f"no rule of topic {topic!r} names the type {event.type!r}")
        if source.other_types is OtherTypes.IGNORE:
            return Ignored(info)
        return Unusable(Cause.UNKNOWN_TYPE, info)
