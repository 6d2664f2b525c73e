"""Pushes: what follows from answers, and from which nothing follows."""

from collections.abc import Mapping

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.question import Answers
from audience_sync.probe.questions.pushes import COMBINED, REPEATED_PUSH
from audience_sync.probe.switches import Value
from tests.unit.probe.given import OK, judged, refused


def task(number: str) -> Answer:
    return Answer({"ErrorCode": 0, "TaskId": number})


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param({"push": task("a"), "repeat": task("a")}, {"repeated": "same_task"}, id="the same task"),
        pytest.param({"push": task("a"), "repeat": refused(90005)}, {"repeated": "refused"}, id="refused"),
        pytest.param(
            {"push": task("a"), "repeat": task("b")}, {"repeat_window_seconds": 1.0}, id="a new task"
        ),
        pytest.param({"push": task("a"), "repeat": refused(90024)}, {}, id="too soon"),
        pytest.param({"push": task("a"), "repeat": OK}, {}, id="no number of a task"),
        pytest.param({"push": OK}, {}, id="no number of the first task"),
        pytest.param({"push": refused(90045)}, {"feature_off": "push"}, id="switched off for pushes alone"),
        pytest.param({"push": refused(90047)}, {}, id="the quota is used up"),
    ],
)
def test_repeated(answers: Answers, found: Mapping[str, Value]) -> None:
    """What is seen two seconds later says of a window only whether it is over."""
    answers = {"repeat": refused(90999), **answers, "add": OK}
    assert judged(REPEATED_PUSH, answers).switches == found


def test_a_window_that_is_not_over_is_told_as_at_least() -> None:
    """A person can judge by it; a program must not."""
    answers = {"add": OK, "push": task("a"), "repeat": task("a")}
    assert "at least" in judged(REPEATED_PUSH, answers).open["repeat_window_seconds"]


def test_without_the_tag_nothing_is_known() -> None:
    """A push may be refused because of it."""
    assert not judged(REPEATED_PUSH, {"add": refused(90034), "push": refused(90045)}).switches


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param(refused(90039), {"combined": "refused"}, id="they may not stand together"),
        pytest.param(task("a"), {}, id="taken: whether one is enough is not seen"),
        pytest.param(refused(90022), {}, id="refused with another code"),
        pytest.param(refused(90047), {}, id="the quota is used up"),
    ],
)
def test_combined(answer: Answer, found: Mapping[str, Value]) -> None:
    """Only a refusal shows itself to who pushes."""
    assert judged(COMBINED, {"add": OK, "push": answer}).switches == found
