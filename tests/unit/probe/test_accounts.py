"""Unknown accounts and bad users: what follows from answers, and from which nothing follows."""

from collections.abc import Mapping

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import tag
from audience_sync.probe.question import Answers
from audience_sync.probe.questions.accounts import TWICE, UNKNOWN_READ, UNKNOWN_WRITE
from audience_sync.probe.switches import Value
from tests.unit.probe.given import OK, attributes, checked, judged, naming, refused, tags

OMITTED = Answer(
    {
        "ErrorCode": 0,
        "UserTags": [{"To_Account": "alice", "Tags": []}],
        "UserAttrs": [{"To_Account": "alice", "Attrs": {}}],
        "ErrorList": [{"To_Account": "nobody", "ErrorCode": 70107}],
    }
)
EMPTY_TAGS, EMPTY_VALUES = tags(alice=[], nobody=[]), attributes(alice={}, nobody={})


@pytest.mark.parametrize(
    ("of_tags", "of_attributes", "found"),
    [
        pytest.param(EMPTY_TAGS, EMPTY_VALUES, "empty", id="he is shown with nothing"),
        pytest.param(OMITTED, OMITTED, "omit", id="he is left out and named"),
        pytest.param(refused(90048), refused(90048), "refuse", id="the request is refused"),
        pytest.param(
            tags(alice=["vip"], nobody=[]), EMPTY_VALUES, "empty", id="the other one may carry something"
        ),
        pytest.param(EMPTY_TAGS, refused(90048), None, id="tags and attributes disagree"),
        pytest.param(tags(alice=[]), attributes(alice={}), None, id="he is left out, and nobody names him"),
        pytest.param(tags(nobody=[]), attributes(nobody={}), None, id="the one who exists is left out"),
        pytest.param(tags(alice=[], nobody=["x"]), EMPTY_VALUES, None, id="he carries something"),
        pytest.param(naming(nobody=70107), naming(nobody=70107), None, id="nobody is shown"),
        pytest.param(OK, OK, None, id="nothing is said"),
    ],
)
def test_unknown_read(of_tags: Answer, of_attributes: Answer, found: str | None) -> None:
    """One of three documented ways, the same for tags and attributes; or open."""
    findings = judged(UNKNOWN_READ, {"tags of both": of_tags, "attributes of both": of_attributes})
    assert findings.switches == ({} if found is None else {"unknown_read": found})


def omitted_with(code: int) -> Answer:
    return Answer({**OMITTED.fields, "ErrorList": [{"To_Account": "nobody", "ErrorCode": code}]})


def test_another_code_in_the_list_is_not_the_documented_way() -> None:
    """The emulator would say 70107."""
    assert not judged(UNKNOWN_READ, {"tags of both": omitted_with(90048)}).switches


THERE, NOT_THERE = tags(nobody=[tag(1)]), tags(nobody=[])


def writes(tagged: Answer, valued: Answer, after: Answer, *, imported: bool) -> Answers:
    return {
        "tag known": OK,
        "attribute known": OK,
        "tag unknown": tagged,
        "attribute unknown": valued,
        "tags after": after,
        "account after": checked(nobody=imported),
    }


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param(
            writes(refused(90048), refused(90048), NOT_THERE, imported=False),
            {"accounts": "imported", "unknown_account_code": 90048},
            id="both writes are refused with one code",
        ),
        pytest.param(
            writes(refused(90048), refused(90012), NOT_THERE, imported=False),
            {"accounts": "imported"},
            id="refused with two codes: there is no such thing as the code",
        ),
        pytest.param(
            writes(naming(nobody=70107), naming(nobody=70107), NOT_THERE, imported=False),
            {"accounts": "imported"},
            id="he is named: no request was refused, so its code was not seen",
        ),
        pytest.param(
            writes(naming(nobody=70107), refused(90048), NOT_THERE, imported=False),
            {"accounts": "imported"},
            id="named by one, refused by the other",
        ),
        pytest.param(writes(OK, OK, THERE, imported=True), {"accounts": "auto"}, id="he comes into being"),
        pytest.param(
            writes(OK, OK, THERE, imported=False), {"accounts": "auto"}, id="he has the tag, imported or not"
        ),
        pytest.param(
            writes(OK, OK, NOT_THERE, imported=False), {"accounts": "imported"}, id="ignored in silence"
        ),
        pytest.param(
            writes(OK, OK, refused(90048), imported=False), {"accounts": "imported"}, id="ignored, unreadable"
        ),
        pytest.param(writes(OK, OK, NOT_THERE, imported=True), {}, id="he exists, and the tag does not"),
        pytest.param(
            writes(OK, refused(90048), THERE, imported=True), {}, id="one is taken, the other refused"
        ),
    ],
)
def test_unknown_write(answers: Answers, found: Mapping[str, Value]) -> None:
    """Whether he comes into being, and the code if not."""
    assert judged(UNKNOWN_WRITE, answers).switches == found


def test_a_code_that_accounts_get_who_exist_says_nothing_of_unknown_ones() -> None:
    """The request itself may be wrong for this app."""
    answers = {
        **writes(refused(90033), refused(90033), NOT_THERE, imported=False),
        "attribute known": refused(90033),
    }
    assert not judged(UNKNOWN_WRITE, answers).switches


def twice(tagged: Answer, carried: list[str], valued: Answer, value: str | None) -> Answers:
    had = {} if value is None else {"asprobe1": value}
    return {
        "tags": tagged,
        "tags after": tags(alice=carried),
        "attributes": valued,
        "attributes after": attributes(alice=had),
    }


BOTH = [tag(1), tag(2)]


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param(twice(OK, BOTH, OK, "2"), "in_order", id="both tags, and the later value"),
        pytest.param(
            twice(OK, ["vip", *BOTH], OK, "2"), "in_order", id="what he carried before does not matter"
        ),
        pytest.param(
            twice(refused(90001), [], refused(90001), None), "refused", id="refused, nothing is there"
        ),
        pytest.param(twice(OK, BOTH, OK, "1"), None, id="the earlier value stays"),
        pytest.param(twice(OK, [tag(2)], OK, "2"), None, id="only the later tag"),
        pytest.param(twice(refused(90035), [], refused(90035), None), None, id="refused with another code"),
        pytest.param(
            twice(refused(90001), [tag(1)], refused(90001), None), None, id="refused, and yet there"
        ),
        pytest.param(twice(OK, BOTH, refused(90001), None), None, id="tags are taken, attributes refused"),
        pytest.param(
            twice(naming(alice=90001), [], naming(alice=90001), None),
            None,
            id="he is named, the request is OK",
        ),
    ],
)
def test_twice(answers: Answers, found: str | None) -> None:
    """Tags show that both parts count, the attribute shows their order."""
    assert judged(TWICE, answers).switches == ({} if found is None else {"twice": found})
