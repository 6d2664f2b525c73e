"""Cases beside a rules file: an event in, and the changes that must come out.

Their text is literal: what stands there is what is compared, and braces mean nothing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)
from audience_sync.core.event import (
    Cause,
    Event,
    Ignored,
    Translated,
    TranslatedMany,
    Translation,
    Unusable,
    Wanting,
)
from audience_sync.formats import RawRecord, Record
from audience_sync.rules.document import Document, Place, UnreadableError
from audience_sync.rules.problems import RulesError

IGNORED: Final = "ignored"

Told = list[dict[str, Any]] | dict[str, Any] | str
"""What comes of an event, as a case writes it: changes of users, a dead letter's cause, or `ignored`."""


class _Stated(BaseModel):
    """An unknown key is a mistake, and nothing is taken for something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Expected(_Stated):
    """What must come of an event: changes of a user, or nothing, or a dead letter. *urgent*: compared if stated."""

    user: str | None = None
    changes: Annotated[list[dict[str, Any]], Field(min_length=1)] | None = None
    urgent: bool | None = None
    dead_letter: Annotated[Cause, Field(strict=False)] | None = None
    ignored: bool = False

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        ways = [
            self.user is not None and self.changes is not None,
            self.dead_letter is not None,
            self.ignored,
        ]
        if sum(ways) != 1:
            raise ValueError("expect `user` and `changes`, or `dead_letter` with a cause, or `ignored`")
        return self


def _listed(value: object) -> object:
    """One user's changes without a list around them; `ignored` as it is written."""
    each = value if isinstance(value, list) else [value]
    return [{"ignored": True} if item == IGNORED else item for item in each]


class Case(_Stated):
    """An event, and what must come of it.

    event: a map is written as JSON; a text is the record's bytes; null is a record without a value.
    type: of the event, where its format finds it in a schema; then *event* is what the schema's reader gives, a map.
    topic: may be left out where the rules read only one. key, headers: of the record.
    """

    name: Annotated[str, Field(min_length=1)]
    topic: str | None = None
    type: Annotated[str, Field(min_length=1)] | None = None
    event: Any
    key: str | None = None
    headers: dict[str, str] = {}
    expect: Annotated[list[Expected], Field(min_length=1), BeforeValidator(_listed)]

    @model_validator(mode="after")
    def _is_decoded_if_its_type_is_given(self) -> Self:
        if self.type is not None and (not isinstance(self.event, dict) or self.key or self.headers):
            raise ValueError(
                "with `type`, the event is a map of fields as the schema's reader gives them, `$key` included"
            )
        return self


class _CasesFile(_Stated):
    cases: Annotated[list[Case], Field(min_length=1)]


class Result(msgspec.Struct, frozen=True):
    """How a case went. *found* is what came of the event, *why* what else is known of it."""

    name: str
    line: int
    passed: bool
    expected: Told
    found: Told
    why: str | None = None


def beside(rules: Path) -> Path:
    """Where the cases of a rules file stand if nobody says otherwise: rules.cases.yaml for rules.yaml."""
    return rules.with_suffix(".cases.yaml")


def topics_of_cases(path: Path) -> frozenset[str]:
    """The topics that the cases name: what patterns of topics may match. Raises RulesError."""
    _, cases = _read(path)
    return frozenset(case.topic for case in cases if case.topic is not None)


def judged(
    path: Path,
    *,
    topics: Sequence[str],
    translate: Callable[[str, Record], Translation],
    apply: Callable[[str, Event], Translation],
) -> list[Result]:
    """Every case in the file at *path*, tried. Raises RulesError with everything that is wrong with the file.

    translate: what a record of a topic does. apply: what an event does that is decoded already.
    """
    document, cases = _read(path)
    problems = [
        f"{path}, line {document.line(('cases', number, 'topic'))}: case {case.name!r}: {problem}"
        for number, case in enumerate(cases)
        if (problem := _of_topic(case.topic, topics)) is not None
    ]
    if problems:
        raise RulesError(problems)
    results: list[Result] = []
    for number, case in enumerate(cases):
        topic = case.topic or topics[0]
        event = None if case.type is None else Event(case.type, case.event)
        came = translate(topic, _record(case)) if event is None else apply(topic, event)
        results.append(_judged(case, document.line(("cases", number)), came))
    return results


def _read(path: Path) -> tuple[Document, list[Case]]:
    try:
        document = Document(path.read_bytes().decode())
    except OSError as error:
        raise RulesError(
            [f"{path}: {error.strerror or error}; write cases there, or name their file"]
        ) from error
    except UnicodeDecodeError as error:
        raise RulesError([f"{path}: the text is not UTF-8; save it as UTF-8"]) from error
    except UnreadableError as error:
        where = f"{path}, line {error.line}" if error.line else str(path)
        raise RulesError([f"{where}: {error}"]) from error
    try:
        return document, _CasesFile.model_validate(_plain(document.content, ())).cases
    except _NotJsonError as error:
        raise RulesError([f"{path}, line {document.line(error.place)}: {error}"]) from error
    except ValidationError as error:
        raise RulesError(
            [
                f"{path}, line {document.line(detail['loc'])}: "
                f"{'.'.join(str(step) for step in detail['loc'][2:]) or 'the file'}: "
                f"{detail['msg'].removeprefix('Value error, ')}"
                for detail in error.errors(include_url=False)
            ]
        ) from error


def _of_topic(topic: str | None, topics: Sequence[str]) -> str | None:
    if topic in topics or (topic is None and len(topics) == 1):
        return None
    named = "names no topic, and the rules read several" if topic is None else f"topic {topic!r} is not read"
    return f"{named}; write one of {', '.join(topics)}"


def _record(case: Case) -> RawRecord:
    written = case.event
    value = written.encode() if isinstance(written, str) else msgspec.json.encode(written)
    return RawRecord(
        None if written is None else value,
        None if case.key is None else case.key.encode(),
        tuple((name, text.encode()) for name, text in case.headers.items()),
    )


def _judged(case: Case, line: int, came: Translation) -> Result:
    wanted = case.expect[0]
    expected: Told
    if wanted.ignored:
        expected = IGNORED
    elif wanted.dead_letter is not None:
        expected = {"dead_letter": wanted.dead_letter.value}
    else:
        expected = [
            each.model_dump(include={"user", "changes", "urgent"}, exclude_none=True) for each in case.expect
        ]
    found = told(came)
    if isinstance(found, list) and isinstance(expected, list):
        for one, other in zip(found, expected, strict=False):
            if "urgent" not in other:
                del one["urgent"]
    why = came.info if isinstance(came, Unusable) else came.reason if isinstance(came, Ignored) else None
    return Result(case.name, line, found == expected, expected, found, why)


def told(came: Translation) -> Told:
    """What came of an event, as a case would state it."""
    match came:
        case Translated() | TranslatedMany():
            return [
                {
                    "user": part.user,
                    "changes": [_written(change) for change in part.changes],
                    "urgent": part.urgent,
                }
                for part in came.parts
            ]
        case Ignored():
            return IGNORED
        case Unusable(cause):
            return {"dead_letter": cause.value}
        case Wanting(schema_id):
            return (
                f"a wish for schema {schema_id}: give the case a `type`, and the schema's fields as its event"
            )


def _written(change: Change) -> dict[str, Any]:
    match change:
        case SetAttribute(name, value):
            return {"set_attribute": {"name": name, "value": value}}
        case RemoveAttribute(name):
            return {"remove_attribute": name}
        case AddTag(tag):
            return {"add_tag": tag}
        case RemoveTag(tag):
            return {"remove_tag": tag}
        case RemoveAllTags():
            return {"remove_all_tags": True}


class _NotJsonError(ValueError):
    def __init__(self, place: Place, value: object) -> None:
        super().__init__(f"{value} is no JSON; put it in quotes")
        self.place = place


def _plain(value: object, place: Place) -> Any:
    """YAML's values as those of JSON. Raises _NotJsonError: a date without quotes, say, was text in the event."""
    match value:
        case dict():
            return {_key(key, place): _plain(each, (*place, key)) for key, each in value.items()}
        case list():
            return [_plain(each, (*place, number)) for number, each in enumerate(value)]
        case str():
            return str(value)
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
    raise _NotJsonError(place, value)


def _key(key: object, place: Place) -> str:
    if not isinstance(key, str):
        raise _NotJsonError(place, key)
    return str(key)
