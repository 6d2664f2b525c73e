"""What must hold between the parts of a rules file, each alone being well formed."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from audience_sync.core.changes import RemoveAllTags, RemoveAttribute
from audience_sync.core.limits import ATTRIBUTES_PER_APP
from audience_sync.core.rule import AttributeTemplate, Planned, Rule, Source, TagTemplate, attribute_names
from audience_sync.core.templates import Template
from audience_sync.rules.document import Place
from audience_sync.rules.problems import Problem


class Written(NamedTuple):
    """One change of one rule, and where it stands in the file."""

    place: Place
    rule: Rule
    change: Planned


def between_sources(sources: Sequence[tuple[Place, Source]]) -> Iterator[Problem]:
    """A topic is a source once."""
    seen: set[str] = set()
    for place, source in sources:
        if source.topic in seen:
            yield Problem((*place, "topic"), f"topic {source.topic!r} is a source already; keep one of them")
        seen.add(source.topic)


def between_rules(rules: Sequence[tuple[Place, Rule]]) -> Iterator[Problem]:
    """Names, attributes and tags, over all rules."""
    yield from _double_names(rules)
    written = [
        Written((*place, "changes", position), rule, change)
        for place, rule in rules
        for position, change in enumerate(rule.changes)
    ]
    yield from _written_twice_by_one_event(written)
    yield from _written_from_two_topics(written)
    names = attribute_names([rule for _, rule in rules])
    if len(names) > ATTRIBUTES_PER_APP:
        yield Problem(
            ("rules",),
            f"the rules write {len(names)} attributes ({', '.join(names)}), and an app of the Chat API has "
            f"{ATTRIBUTES_PER_APP}; drop some, or use tags",
        )


def _double_names(rules: Sequence[tuple[Place, Rule]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, rule in rules:
        if rule.name in seen:
            yield Problem((*place, "name"), f"another rule has the name {rule.name!r}; give each its own")
        seen.add(rule.name)


def _written_twice_by_one_event(written: Sequence[Written]) -> Iterator[Problem]:
    """One event that says two things of one name would depend on the order of rules that look independent."""
    first: dict[tuple[str, str, object], Rule] = {}
    for place, rule, change in written:
        keys = [(topic, rule.event, _target(change)) for topic in rule.topics]
        others = [first[key] for key in keys if key in first]
        if others:
            what = f"an event {rule.event!r} already writes {_named(change)} in rule {others[0].name!r}"
            yield Problem(place, f"{what}; keep one of the two")
        first.update(dict.fromkeys(keys, rule))


def _written_from_two_topics(written: Sequence[Written]) -> Iterator[Problem]:
    """Nothing orders two topics, so a name that both write might not end as the last event says."""
    told: set[object] = set()
    for index, (place, rule, change) in enumerate(written):
        others = [other.rule for other in written[:index] if _may_meet(change, other.change)]
        topics = set(rule.topics).union(*(other.topics for other in others))
        if len(topics) < 2 or _target(change) in told:
            continue
        told.add(_target(change))
        unbound = any(len(each.topics) > 1 for each in (rule, *others))
        way_out = "add `topic:` to the rules" if unbound else "let one topic carry all events that write it"
        yield Problem(
            place,
            f"{_named(change)} may be written from several topics ({', '.join(sorted(topics))}), and nothing "
            f"orders their events, so the last one might not win; {way_out}",
        )


def _may_meet(one: Planned, other: Planned) -> bool:
    """Whether two changes can concern the same attribute or tag of one user."""
    match one, other:
        case (TagTemplate(_, tag), TagTemplate(_, other_tag)):
            return _may_be_equal(tag, other_tag)
        case (TagTemplate() | RemoveAllTags(), TagTemplate() | RemoveAllTags()):
            return True
        case _:
            return _target(one) == _target(other)


def _may_be_equal(one: Template, other: Template) -> bool:
    """Whether two templates may render to the same text: judged by how they begin, and rather yes than no."""
    text, other_text = one.fixed_text, other.fixed_text
    if text is not None and other_text is not None:
        return text == other_text
    if text is not None:
        return text.startswith(other.prefix)
    if other_text is not None:
        return other_text.startswith(one.prefix)
    return one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)


def _target(change: Planned) -> object:
    """What a change writes: an attribute, a tag, or all tags. Equal for two changes that write the same."""
    match change:
        case AttributeTemplate(name, _) | RemoveAttribute(name):
            return ("attribute", name)
        case TagTemplate(_, tag):
            return ("tag", tag.parts)
        case RemoveAllTags():
            return "all tags"


def _named(change: Planned) -> str:
    match change:
        case AttributeTemplate(name, _) | RemoveAttribute(name):
            return f"attribute {name!r}"
        case TagTemplate(_, tag):
            return f"tag {str(tag)!r}"
        case RemoveAllTags():
            return "all tags"
