"""Slots of attribute names: what follows from answers, and from which nothing follows."""

from collections.abc import Mapping

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.questions.names import NAMES, RENAMED_SLOT
from tests.unit.probe.given import GIVEN, OK, attributes, judged, refused


def defined(**names: str) -> Answer:
    return Answer(
        {"ErrorCode": 0, "AttrNames": {slot.removeprefix("s"): name for slot, name in names.items()}}
    )


def test_ours_take_the_first_free_slots() -> None:
    """The table below counts on it: slot 0 is the app's own."""
    assert GIVEN.slots.own == ("1", "2")


@pytest.mark.parametrize(
    ("after", "found"),
    [
        pytest.param(
            defined(s0="city", s1="asprobe1", s2="asprobe2"), "merge", id="the first is still there"
        ),
        pytest.param(defined(s0="city", s2="asprobe2"), "overwrite", id="the first is gone"),
        pytest.param(defined(s0="city", s1="", s2="asprobe2"), "overwrite", id="the first has an empty name"),
        pytest.param(defined(s0="city", s1="asprobe1"), None, id="the second is not there"),
        pytest.param(defined(s2="asprobe2"), None, id="the app's own is gone"),
        pytest.param(defined(s0="city", s1="other", s2="asprobe2"), None, id="the first has another name"),
        pytest.param(
            defined(s0="city", s2="asprobe2", s3="new"), None, id="somebody else defines names, too"
        ),
        pytest.param(OK, None, id="no names are shown"),
    ],
)
def test_names(after: Answer, found: str | None) -> None:
    """What was defined must be there, and nothing else; or somebody interferes."""
    answers = {"define the first": OK, "leave it out": OK, "names after": after, "define both": OK}
    assert judged(NAMES, answers).switches == ({} if found is None else {"names": found})


@pytest.mark.parametrize("refused_call", ["define the first", "leave it out", "names after"])
def test_names_that_are_refused_stay_open(refused_call: str) -> None:
    """An app may have other rules for names."""
    after = defined(s0="city", s2="asprobe2")
    answers = {"define the first": OK, "leave it out": OK, "names after": after, "define both": OK}
    assert not judged(NAMES, {**answers, refused_call: refused(90033)}).switches


@pytest.mark.parametrize(
    ("before", "renamed", "after", "found"),
    [
        pytest.param({"asprobe1": "1"}, OK, {"asprobe3": "1"}, "kept", id="the value has the new name"),
        pytest.param({"asprobe1": "1"}, OK, {}, "dropped", id="the value is gone"),
        pytest.param({"asprobe1": "1"}, OK, {"city": "Shenzhen"}, "dropped", id="others do not matter"),
        pytest.param({"asprobe1": "1"}, OK, {"asprobe1": "1"}, None, id="the value keeps the old name"),
        pytest.param({"asprobe1": "1"}, OK, {"asprobe3": "2"}, None, id="another value"),
        pytest.param(
            {"asprobe1": "1"}, refused(90033), {"asprobe1": "1"}, None, id="another name is refused"
        ),
        pytest.param({}, OK, {}, None, id="there was no value before"),
    ],
)
def test_renamed(
    before: Mapping[str, object], renamed: Answer, after: Mapping[str, object], found: str | None
) -> None:
    """A value before, and its name after."""
    answers = {
        "set": OK,
        "before": attributes(alice=before),
        "rename": renamed,
        "after": attributes(alice=after),
        "rename back": OK,
    }
    assert judged(RENAMED_SLOT, answers).switches == ({} if found is None else {"renamed": found})
