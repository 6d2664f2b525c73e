"""A rules file into rules, or everything that is wrong with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from audience_sync.core.rule import Source
from audience_sync.core.rules import Rules
from audience_sync.rules.checks import between_rules, between_sources
from audience_sync.rules.compiling import compiled_rule, compiled_source
from audience_sync.rules.document import Document, NotYamlError, Place
from audience_sync.rules.model import RuleModel, RulesFileModel, SourceModel
from audience_sync.rules.problems import Problem, RulesError, of_shape

DEFAULT_RULES: Final = Path(__file__).with_name("default.yaml")
"""The rules that apply when no others are given."""


def load_rules(path: Path = DEFAULT_RULES) -> Rules:
    """The rules in the file at *path*. Raises RulesError with every problem found. Reads no other file."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RulesError(
            [f"{path}: {error.strerror or error}; give the path of a readable rules file"]
        ) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise RulesError([f"{path}, line {line}: the text is not UTF-8; save it as UTF-8"]) from error
    return parse_rules(text, file=str(path))


def parse_rules(text: str, *, file: str) -> Rules:
    """The rules in *text*. Raises RulesError with every problem found; *file* is its name in the messages.

    Parts that are malformed are told and left out, and what is left is compared all the same, so that one
    look at the messages is enough.
    """
    try:
        document = Document(text)
    except NotYamlError as error:
        where = f"{file}, line {error.line}" if error.line else file
        raise RulesError(
            [f"{where}: this is no YAML: {error}; indentation and quotes are the usual cause"]
        ) from error
    problems = _misshapen(document.content)
    broken = {problem.place[:2] for problem in problems}
    sources = [
        (place, compiled_source(SourceModel.model_validate(item)))
        for place, item in _items(document.content, "sources").items()
        if place not in broken
    ]
    all_sources = not any(place[:1] in ((), ("sources",)) for place in broken)
    known = [source for _, source in sources]
    models = {
        place: RuleModel.model_validate(item)
        for place, item in _items(document.content, "rules").items()
        if place not in broken
    }
    if all_sources:
        problems += [
            Problem((*place, "event" if model.topic is None else "topic"), what)
            for place, model in models.items()
            if (what := _from_nowhere(model, known)) is not None
        ]
    rules = [(place, compiled_rule(model, known)) for place, model in models.items()]
    problems += [*between_sources(sources), *between_rules(rules)]
    if problems:
        ordered = sorted(problems, key=lambda problem: document.line(problem.place))
        raise RulesError([problem.worded(file, document) for problem in ordered])
    return Rules(known, [rule for _, rule in rules])


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


def _from_nowhere(rule: RuleModel, sources: list[Source]) -> str | None:
    """Why no event can ever reach the rule, or None if one can."""
    topics = ", ".join(source.topic for source in sources)
    if rule.topic is not None:
        at = [source for source in sources if source.topic == rule.topic]
        if not at:
            return f"topic {rule.topic!r} is no source; add it to the sources, or take one of {topics}"
        sources = at
    if any(source.may_carry(rule.event) for source in sources):
        return None
    types = ", ".join(f"{source.topic}: {source.type}" for source in sources)
    return f"no source carries events of type {rule.event!r}, only {types}; correct the type or the source"
