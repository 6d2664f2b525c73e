"""Which changes an event causes: compiled rules, without files or libraries.

Each event of 100,000 a second passes here once, so everything that can be known when the rules are loaded
is worked out then: which rules apply to a topic and type, where a field stands, which change never varies.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from audience_sync.core.changes import Change, RemoveAllTags, RemoveAttribute, SetAttribute, UserId
from audience_sync.core.event import Cause, Event, Fields, Ignored, Translated, Translation, Unusable
from audience_sync.core.limits import broken_limit
from audience_sync.core.rule import (
    AttributeTemplate,
    OtherTypes,
    Planned,
    Rule,
    Source,
    TagTemplate,
    attribute_names,
)
from audience_sync.core.templates import Render, Template

_INFO_CHARACTERS: Final = 600
"""Longest `Unusable.info`; ours. A value of a megabyte is kept with the event, not in the sentence on it."""


class Rules:
    """The rules of all topics, ready to be applied. Immutable; one may replace another between two events."""

    def __init__(self, sources: Sequence[Source], rules: Sequence[Rule]) -> None:
        self.sources: Mapping[str, Source] = {source.topic: source for source in sources}
        self.rules = tuple(rules)
        self.topics = tuple(self.sources)
        self.attribute_names = attribute_names(rules)
        self._by_type: dict[str, dict[str, tuple[_Compiled, ...]]] = {topic: {} for topic in self.topics}
        for rule in rules:
            compiled = _Compiled(rule)
            for topic in rule.topics:
                by_type = self._by_type[topic]
                by_type[rule.event] = (*by_type.get(rule.event, ()), compiled)

    def translate(self, topic: str, event: Event) -> Translation:
        """The changes that *event* causes, whole or not at all. Alters nothing; a repeat gives the same.

        All rules of its type apply, their changes joined in the order of the file. One change that can't be
        made, or that the Chat API would refuse, makes the whole event unusable: half an event would leave the
        user in a state that no event stands for.
        """
        by_type = self._by_type.get(topic)
        rules = by_type.get(event.type) if by_type is not None else None
        if rules is None:
            return self._of_no_rule(topic, event)
        user = ""
        urgent = False
        changes: list[Change] = []
        for rule in rules:
            named = rule.user(event.fields)
            if isinstance(named, Unusable):
                return rule.without_user(named)
            if user and named != user:
                info = (
                    f"rules {rules[0].name!r} and {rule.name!r} find different users, {user!r} and {named!r}"
                )
                return Unusable(Cause.NO_USER, _shortened(info))
            user = named
            urgent = urgent or rule.urgent
            for make in rule.makes:
                change = make(event.fields)
                if isinstance(change, Unusable):
                    return rule.unusable(change.cause, change.info)
                broken = broken_limit(user, change)
                if broken is not None:
                    return rule.unusable(Cause.BROKEN_LIMIT, broken)
                changes.append(change)
        return Translated(UserId(user), tuple(changes), urgent, event.seconds)

    def _of_no_rule(self, topic: str, event: Event) -> Ignored | Unusable:
        source = self.sources.get(topic)
        if source is None:
            info = f"no source names the topic {topic!r}; add it to the sources, or leave its events alone"
            return Unusable(Cause.UNKNOWN_TYPE, _shortened(info))
        info = _shortened(f"no rule of topic {topic!r} names the type {event.type!r}")
        if source.other_types is OtherTypes.IGNORE:
            return Ignored(info)
        return Unusable(Cause.UNKNOWN_TYPE, info)


Make = Callable[[Fields], Change | Unusable]


class _Compiled:
    """A rule as functions."""

    __slots__ = ("makes", "name", "urgent", "user")

    def __init__(self, rule: Rule) -> None:
        self.name = rule.name
        self.urgent = rule.urgent
        self.user: Render = rule.user.compiled()
        self.makes: tuple[Make, ...] = tuple(_maker(planned) for planned in rule.changes)

    def unusable(self, cause: Cause, info: str) -> Unusable:
        return Unusable(cause, _shortened(f"rule {self.name!r}: {info}"))

    def without_user(self, why: Unusable) -> Unusable:
        cause = Cause.NO_USER if why.cause is Cause.MISSING_FIELD else why.cause
        return self.unusable(cause, f"the user: {why.info}")


def _maker(planned: Planned) -> Make:
    match planned:
        case AttributeTemplate(name, value):
            return _made(value, lambda text: SetAttribute(name, text))
        case TagTemplate(kind, tag):
            return _made(tag, kind)
        case RemoveAttribute() | RemoveAllTags() as always:
            return lambda _: always


def _made(template: Template, make: Callable[[str], Change]) -> Make:
    if (fixed := template.fixed_text) is not None:
        always = make(fixed)
        return lambda _: always
    render = template.compiled()

    def fill_in(fields: Fields) -> Change | Unusable:
        text = render(fields)
        return text if isinstance(text, Unusable) else make(text)

    return fill_in


def _shortened(info: str) -> str:
    if len(info) <= _INFO_CHARACTERS:
        return info
    half = _INFO_CHARACTERS // 2
    return f"{info[:half]} ... {info[-half:]}"
