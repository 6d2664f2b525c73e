"""What would be asked, and what it costs; made without asking the app anything."""

from collections.abc import Sequence

import msgspec

from audience_sync.probe.ground import LEAVING_CALLS, LOOKING_CALLS, TIDYING_CALLS
from audience_sync.probe.question import Given, Question
from audience_sync.probe.questions import QUESTIONS


class Step(msgspec.Struct, frozen=True):
    """One question of a plan."""

    question: str
    decides: tuple[str, ...]
    asks: str
    most_calls: int
    most_pushes: int
    not_asked: str | None
    """Why it will not be asked, as far as is known before the first call."""


class Plan(msgspec.Struct, frozen=True):
    """All questions, and the most that they cost, what is put back included."""

    steps: tuple[Step, ...]
    most_calls: int
    most_pushes: int


def plan_for(given: Given, *, questions: Sequence[Question] = QUESTIONS) -> Plan:
    """What would be asked with the accounts and permissions of *given*."""
    steps = tuple(
        Step(
            question.name,
            question.decides,
            question.asks,
            question.most_calls,
            question.most_pushes,
            question.needs.told_before(given),
        )
        for question in questions
    )
    asked = [step for step in steps if step.not_asked is None]
    calls = sum(step.most_calls + TIDYING_CALLS for step in asked)
    return Plan(steps, LOOKING_CALLS + calls + LEAVING_CALLS, sum(step.most_pushes for step in asked))
