"""From the rules file's model to the values that the core works with."""

from collections.abc import Sequence

from audience_sync.core.changes import AddTag, RemoveAllTags, RemoveAttribute, RemoveTag
from audience_sync.core.rule import AttributeTemplate, Planned, Rule, Source, TagTemplate
from audience_sync.core.templates import parsed, parsed_path
from audience_sync.rules.model import ChangeModel, RuleModel, SourceModel


def compiled_source(model: SourceModel) -> Source:
    """The source that *model* states."""
    return Source(
        topic=model.topic,
        format=model.format,
        other_types=model.other_types,
        type_field=None if model.type_field is None else parsed_path(model.type_field),
        type=model.type,
        time_field=None if model.time_field is None else parsed_path(model.time_field),
    )


def compiled_rule(model: RuleModel, sources: Sequence[Source]) -> Rule:
    """The rule that *model* states, with the topics that its events may come from (none is possible)."""
    topics = dict.fromkeys(
        source.topic
        for source in sources
        if source.may_carry(model.event) and model.topic in (None, source.topic)
    )
    return Rule(
        name=model.name,
        event=model.event,
        topics=tuple(topics),
        user=parsed(model.user),
        changes=tuple(_planned(change) for change in model.changes),
        urgent=model.urgent,
    )


def _planned(model: ChangeModel) -> Planned:
    """The change that *model* states; its validator has seen to it that it states exactly one."""
    if model.set_attribute is not None:
        return AttributeTemplate(model.set_attribute.name, parsed(model.set_attribute.value))
    if model.remove_attribute is not None:
        return RemoveAttribute(model.remove_attribute)
    if model.add_tag is not None:
        return TagTemplate(AddTag, parsed(model.add_tag))
    if model.remove_tag is not None:
        return TagTemplate(RemoveTag, parsed(model.remove_tag))
    return RemoveAllTags()
