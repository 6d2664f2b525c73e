"""A rules file into rules, or everything that is wrong with it."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from audience_sync.core.rules import Rules
from audience_sync.rules.checks import between_rules, between_sources
from audience_sync.rules.compiling import compiled_rule, compiled_sources, with_wants
from audience_sync.rules.document import Document, Place, UnreadableError
from audience_sync.rules.model import RuleModel, RulesFileModel, TranslatorRuleModel, rule_model
from audience_sync.rules.problems import Problem, RulesError, of_shape
from audience_sync.rules.source_model import SourceModel

DEFAULT_RULES: Final = Path(__file__).with_name("default.yaml")
"""The rules that apply when no others are given."""


REKEYED: Final = "*re-keyed*"
"""No topic has such a name: it stands for the one that all re-keyed events are copied to."""


def load_rules(path: Path = DEFAULT_RULES, *, topics: Collection[str] | None = None) -> Rules:
    """The rules in the file at *path*. Raises RulesError with every problem found. Reads no other file.

    topics: those of the broker, for patterns; None leaves a pattern as it is (`Rules.patterns`).
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RulesError(
            [f"{path}: {error.strerror or error}; give the path of a readable rules file"]
        ) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise RulesError([f"{path}, line {line}: the text is not UTF-8; save it as UTF-8"]) from error
    return parse_rules(text, file=str(path), topics=topics)


def parse_rules(text: str, *, file: str, topics: Collection[str] | None = None) -> Rules:
    """The rules in *text*. Raises RulesError with every problem found; *file* is its name in the messages.

    Parts that are malformed are told and left out, and what is left is compared all the same, so that one
    look at the messages is enough.
    """
    try:
        document = Document(text)
    except UnreadableError as error:
        where = f"{file}, line {error.line}" if error.line else file
        raise RulesError([f"{where}: {error}"]) from error
    problems = _misshapen(document.content)
    broken = {problem.place[:2] for problem in problems}
    stated = {
        place: SourceModel.model_validate(item)
        for place, item in _items(document.content, "sources").items()
        if place not in broken
    }
    rule_models = {
        place: rule_model(item)
        for place, item in _items(document.content, "rules").items()
        if place not in broken
    }
    found = _Sources(stated, topics)
    problems += found.problems()
    if not any(place[:1] in ((), ("sources",)) for place in broken):
        problems += [
            Problem((*place, key), what)
            for place, model in rule_models.items()
            for key, what in found.unreachable(model)
        ]
    rules = [(place, compiled_rule(model, found.all, found.of_name)) for place, model in rule_models.items()]
    problems += between_rules(rules, found.all, found.streams)
    if problems:
        ordered = sorted(problems, key=lambda problem: document.line(problem.place))
        raise RulesError([problem.worded(file, document) for problem in ordered])
    compiled = [rule for _, rule in rules]
    return Rules([with_wants(source, compiled) for source in found.all], compiled)


class _Sources:
    """The sources of the file, topic by topic, and what rules may ask of them."""

    def __init__(self, stated: Mapping[Place, SourceModel], topics: Collection[str] | None) -> None:
        self._stated = stated
        self._topics = topics
        self._of = {place: compiled_sources(model, topics) for place, model in stated.items()}
        self.all = [source for each in self._of.values() for source in each]
        self.of_name = {
            model.name: [source.topic for source in self._of[place]]
            for place, model in stated.items()
            if model.name is not None
        }
        self.streams = {
            source.topic: REKEYED if source.rekey else self._of[place][0].topic
            for place, model in stated.items()
            if model.each_user_in_one_topic or model.rekey
            for source in self._of[place]
        }

    def problems(self) -> Iterator[Problem]:
        """Topics and names that stand twice; patterns that match nothing."""
        yield from between_sources([(place, source) for place, each in self._of.items() for source in each])
        seen: set[str] = set()
        for place, model in self._stated.items():
            if model.name is not None and model.name in seen:
                yield Problem(
                    (*place, "name"), f"another source has the name {model.name!r}; give each its own"
                )
            seen |= {model.name} if model.name is not None else set()
            if not self._of[place]:
                yield Problem(
                    (*place, "pattern"),
                    f"{model.pattern!r} matches none of the broker's {len(self._topics or ())} topics; correct it, "
                    "or create the topics first",
                )

    def unreachable(self, rule: RuleModel | TranslatorRuleModel) -> Iterator[tuple[str, str]]:
        """Why no event can ever reach the rule, with the key that says so."""
        sources = self.all
        if rule.topic is not None and rule.source is not None:
            yield "source", "a rule names a topic or a source, and both are given; remove one of them"
            return
        if rule.topic is not None:
            sources = [source for source in sources if source.topic == rule.topic]
            if not sources and not any(source.is_pattern for source in self.all):
                topics = ", ".join(source.topic for source in self.all)
                yield (
                    "topic",
                    f"topic {rule.topic!r} is no source; add it to the sources, or take one of {topics}",
                )
            if not sources:
                return
        if rule.source is not None:
            sources = [source for source in sources if source.topic in self.of_name.get(rule.source, ())]
            if rule.source not in self.of_name:
                names = ", ".join(self.of_name)
                way_out = f"take one of {names}" if names else "give the source a name"
                yield "source", f"{rule.source!r} is no source's name; {way_out}"
            if not sources:
                return
        types = ", ".join(f"{source.topic}: {source.type}" for source in sources)
        key = "source" if rule.source is not None else "topic" if rule.topic is not None else "event"
        for event in rule.events:
            if sources and not any(source.may_carry(event) for source in sources):
                yield (
                    key,
                    f"no source carries events of type {event!r}, only {types}; correct the type or the source",
                )


def _misshapen(content: object) -> list[Problem]:
    if content is None:
        return [Problem((), "the file is empty; it needs the keys sources and rules")]
    try:
        RulesFileModel.model_validate(content)
    except ValidationError as error:
        return of_shape(error)
    return []


def _items(content: object, key: str) -> dict[Place, object]:
    """The members of one of the two lists, by their place."""
    items = content.get(key) if isinstance(content, Mapping) else None
    return {(key, position): item for position, item in enumerate(items)} if isinstance(items, list) else {}
