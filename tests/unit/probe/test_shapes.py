"""Shapes of bodies: what follows from answers, and from which nothing follows."""

from collections.abc import Mapping

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.question import Answers
from audience_sync.probe.questions.shapes import MISSHAPEN, REMOVAL, STRUCTURE_CODES, UNSET, VALUES
from tests.unit.probe.given import OK, attributes, judged, naming, refused

INVALID = refused(90033)


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        pytest.param(MISSHAPEN, "own", id="each call has its own"),
        pytest.param(dict.fromkeys(MISSHAPEN, 90001), "general", id="all have the general one"),
        pytest.param({**MISSHAPEN, "read": 90001}, None, id="one differs from its own"),
        pytest.param(dict.fromkeys(MISSHAPEN, 90002), None, id="all have an unheard-of one"),
        pytest.param({**dict.fromkeys(MISSHAPEN, 90001), "add": 0}, None, id="one shape is taken"),
        pytest.param(dict.fromkeys(MISSHAPEN, 60007), None, id="too fast to the end"),
    ],
)
def test_structure(codes: Mapping[str, int], found: str | None) -> None:
    """One of two documented sets of codes, all of it; or open."""
    answers = {what: refused(code) if code else OK for what, code in codes.items()}
    assert judged(STRUCTURE_CODES, answers).switches == ({} if found is None else {"structure": found})


def values(*answered: Answer, kept: tuple[object, object, object]) -> Answers:
    answers = {"string": OK, **dict(zip(("number", "boolean", "null"), answered, strict=True))}
    after = {f"after {kind}": value for kind, value in zip(("number", "boolean", "null"), kept, strict=True)}
    return answers | {what: attributes(alice={"asprobe1": value}) for what, value in after.items()}


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param(
            values(INVALID, INVALID, INVALID, kept=("1", "1", "1")), "strings", id="all are refused"
        ),
        pytest.param(
            values(*[naming(alice=90033)] * 3, kept=("1", "1", "1")), "strings", id="all are refused by name"
        ),
        pytest.param(values(OK, OK, OK, kept=("7", "true", "null")), "any", id="all are taken as texts"),
        pytest.param(values(OK, OK, OK, kept=(7, True, None)), None, id="all are taken as they are"),
        pytest.param(values(OK, OK, OK, kept=("1", "1", "1")), None, id="OK, and nothing is changed"),
        pytest.param(
            values(OK, OK, INVALID, kept=("7", "true", "true")), None, id="null is refused, the others taken"
        ),
        pytest.param(
            values(*[refused(90001)] * 3, kept=("1", "1", "1")), None, id="refused with another code"
        ),
        pytest.param(
            values(INVALID, INVALID, INVALID, kept=("7", "7", "7")), None, id="refused, and yet changed"
        ),
    ],
)
def test_values(answers: Answers, found: str | None) -> None:
    """All kinds of values have one fate, seen by code and by reading; or open."""
    assert judged(VALUES, answers).switches == ({} if found is None else {"values": found})


def test_values_need_one_that_is_taken() -> None:
    """Else the attribute is what is refused."""
    answers = {**values(INVALID, INVALID, INVALID, kept=("1", "1", "1")), "string": INVALID}
    assert not judged(VALUES, answers).switches


@pytest.mark.parametrize(
    ("set_", "removed", "after", "found"),
    [
        pytest.param(OK, refused(90021), {"asprobe1": "1"}, "array", id="refused, and still there"),
        pytest.param(OK, refused(90001), {"asprobe1": "1"}, "array", id="refused with whatever code"),
        pytest.param(OK, OK, {}, "object_too", id="OK, and gone"),
        pytest.param(OK, OK, {"asprobe1": "1"}, None, id="OK, and still there"),
        pytest.param(OK, refused(90021), {}, None, id="refused, and yet gone"),
        pytest.param(refused(90033), refused(90033), {}, None, id="it could not be set"),
    ],
)
def test_removal(set_: Answer, removed: Answer, after: Mapping[str, object], found: str | None) -> None:
    """Code and effect have to fit together."""
    answers = {"set": set_, "remove with an object": removed, "after": attributes(alice=after)}
    assert judged(REMOVAL, answers).switches == ({} if found is None else {"removal": found})


SET, UNTOUCHED, GONE = {"asprobe1": "1"}, {"asprobe1": "1"}, dict[str, object]()


@pytest.mark.parametrize(
    ("before", "removed", "after", "batch", "found"),
    [
        pytest.param(SET, OK, GONE, None, "ok", id="OK, and the other one is gone"),
        pytest.param(SET, INVALID, UNTOUCHED, None, "refused", id="refused, and nothing is gone"),
        pytest.param(SET, naming(alice=90033), UNTOUCHED, None, "refused", id="refused by name"),
        pytest.param(SET, OK, UNTOUCHED, "ignore", "refused", id="bad users are passed over in silence"),
        pytest.param(SET, OK, UNTOUCHED, "reject", None, id="OK, and nothing is gone: no reason is known"),
        pytest.param(SET, OK, UNTOUCHED, None, None, id="the same, and nothing is known of bad users"),
        pytest.param(SET, INVALID, GONE, None, None, id="refused, and yet gone"),
        pytest.param(SET, refused(90021), UNTOUCHED, None, None, id="refused with another code"),
        pytest.param(GONE, OK, GONE, None, None, id="nothing was set before"),
        pytest.param({**SET, "asprobe2": "1"}, OK, GONE, None, None, id="the other one was set, too"),
    ],
)
def test_unset(
    before: Mapping[str, object],
    removed: Answer,
    after: Mapping[str, object],
    batch: str | None,
    found: str | None,
) -> None:
    """The attribute that has a value shows whether the request was served."""
    answers = {
        "set": OK,
        "before": attributes(alice=before),
        "remove both": removed,
        "after": attributes(alice=after),
    }
    known = {} if batch is None else {"batch": batch}
    assert judged(UNSET, answers, known).switches == ({} if found is None else {"unset": found})
