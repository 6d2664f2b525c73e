"""A scenario file: who writes what, how the API behaves, what happens when, and the range of each figure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.simulation.chat import BadUsers

FOLDER: Final = Path(__file__).parent

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]
Range = Annotated[tuple[float, float], Field(strict=False)]
"""The least and the most that is expected, both included; of seconds to choose from, the same."""


class ScenarioError(ValueError):
    """A file that is no scenario: which one, where, and what would be right."""


class _Part(BaseModel, frozen=True, extra="forbid", strict=True):
    """A key that nobody knows is refused, and so is a text where a number should be."""


class Given(_Part, frozen=True):
    """Who writes what, and who reads it.

    Each user has so many changes, at moments by chance within over_seconds. about_tags: so many in a hundred
    follow or unfollow something; the others set an attribute. The last of the users are bad ones, and before
    them those without an account.
    """

    users: Count
    changes_each: Count = 1
    over_seconds: Seconds = 0.0
    about_tags: Count = 0
    bad_users: Count = 0
    unknown_users: Count = 0
    replicas: Annotated[int, Field(ge=1, le=4)] = 1
    partitions: Annotated[int, Field(ge=1)] = 4


class Api(_Part, frozen=True):
    """How the Chat API behaves while nothing is wrong. of_app: of all endpoints together.

    bad_users: what one of them does to his request: reject (the whole, naming nobody), partial (he is named),
    prefix (those before him are applied), ignore (he is confirmed).
    """

    calls_per_second: Rate = 100.0
    calls_per_second_of_app: Rate | None = None
    answer_seconds: Seconds | Range = 0.05
    bad_users: Annotated[BadUsers, Field(strict=False)] = BadUsers.REJECT


class _Moment(_Part, frozen=True):
    """Something that happens so many seconds after the start."""

    at: Seconds


class ApiDown(_Moment, frozen=True):
    """No connection comes about."""

    what: Literal["the API is down"]
    for_seconds: Seconds


class ApiSlow(_Moment, frozen=True):
    """Answers take longer."""

    what: Literal["the API is slow"]
    for_seconds: Seconds
    answer_seconds: Seconds | Range


class AnswersLost(_Moment, frozen=True):
    """So many requests in a hundred are applied, and not answered."""

    what: Literal["answers are lost"]
    for_seconds: Seconds
    of_a_hundred: Annotated[int, Field(ge=1, le=100)]


class FeatureOff(_Moment, frozen=True):
    """Everything is refused with 90045."""

    what: Literal["the feature is off"]
    for_seconds: Seconds


class LimitLower(_Moment, frozen=True):
    """The API allows each endpoint fewer calls."""

    what: Literal["the limit is lower"]
    for_seconds: Seconds
    calls_per_second: Rate


class AccountsImported(_Moment, frozen=True):
    """Whoever had no account has one."""

    what: Literal["accounts are imported"]


class BrokerAway(_Moment, frozen=True):
    """Nobody can reach Kafka."""

    what: Literal["the broker is away"]
    for_seconds: Seconds


class ReplicaJoins(_Moment, frozen=True):
    """One more."""

    what: Literal["a replica joins"]


class ReplicaStops(_Moment, frozen=True):
    """It is asked to, as for an upgrade, and started again."""

    what: Literal["a replica stops"]
    replica: Count
    back_after_seconds: Seconds


class ReplicaKilled(_Moment, frozen=True):
    """It ends at once, and is started again."""

    what: Literal["a replica is killed"]
    replica: Count
    back_after_seconds: Seconds


class ReplicaFreezes(_Moment, frozen=True):
    """It does nothing, does not know it, and goes on."""

    what: Literal["a replica freezes"]
    replica: Count
    for_seconds: Seconds


class ClockJumps(_Moment, frozen=True):
    """The wall clock below a replica is corrected, forwards or backwards."""

    what: Literal["a clock jumps"]
    replica: Count
    seconds: float


class Flood(_Moment, frozen=True):
    """So many records are written that no rule can do anything with."""

    what: Literal["nobody can use what comes"]
    for_seconds: Seconds
    records: Count


Moment = (
    ApiDown
    | ApiSlow
    | AnswersLost
    | FeatureOff
    | LimitLower
    | AccountsImported
    | BrokerAway
    | ReplicaJoins
    | ReplicaStops
    | ReplicaKilled
    | ReplicaFreezes
    | ClockJumps
    | Flood
)


class Scenario(_Part, frozen=True):
    """One file. settings: of the service, group by group, as in its own settings file."""

    given: Given
    settings: dict[str, Any] = {}
    api: Api = Api()
    when: list[Annotated[Moment, Field(discriminator="what")]] = []
    expect: dict[str, Range]


def scenario_files() -> list[Path]:
    """All scenarios."""
    return sorted(FOLDER.glob("*.yaml"))


def read_scenario(text: str, *, file: str, figures: Sequence[str]) -> Scenario:
    """The scenario that the file tells, whose figures are some of these. Raises ScenarioError."""
    if not first_sentence(text):
        raise ScenarioError(f"{file}: it says nothing of itself; begin it with a sentence after a #")
    try:
        content = YAML(typ="safe", pure=True).load(text)
        scenario = Scenario.model_validate(content)
    except YAMLError as error:
        raise ScenarioError(f"{file}: {error}") from error
    except ValidationError as error:
        raise ScenarioError("\n".join(f"{file}: {problem}" for problem in _problems(error))) from error
    if unknown := scenario.expect.keys() - set(figures):
        raise ScenarioError(
            f"{file}: no figure is called {', '.join(sorted(unknown))}; there are {', '.join(figures)}"
        )
    if not scenario.expect:
        raise ScenarioError(f"{file}: it expects nothing; give a figure its range")
    for name, (least, most) in scenario.expect.items():
        if least > most:
            raise ScenarioError(f"{file}: {name} is to be between {least:g} and {most:g}; turn them round")
    given = scenario.given
    if given.bad_users + given.unknown_users > given.users:
        raise ScenarioError(f"{file}: of {given.users} users, more are bad or unknown; add users")
    return scenario


def first_sentence(text: str) -> str:
    """What a file says of itself: its first comment, as one line."""
    lines = re.match(r"(?:#.*\n)*", text)
    assert lines is not None
    return " ".join(lines[0].replace("#", " ").split())


def _problems(error: ValidationError) -> Iterator[str]:
    """Each problem in a line: where it is, what is wrong, and what would be right there."""
    for problem in error.errors(include_url=False):
        place = [str(step) for step in problem["loc"] if step not in _KINDS]
        where = ".".join(place) or "the file"
        if problem["type"] == "extra_forbidden":
            kinds = [_KINDS[str(step)] for step in problem["loc"] if step in _KINDS]
            known = (kinds or [_PARTS.get(place[0], Scenario) if len(place) > 1 else Scenario])[0]
            yield f"{where}: nobody knows this key; there are {', '.join(known.model_fields)}"
        elif problem["type"] == "union_tag_invalid":
            yield f"{where}: this never happens; what may happen: {', '.join(sorted(_KINDS))}"
        else:
            yield f"{where}: {problem['msg']}"


_PARTS: Final[Mapping[str, type[BaseModel]]] = {"given": Given, "api": Api}
_KINDS: Final[Mapping[str, type[BaseModel]]] = {
    get_args(kind.model_fields["what"].annotation)[0]: kind for kind in get_args(Moment)
}
"""What may happen, by its name."""
