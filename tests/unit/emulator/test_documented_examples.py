"""The samples of the documentation's pages, one after the other, compared as JSON: what is sent, what comes back.

Names of people are ours. Each sample is sent as the page has it and its answer compared with the page's.
"""

import re
from typing import Any

import pytest

from audience_sync.emulator.switches import Accounts, Switches
from tests.unit.emulator.given import DEVICE, NOW, an_api, ask

OK = {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0}
BOTH = ("im_", "timpush/")
"""What the commands of each family begin with; the pages of both have the same bodies."""

TEXT = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}


@pytest.mark.parametrize("family", BOTH)
def test_names_of_attributes(family: str) -> None:
    """The pages of set_attr_name and get_attr_name."""
    api = an_api(attribute_names=())
    names = {"0": "sex", "1": "city", "2": "country"}
    assert ask(api, family + "set_attr_name", {"AttrNames": names}) == OK
    types = {"AttrTypes": {"0": 0, "1": 0, "2": 0}} if family == "timpush/" else {}
    assert ask(api, family + "get_attr_name", {}) == OK | {"AttrNames": names} | types


def test_names_of_attributes_with_their_types() -> None:
    """The successor's pages of the same."""
    api = an_api(attribute_names=())
    body = {"AttrNames": {"0": "sex", "1": "city", "2": "country"}, "AttrTypes": {"0": 0, "1": 0, "2": 1}}
    assert ask(api, "timpush/set_attr_name", body) == OK
    assert ask(api, "timpush/get_attr_name", {}) == OK | body


@pytest.mark.parametrize("family", BOTH)
def test_attributes(family: str) -> None:
    """The pages of set_attr, get_attr and remove_attr; who has no attributes has an empty object."""
    api = an_api()
    body = {
        "UserAttrs": [
            {"To_Account": "a", "Attrs": {"sex": "x", "city": "y"}},
            {"To_Account": "张三", "Attrs": {"city": "深圳"}},
        ]
    }
    assert ask(api, family + "set_attr", body) == OK
    assert ask(api, family + "get_attr", {"To_Account": ["a", "b", "张三"]}) == OK | {
        "UserAttrs": [
            {"To_Account": "a", "Attrs": {"sex": "x", "city": "y"}},
            {"To_Account": "b", "Attrs": {}},
            {"To_Account": "张三", "Attrs": {"city": "深圳"}},
        ]
    }
    removal = {
        "UserAttrs": [
            {"To_Account": "a", "Attrs": ["sex", "city"]},
            {"To_Account": "张三", "Attrs": ["sex", "city"]},
        ]
    }
    assert ask(api, family + "remove_attr", removal) == OK
    assert ask(api, family + "get_attr", {"To_Account": ["a"]}) == OK | {
        "UserAttrs": [{"To_Account": "a", "Attrs": {}}]
    }


@pytest.mark.parametrize("family", BOTH)
def test_tags(family: str) -> None:
    """The pages of add_tag, get_tag, remove_tag and remove_all_tags, which the successor calls clear_all_tags."""
    api = an_api()
    both = {"UserTags": [{"To_Account": user, "Tags": ["a", "b"]} for user in ("one", "two")]}
    assert ask(api, family + "add_tag", both) == OK
    assert ask(api, family + "get_tag", {"To_Account": ["one", "two", "three"]}) == OK | {
        "UserTags": [
            {"To_Account": "one", "Tags": ["a", "b"]},
            {"To_Account": "two", "Tags": ["a", "b"]},
            {"To_Account": "three", "Tags": []},
        ]
    }
    one_tag = {"UserTags": [{"To_Account": "one", "Tags": ["a"]}]}
    assert ask(api, family + "remove_tag", one_tag) == OK
    assert ask(api, family + "get_tag", {"To_Account": ["one"]}) == OK | {
        "UserTags": [{"To_Account": "one", "Tags": ["b"]}]
    }
    clears = "im_remove_all_tags" if family == "im_" else "timpush/clear_all_tags"
    assert ask(api, clears, {"To_Account": ["one", "two"]}) == OK
    assert ask(api, family + "get_tag", {"To_Account": ["one"]}) == OK | {
        "UserTags": [{"To_Account": "one", "Tags": []}]
    }


def test_tags_that_replace() -> None:
    """The successor's second sample of add_tag, with a device among the users."""
    api = an_api()
    body = {
        "Replace": 1,
        "UserTags": [
            {"To_Account": "one", "Tags": ["GoldMember", "WeekPassUser"]},
            {"To_Account": DEVICE, "Tags": ["PlatinumMember", "MonthPassUser"]},
        ],
    }
    assert ask(api, "timpush/add_tag", body) == OK


def test_some_who_are_not_served() -> None:
    """The successor's samples of set_attr and remove_attr: their words may be missing, or be there."""
    api = an_api()
    body = {"UserAttrs": [{"To_Account": user, "Attrs": {"sex": "x"}} for user in (DEVICE, "one")]}
    assert without_words(ask(api, "timpush/set_attr", body)) == OK | {
        "ErrorList": [{"ErrorCode": 90035, "To_Account": DEVICE}]
    }
    strict = an_api(switches=Switches(accounts=Accounts.IMPORTED))
    strict.import_accounts(["one"])
    removal = {"UserAttrs": [{"To_Account": user, "Attrs": ["sex", "city"]} for user in ("two", "one")]}
    assert without_words(ask(strict, "timpush/remove_attr", removal)) == OK | {
        "ErrorList": [{"ErrorCode": 70107, "To_Account": "two"}]
    }


def without_words(answer: dict[str, Any]) -> dict[str, Any]:
    for each in answer["ErrorList"]:
        assert isinstance(each.pop("ErrorInfo"), str)
    return answer


@pytest.mark.parametrize("family", BOTH)
def test_a_name_that_another_slot_has(family: str) -> None:
    """The one error text of the real service that is known word by word."""
    api = an_api()
    assert ask(api, family + "set_attr_name", {"AttrNames": {"2": "city"}}) == {
        "ActionStatus": "FAIL",
        "ErrorInfo": "attrName:city already exists at index:1",
        "ErrorCode": 90033,
    }


CONDITIONS: list[dict[str, Any]] = [
    {},
    {"Condition": {"TagsOr": ["stock A", "stock B"]}},
    {"Condition": {"TagsAnd": ["a", "b"], "TagsOr": ["c"]}},
    {"Condition": {"AttrsAnd": {"level": "platinum", "city": "Shenzhen"}}},
    {"Condition": {"AttrsOr": {"level": "platinum", "city": "Shenzhen"}}},
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_push(condition: dict[str, Any]) -> None:
    """The page of im_push: to all, by tags, by attributes; a task's name has the parts of the newer sample."""
    api = an_api(attribute_names=("level", "city"))
    body = {"From_Account": "admin", "MsgRandom": 389475, "MsgLifeTime": 120, "MsgBody": [TEXT], **condition}
    answer = ask(api, "im_push", body)
    task = answer.pop("TaskId")
    assert answer == OK
    assert re.fullmatch(r"[0-9a-f]+(_[0-9a-f]+){4}", task)


@pytest.mark.parametrize("condition", [*CONDITIONS, {"Condition": {"TagsOr": ["a"], "TagsNot": ["b"]}}])
def test_a_push_of_the_successor_and_taking_it_back(condition: dict[str, Any]) -> None:
    """Its pages of push and revoke."""
    api = an_api(attribute_names=("level", "city"))
    answer = ask(
        api, "timpush/push", {"MsgRandom": 389475, "OnlineOnlyFlag": 0, "MsgBody": [TEXT], **condition}
    )
    task = answer.pop("TaskId")
    assert answer == OK
    assert ask(api, "timpush/revoke", {"TaskId": task}, now=NOW + 60) == OK


def test_a_push_with_everything() -> None:
    """Other elements, and what the vendors' own push channels are told."""
    body = {
        "MsgRandom": 4_294_967_295,
        "MsgBody": [
            TEXT,
            {
                "MsgType": "TIMCustomElem",
                "MsgContent": {"Data": "{}", "Desc": "x", "Ext": "url", "Sound": "d.wav"},
            },
            {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1, "Data": "content"}},
            {
                "MsgType": "TIMLocationElem",
                "MsgContent": {
                    "Desc": "here",
                    "Latitude": 29.340656774469956,
                    "Longitude": 116.77497920478824,
                },
            },
        ],
        "OfflinePushInfo": {
            "PushFlag": 0,
            "Title": "title",
            "Desc": "words",
            "Ext": "passed on",
            "AndroidInfo": {
                "Sound": "android.mp3",
                "PushStyle": 0,
                "OPPOChannelID": "x",
                "VIVOClassification": 1,
            },
            "ApnsInfo": {
                "Sound": "apns.mp3",
                "BadgeMode": 1,
                "Title": "t",
                "SubTitle": "s",
                "Image": "u",
                "MutableContent": 1,
            },
        },
    }
    answer = ask(an_api(), "im_push", body)
    del answer["TaskId"]
    assert answer == OK


def test_one_account() -> None:
    """The page of account_import, and the older form of its body."""
    api = an_api()
    assert (
        ask(api, "account_import", {"UserID": "test", "Nick": "test", "FaceUrl": "http://www.qq.com"}) == OK
    )
    assert (
        ask(api, "account_import", {"Identifier": "test", "Nick": "test", "FaceUrl": "http://www.qq.com"})
        == OK
    )


def test_many_accounts() -> None:
    """The page of multiaccount_import: the older body, the newer one, and some who failed."""
    api = an_api()
    assert ask(api, "multiaccount_import", {"Accounts": ["test1", "test2"]}) == OK | {"FailAccounts": []}
    api.bad_users = {"UserID_002": 70169, "UserID_003": 70169}
    newer = [
        {"UserID": f"UserID_00{n}", "Nick": f"Nick_00{n}", "FaceUrl": "http://www.qq.com"} for n in (1, 2, 3)
    ]
    assert ask(api, "multiaccount_import", {"AccountList": newer}) == OK | {
        "FailAccounts": ["UserID_002", "UserID_003"]
    }


def test_accounts_checked_and_deleted() -> None:
    """The pages of account_check and account_delete."""
    api = an_api()
    api.import_accounts(["UserID_1"])
    users = [{"UserID": "UserID_1"}, {"UserID": "UserID_2"}]
    assert ask(api, "account_check", {"CheckItem": users}) == OK | {
        "ResultItem": [
            {"UserID": "UserID_1", "ResultCode": 0, "ResultInfo": "", "AccountStatus": "Imported"},
            {"UserID": "UserID_2", "ResultCode": 0, "ResultInfo": "", "AccountStatus": "NotImported"},
        ]
    }
    assert ask(api, "account_delete", {"DeleteItem": users}) == OK | {
        "ResultItem": [
            {"ResultCode": 0, "ResultInfo": "", "UserID": "UserID_1"},
            {
                "ResultCode": 70107,
                "ResultInfo": "Err_TLS_PT_Open_Login_Account_Not_Exist",
                "UserID": "UserID_2",
            },
        ]
    }
