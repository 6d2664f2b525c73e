"""What must hold between the parts of a rules file, each alone being well formed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from audience_sync.core.limits import ATTRIBUTES_PER_APP
from audience_sync.core.rule import ByTemplates, Format, Rule, Source, TagTemplate, used_fields
from audience_sync.core.targets import AllTags, AttributeTarget, TagTarget, Target, attribute_names, targets
from audience_sync.core.templates import ITEM, Field, Template
from audience_sync.rules.document import Place
from audience_sync.rules.problems import Problem


class Written(NamedTuple):
    """One thing that one rule writes, and where that stands in the file."""

    place: Place
    rule: Rule
    target: Target


def between_sources(sources: Sequence[tuple[Place, Source]]) -> Iterator[Problem]:
    """A topic is a source once."""
    seen: set[str] = set()
    for place, source in sources:
        if source.topic in seen:
            yield Problem((*place, "topic"), f"topic {source.topic!r} is a source already; keep one of them")
        seen.add(source.topic)


def between_rules(
    rules: Sequence[tuple[Place, Rule]], sources: Sequence[Source], streams: Mapping[str, str]
) -> Iterator[Problem]:
    """Names, attributes and tags, over all rules.

    streams: for topics that share users out among them, the first one, and for those that are re-keyed, one name for
    all: within one stream users' events have an order.
    """
    yield from _double_names(rules)
    by_topic = {source.topic: source for source in sources}
    for place, rule in rules:
        yield from _of_fields(place, rule, [by_topic[topic] for topic in rule.topics])
    written = [
        Written(_place(place, rule, position), rule, what)
        for place, rule in rules
        for position, what in enumerate(targets(rule))
    ]
    yield from _written_twice_by_one_event(written)
    yield from _written_from_two_topics(written, streams)
    yield from _written_in_owned_namespaces(written, [rule for _, rule in rules])
    names = attribute_names([rule for _, rule in rules])
    if len(names) > ATTRIBUTES_PER_APP:
        yield Problem(
            ("rules",),
            f"the rules write {len(names)} attributes ({', '.join(names)}), and an app of the Chat API has "
            f"{ATTRIBUTES_PER_APP}; drop some, or use tags",
        )


def _place(place: Place, rule: Rule, position: int) -> Place:
    return (*place, "changes", position) if isinstance(rule.effect, ByTemplates) else (*place, "writes")


def _double_names(rules: Sequence[tuple[Place, Rule]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, rule in rules:
        if rule.name in seen:
            yield Problem((*place, "name"), f"another rule has the name {rule.name!r}; give each its own")
        seen.add(rule.name)


_ENVELOPE_NAME: Final = re.compile(r"[a-z0-9]+")
"""What the attributes of a CloudEvent are called, by its specification (section "Naming conventions")."""


def _of_fields(place: Place, rule: Rule, sources: Sequence[Source]) -> Iterator[Problem]:
    """Fields that no event can have, and lists that are named and not used."""
    if not isinstance(rule.effect, ByTemplates):
        return
    lists = [*([] if rule.effect.for_each is None else [("for_each", rule.effect.for_each)])]
    if lists and rule.condition is None and not any(_is_item(field) for field in used_fields(rule)):
        yield Problem((*place, "for_each"), _unused_item(lists[0][1], "user or a change"))
    for position, change in enumerate(rule.effect.changes):
        if isinstance(change, TagTemplate) and change.for_each is not None:
            lists.append(("changes", change.for_each))
            if not any(_is_item(field) for field in change.tag.fields):
                yield Problem((*place, "changes", position), _unused_item(change.for_each, "the tag"))
    if sources and all(source.format == Format.CLOUDEVENTS for source in sources):
        for field in dict.fromkeys(used_fields(rule)):
            root = field.keys[0]
            if not _ENVELOPE_NAME.fullmatch(root) and not root.startswith("$"):
                yield Problem(
                    place,
                    f"field {field} is missing from every event, for a CloudEvent's own names are lower-case letters "
                    f"and digits; is it {{data.{field}}}?",
                )


def _is_item(field: Field) -> bool:
    return field.keys[0] == ITEM


def _unused_item(path: Field, where: str) -> str:
    return f"for_each {path} would do the same for each member; use {{{ITEM}}} in {where}, or leave it out"


def _written_twice_by_one_event(written: Sequence[Written]) -> Iterator[Problem]:
    """One event that says two things of one name would depend on the order of rules that look independent.

    Of two rules with a condition each, only the event tells whether both hold; then it is unusable.
    """
    first: dict[tuple[str, str, Target], list[Rule]] = {}
    for place, rule, what in written:
        keys = [(topic, event, what) for topic in rule.topics for event in rule.events]
        others = [
            (key[1], other) for key in keys for other in first.get(key, []) if _may_both_apply(rule, other)
        ]
        if others:
            event, other = others[0]
            told = f"an event {event!r} already writes {what} in rule {other.name!r}"
            yield Problem(place, f"{told}; keep one of the two, or give each a condition")
        for key in keys:
            first.setdefault(key, []).append(rule)


def _may_both_apply(one: Rule, other: Rule) -> bool:
    if one is other or one.condition is None or other.condition is None:
        return True
    return one.condition.text == other.condition.text


def _written_from_two_topics(written: Sequence[Written], streams: Mapping[str, str]) -> Iterator[Problem]:
    """Nothing orders two topics, so a name that both write might not end as the last event says."""
    told: set[Target] = set()
    for index, (place, rule, what) in enumerate(written):
        others = [other.rule for other in written[:index] if _may_meet(what, other.target)]
        topics = set(rule.topics).union(*(other.topics for other in others))
        if len({streams.get(topic, topic) for topic in topics}) < 2 or what in told:
            continue
        told.add(what)
        unbound = any(len(each.topics) > 1 for each in (rule, *others))
        way_out = (
            "add `topic:` to the rules"
            if unbound
            else "let one topic carry all events that write it, or `rekey` all"
        )
        yield Problem(
            place,
            f"{what} may be written from several topics ({', '.join(sorted(topics))}), and nothing "
            f"orders their events, so the last one might not win; {way_out}",
        )


def _written_in_owned_namespaces(written: Sequence[Written], rules: Sequence[Rule]) -> Iterator[Problem]:
    """Tags that begin with what a rule owns are written by the rules that own just that."""
    owners = {beginning: rule for rule in reversed(rules) for beginning in rule.owns}
    for place, rule, what in written:
        for beginning, owner in owners.items():
            if beginning not in rule.owns and _may_fall_under(what, beginning):
                how = "include" if isinstance(what, AllTags) else "may be one of"
                yield Problem(
                    place,
                    f"{what} {how} those that begin with {beginning!r}, and rule {owner.name!r} owns them; write "
                    f"another tag, or add `owns: [{beginning!r}]` here too",
                )


def _may_fall_under(what: Target, beginning: str) -> bool:
    match what:
        case TagTarget(tag):
            return _may_be_equal(tag, Template((beginning, Field((ITEM,)))))
        case AllTags():
            return True
        case AttributeTarget():
            return False


def _may_meet(one: Target, other: Target) -> bool:
    """Whether two changes can concern the same attribute or tag of one user."""
    match one, other:
        case (TagTarget(tag), TagTarget(other_tag)):
            return _may_be_equal(tag, other_tag)
        case (TagTarget() | AllTags(), TagTarget() | AllTags()):
            return True
        case _:
            return one == other


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
