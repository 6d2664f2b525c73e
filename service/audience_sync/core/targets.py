"""What rules write: attributes and tags, as far as the rules alone tell."""

from collections.abc import Sequence

import msgspec

from audience_sync.core.changes import RemoveAllTags, RemoveAttribute
from audience_sync.core.rule import AttributeTemplate, ByTemplates, ByTranslator, Planned, Rule, TagTemplate
from audience_sync.core.templates import Field, Template


class AttributeTarget(msgspec.Struct, frozen=True):
    """One attribute."""

    name: str

    def __str__(self) -> str:
        return f"attribute {self.name!r}"


class TagTarget(msgspec.Struct, frozen=True):
    """The tags that a template may make: one, or one for each member of a list."""

    tag: Template
    for_each: Field | None = None

    def __str__(self) -> str:
        return f"tag {str(self.tag)!r}"


class AllTags(msgspec.Struct, frozen=True):
    """Whatever tags a user carries."""

    def __str__(self) -> str:
        return "all tags"


Target = AttributeTarget | TagTarget | AllTags
"""What a change writes. Equal for two changes that certainly write the same."""


def target(change: Planned) -> Target:
    """What *change* writes."""
    match change:
        case AttributeTemplate(name) | RemoveAttribute(name):
            return AttributeTarget(name)
        case TagTemplate(_, tag, for_each):
            return TagTarget(tag, for_each)
        case RemoveAllTags():
            return AllTags()


def targets(rule: Rule) -> tuple[Target, ...]:
    """What *rule* writes: for each of its changes, or all that its translator may write."""
    match rule.effect:
        case ByTemplates(changes=changes):
            return tuple(target(change) for change in changes)
        case ByTranslator(writes=writes):
            return (
                *(AttributeTarget(name) for name in writes.attributes),
                *(TagTarget(Template((beginning, Field(("any",))))) for beginning in writes.tags),
                *([AllTags()] if writes.all_tags else ()),
            )


def attribute_names(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Every attribute that the rules write, each once, in the order of the file."""
    written = [each for rule in rules for each in targets(rule)]
    return tuple(dict.fromkeys(each.name for each in written if isinstance(each, AttributeTarget)))
