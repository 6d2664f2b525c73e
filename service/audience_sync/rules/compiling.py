"""From the rules file's model to the values that the core works with."""

import re
from collections.abc import Collection, Sequence

from msgspec.structs import replace

from audience_sync.core.changes import AddTag, RemoveAllTags, RemoveAttribute, RemoveTag
from audience_sync.core.rule import (
    AttributeTemplate,
    ByTemplates,
    ByTranslator,
    OtherTypes,
    Otherwise,
    Planned,
    Rule,
    Source,
    TagTemplate,
    ValueMap,
    WhenLacking,
    Writes,
    used_fields,
)
from audience_sync.core.templates import HEADERS, KEY, TOPIC, Field, parsed, parsed_path
from audience_sync.rules.change_model import AttributeModel, ChangeModel, DefaultModel, TagModel
from audience_sync.rules.conditions import condition
from audience_sync.rules.model import RuleModel, TranslatorRuleModel
from audience_sync.rules.source_model import SourceModel, TombstoneModel
from audience_sync.rules.translators import guarded

_RESERVED = frozenset({KEY, TOPIC, HEADERS})


def compiled_sources(model: SourceModel, topics: Collection[str] | None) -> list[Source]:
    """The sources that *model* states, one a topic. A pattern takes those of *topics* that match it.

    Without *topics* nobody has asked the broker yet, and the pattern stands for what it will match.
    """
    names = topics_of(model, topics)
    tombstones = model.tombstones
    return [
        Source(
            topic=name,
            is_pattern=model.pattern is not None and topics is None,
            format=model.format,
            other_types=model.other_types,
            type_field=_path(model.type_field),
            type=model.type,
            time_field=_path(model.time_field),
            time_format=model.time_format,
            event_time=model.event_time,
            rekey=model.rekey,
            tombstones=None if isinstance(tombstones, TombstoneModel) else tombstones,
            tombstone_type=tombstones.event if isinstance(tombstones, TombstoneModel) else None,
        )
        for name in names
    ]


def topics_of(model: SourceModel, topics: Collection[str] | None) -> list[str]:
    """The names of the topics of a source, in order; for a pattern that nobody has looked up, the pattern."""
    if model.pattern is None:
        return [model.topic] if model.topic is not None else list(model.topics or [])
    if topics is None:
        return [model.pattern]
    matches = re.compile(model.pattern).fullmatch
    return sorted(name for name in topics if matches(name) and not name.startswith("__"))  # Kafka's own


def compiled_rule(
    model: RuleModel | TranslatorRuleModel, sources: Sequence[Source], of_name: dict[str, list[str]]
) -> Rule:
    """The rule that *model* states, with the topics that its events may come from (none is possible).

    of_name: the topics of each source that has a name.
    """
    topics = dict.fromkeys(
        source.topic
        for source in sources
        if any(source.may_carry(event) for event in model.events)
        and model.topic in (None, source.topic)
        and (model.source is None or source.topic in of_name.get(model.source, ()))
    )
    return Rule(
        name=model.name,
        events=model.events,
        topics=tuple(topics),
        effect=_of_templates(model) if isinstance(model, RuleModel) else _of_translator(model),
        condition=None if model.when is None else condition(model.when),
        urgent=model.urgent,
        owns=tuple(model.owns),
    )


def with_wants(source: Source, rules: Sequence[Rule]) -> Source:
    """*source*, and which fields of the record itself the rules of its topic use."""
    wants = [_wants(rule) for rule in rules if source.topic in rule.topics]
    return replace(source, wants=frozenset().union(*wants))


def _wants(rule: Rule) -> frozenset[str]:
    if isinstance(rule.effect, ByTranslator):
        return _RESERVED
    wants = frozenset(field.keys[0] for field in used_fields(rule)) & _RESERVED
    return wants if rule.condition is None else wants | rule.condition.wants


def _of_templates(model: RuleModel) -> ByTemplates:
    changes = tuple(_planned(change) for change in model.changes)
    return ByTemplates(parsed(model.user), changes, _path(model.for_each))


def _of_translator(model: TranslatorRuleModel) -> ByTranslator:
    writes = Writes(tuple(model.writes.attributes), tuple(model.writes.tags), model.writes.all_tags)
    return ByTranslator(model.translator, guarded(model.translator, writes), writes)


def _planned(model: ChangeModel) -> Planned:
    """The change that *model* states; its validator has seen to it that it states exactly one."""
    if model.set_attribute is not None:
        return _attribute(model.set_attribute)
    if model.remove_attribute is not None:
        return RemoveAttribute(model.remove_attribute)
    if model.add_tag is not None:
        return _tag(AddTag, model.add_tag)
    if model.remove_tag is not None:
        return _tag(RemoveTag, model.remove_tag)
    return RemoveAllTags()


def _attribute(model: AttributeModel) -> AttributeTemplate:
    values = None
    if model.map is not None:
        default = model.otherwise.value if isinstance(model.otherwise, DefaultModel) else None
        otherwise = model.otherwise if isinstance(model.otherwise, Otherwise) else Otherwise.DEAD_LETTER
        values = ValueMap(model.map, otherwise, default)
    return AttributeTemplate(
        model.name, parsed(model.value), values, WhenLacking(model.if_null, model.if_missing)
    )


def _tag(kind: type[AddTag] | type[RemoveTag], model: str | TagModel) -> TagTemplate:
    if isinstance(model, str):
        return TagTemplate(kind, parsed(model))
    lacking = WhenLacking(_otherwise(model.if_null), _otherwise(model.if_missing))
    return TagTemplate(kind, parsed(model.tag), _path(model.for_each), lacking)


def _otherwise(stated: OtherTypes) -> Otherwise:
    return Otherwise.IGNORE if stated is OtherTypes.IGNORE else Otherwise.DEAD_LETTER


def _path(text: str | None) -> Field | None:
    return None if text is None else parsed_path(text)
