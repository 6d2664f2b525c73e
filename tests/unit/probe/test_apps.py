"""Families, deletions and administrators: what follows from answers, and from which nothing follows."""

from dataclasses import replace

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import tag
from audience_sync.probe.question import Permissions
from audience_sync.probe.questions.apps import DELETED, NOT_ADMINISTRATOR, STORES
from tests.unit.probe.given import GIVEN, OK, attributes, judged, naming, refused, tags

MINE = tags(alice=[tag(1)])


@pytest.mark.parametrize(
    ("mine", "other", "found"),
    [
        pytest.param(MINE, MINE, "one", id="both see it"),
        pytest.param(MINE, tags(alice=["vip"]), "separate", id="the other does not see it"),
        pytest.param(MINE, refused(90045), None, id="the other is switched off"),
        pytest.param(MINE, naming(alice=70107), None, id="the other does not know the account"),
        pytest.param(tags(alice=[]), MINE, None, id="it could not be added"),
    ],
)
def test_stores(mine: Answer, other: Answer, found: str | None) -> None:
    """A family that does not answer says nothing of stores."""
    answers = {"add": OK, "read": mine, "read with the other": other}
    assert judged(STORES, answers).switches == ({} if found is None else {"stores": found})


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        pytest.param(refused(60010), 60010, id="at the gateway"),
        pytest.param(refused(90009), 90009, id="behind it"),
        pytest.param(OK, None, id="an administrator"),
        pytest.param(refused(70013), None, id="the signature is somebody else's"),
        pytest.param(refused(70107), None, id="there is nobody of that name"),
    ],
)
def test_not_administrator(answer: Answer, found: int | None) -> None:
    """Only codes that say so: a name that is wrong otherwise gets others."""
    findings = judged(NOT_ADMINISTRATOR, {"names": answer})
    assert findings.switches == ({} if found is None else {"not_admin_code": found})


def deletion(code: int, user: str = "alice") -> Answer:
    return Answer({"ErrorCode": 0, "ResultItem": [{"UserID": user, "ResultCode": code}]})


NO_TAGS, NO_VALUES = tags(alice=[]), attributes(alice={})
HIS_TAG, HIS_VALUE = tags(alice=[tag(1)]), attributes(alice={"asprobe1": "1"})


@pytest.mark.parametrize(
    ("deleted", "of_tags", "of_attributes", "found"),
    [
        pytest.param(deletion(0), NO_TAGS, NO_VALUES, "forgotten", id="nothing is there"),
        pytest.param(deletion(0), refused(90048), refused(90048), "forgotten", id="he is unknown"),
        pytest.param(deletion(0), naming(alice=70107), naming(alice=70107), "forgotten", id="he is left out"),
        pytest.param(deletion(0), HIS_TAG, HIS_VALUE, "kept", id="all is there"),
        pytest.param(deletion(0), HIS_TAG, NO_VALUES, None, id="only the tag is there"),
        pytest.param(deletion(0), NO_TAGS, HIS_VALUE, None, id="only the attribute is there"),
        pytest.param(deletion(70107), NO_TAGS, NO_VALUES, None, id="he did not exist"),
        pytest.param(deletion(0, "bob"), NO_TAGS, NO_VALUES, None, id="somebody else was deleted"),
        pytest.param(refused(71000), HIS_TAG, HIS_VALUE, None, id="deletions are not allowed"),
    ],
)
def test_deleted(deleted: Answer, of_tags: Answer, of_attributes: Answer, found: str | None) -> None:
    """What is read after a deletion that was confirmed."""
    given = replace(GIVEN, permissions=Permissions(delete="alice"))
    answers = {"before": HIS_TAG, "delete": deleted, "tags after": of_tags, "attributes after": of_attributes}
    findings = DELETED.judge(given, answers)
    assert findings.switches == ({} if found is None else {"deleted": found})
    assert (findings.open.keys() == {"deleted"}) is (found is None)
