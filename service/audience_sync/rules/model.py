"""The rules file as it is written: every key, what it may hold, and what it is for."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter
from pydantic.config import JsonDict

from audience_sync.rules.change_model import ChangeModel
from audience_sync.rules.conditions import ConditionText
from audience_sync.rules.source_model import SourceModel
from audience_sync.rules.stated import List, Stated, Text, TextOrList, without_null
from audience_sync.rules.texts import AttributeName, Given, Path, TagBeginning, UserTemplate
from audience_sync.rules.translators import TranslatorName


def _from_a_source_or_a_topic(schema: JsonDict) -> None:
    without_null(schema)
    schema["not"] = {"required": ["source", "topic"]}


class _RuleModel(Stated):
    """What all rules say."""

    model_config = ConfigDict(json_schema_extra=_from_a_source_or_a_topic)

    name: Given
    """The rule's name, for messages and dead letters. Each only once."""

    event: Annotated[
        Annotated[Given, Text] | Annotated[list[Given], List, Field(min_length=1)],
        TextOrList,
    ]
    """The type of event that it applies to, or a list of types."""

    source: Given | None = None
    """Only events of the source with this name. Left out: of every source that may carry the type."""

    topic: Given | None = None
    """Only events of this topic. Left out: of every source that may carry the type."""

    when: ConditionText | None = None
    """Only events for which this is true: an expression in CEL over the event's fields, or over `event`."""

    urgent: bool = Field(default=False, strict=True)
    """`true`: sent at once, without waiting for further changes of the user."""

    owns: list[TagBeginning] = Field(default=[])
    """Beginnings of tags. No rule writes such tags, unless it names the same beginning here."""

    @property
    def events(self) -> tuple[str, ...]:
        """The types that it applies to, each once."""
        return (self.event,) if isinstance(self.event, str) else tuple(dict.fromkeys(self.event))


class RuleModel(_RuleModel):
    """What some types of event do to the user whom they name."""

    for_each: Path | None = None
    """A list in the event: the rule applies for each of its members, which is `{item}`, or `{item.field}`."""

    user: UserTemplate
    """Whom the changes apply to: text with at least one `{field}`, 1 to 32 bytes when rendered."""

    changes: Annotated[list[ChangeModel], Field(min_length=1)]
    """What happens to the user, in this order."""


class WritesModel(Stated):
    """All that a translator may write."""

    attributes: list[AttributeName] = Field(default=[])
    """The attributes that it sets or removes."""

    tags: list[TagBeginning] = Field(default=[])
    """How the tags begin that it adds or removes."""

    all_tags: bool = Field(default=False, strict=True)
    """`true`: it may remove all tags of a user."""


class TranslatorRuleModel(_RuleModel):
    """Types of event that a function in Python translates."""

    translator: TranslatorName
    """The function: `package.module:function`. It gets the event and gives users with their changes."""

    writes: WritesModel
    """All that it may write."""


OF_TEMPLATES: Final = "(templates)"
OF_TRANSLATOR: Final = "(translator)"


def _kind(rule: object) -> str:
    by_function = isinstance(rule, TranslatorRuleModel) or (
        isinstance(rule, Mapping) and "translator" in rule
    )
    return OF_TRANSLATOR if by_function else OF_TEMPLATES


AnyRuleModel = Annotated[
    Annotated[RuleModel, Tag(OF_TEMPLATES)] | Annotated[TranslatorRuleModel, Tag(OF_TRANSLATOR)],
    Discriminator(_kind),
]

_ANY_RULE: Final[TypeAdapter[RuleModel | TranslatorRuleModel]] = TypeAdapter(AnyRuleModel)


def rule_model(item: object) -> RuleModel | TranslatorRuleModel:
    """The rule that *item* states, which is known to be well formed."""
    return _ANY_RULE.validate_python(item)


class RulesFileModel(Stated):
    """The rules of audience-sync: what to read from Kafka, and what it means for users in Chat."""

    sources: Annotated[list[SourceModel], Field(min_length=1)]
    """The topics."""

    rules: Annotated[list[AnyRuleModel], Field(min_length=1)]
    """What their events do. Several rules may name one type: all apply, in this order, to the same user."""
