"""Answers as an app gives them, and what a question can count on, for tables of judgements."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from audience_sync.probe.answer import Answer
from audience_sync.probe.question import Answers, Findings, Given, Question
from audience_sync.probe.slots import Slots
from audience_sync.probe.switches import Value

ALICE, BOB, CAROL, NOBODY = "alice", "bob", "carol", "nobody"

GIVEN = Given(
    accounts=(ALICE, BOB, CAROL),
    unknown=NOBODY,
    bare=(ALICE, BOB, CAROL),
    attributes=("asprobe1", "asprobe2"),
    slots=Slots({"0": "city"}, {}),
)

OK = Answer({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0})


def refused(code: int) -> Answer:
    """The whole request is refused."""
    return Answer({"ActionStatus": "FAIL", "ErrorInfo": "words", "ErrorCode": code})


def naming(**codes: int) -> Answer:
    """OK, but for these users."""
    entries = [{"To_Account": user, "ErrorCode": code, "ErrorInfo": "words"} for user, code in codes.items()]
    return Answer({"ActionStatus": "OK", "ErrorCode": 0, "ErrorList": entries})


def tags(**carried: Sequence[str]) -> Answer:
    """What users carry."""
    return shown("UserTags", "Tags", carried)


def attributes(**had: Mapping[str, object]) -> Answer:
    """What users have."""
    return shown("UserAttrs", "Attrs", had)


def shown(field: str, inner: str, users: Mapping[str, object]) -> Answer:
    """What an answer shows of users."""
    return Answer({"ErrorCode": 0, field: [{"To_Account": user, inner: has} for user, has in users.items()]})


def checked(**imported: bool) -> Answer:
    """Whether accounts exist."""
    items = [
        {"UserID": user, "ResultCode": 0, "AccountStatus": "Imported" if there else "NotImported"}
        for user, there in imported.items()
    ]
    return Answer({"ErrorCode": 0, "ResultItem": items})


def judged(question: Question, answers: Answers, known: Mapping[str, Value] | None = None) -> Findings:
    """What *question* finds; every switch that it decides is found, or open with a reason, and none twice."""
    findings = question.judge(replace(GIVEN, known=known or {}), answers)
    assert findings.switches.keys() | findings.open.keys() == set(question.decides)
    assert not findings.switches.keys() & findings.open.keys()
    assert all(findings.open.values())
    return findings
