"""Answers are read with patience: what is strange reads as nothing, and never as something else."""

import pytest

from audience_sync.probe.answer import Answer
from tests.unit.probe.given import OK, naming, refused, shown


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ErrorCode": 0}, 0),
        ({"ErrorCode": 90048, "ActionStatus": "FAIL"}, 90048),
        ({"ErrorCode": "90048"}, 90048),
        ({"ErrorCode": 0, "ActionStatus": "FAIL"}, -1),
        ({"ErrorCode": None}, -1),
        ({"ErrorCode": False}, -1),
        ({"ErrorCode": "none"}, -1),
        ({}, -1),
    ],
)
def test_only_a_code_of_0_is_ok(fields: dict[str, object], code: int) -> None:
    """Anything else is not taken for it."""
    assert Answer(fields).code == code


def test_a_user_has_the_code_of_the_answer_or_his_own() -> None:
    """The one of the answer goes first: then nobody was served."""
    assert refused(90048).code_of("alice") == 90048
    assert naming(alice=70107).code_of("alice") == 70107
    assert naming(alice=70107).code_of("bob") == 0


def test_an_entry_with_code_0_names_nobody() -> None:
    """He was served."""
    assert Answer({"ErrorCode": 0, "ErrorList": [{"To_Account": "alice", "ErrorCode": 0}]}).named == {}


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        Answer({"ErrorCode": 0, "UserTags": {"To_Account": "alice"}, "UserAttrs": "alice"}),
        Answer({"ErrorCode": 0, "UserTags": ["alice"], "UserAttrs": [None]}),
        Answer({"ErrorCode": 90048, "UserTags": [{"To_Account": "alice", "Tags": ["a"]}]}),
        shown("UserTags", "Tags", {"bob": ["a"]}),
    ],
)
def test_who_is_not_shown_has_nothing_known_of_him(answer: Answer) -> None:
    """None is not the same as nothing: who is not shown may carry anything."""
    assert answer.tags_of("alice") is None
    assert answer.attributes_of("alice") is None


def test_who_is_shown_without_tags_has_none() -> None:
    """The field may be missing, or null."""
    assert Answer({"ErrorCode": 0, "UserTags": [{"To_Account": "alice"}]}).tags_of("alice") == []
    assert shown("UserAttrs", "Attrs", {"alice": None}).attributes_of("alice") == {}


@pytest.mark.parametrize(
    ("names", "read"),
    [
        ({"0": "city", "3": ""}, {"0": "city"}),
        ({}, {}),
        (None, None),
        (["city"], None),
        ({"0": 7}, None),
        ({"10": "city"}, None),
    ],
)
def test_names_are_known_only_if_they_are_clear(names: object, read: dict[str, str] | None) -> None:
    """On a mistake here, a definition could free slots that are in use."""
    assert Answer({"ErrorCode": 0, "AttrNames": names}).attribute_names == read


def test_a_check_of_accounts_may_say_nothing_of_one() -> None:
    """With another code, or another word."""
    items = [
        {"UserID": "alice", "ResultCode": 0, "AccountStatus": "Imported"},
        {"UserID": "bob", "ResultCode": 0, "AccountStatus": "NotImported"},
        {"UserID": "carol", "ResultCode": 70169},
        {"UserID": "dave", "ResultCode": 0, "AccountStatus": "Away"},
    ]
    answer = Answer({"ErrorCode": 0, "ResultItem": items})
    assert [answer.is_imported(user) for user in ("alice", "bob", "carol", "dave", "eve")] == [
        True,
        False,
        None,
        None,
        None,
    ]
