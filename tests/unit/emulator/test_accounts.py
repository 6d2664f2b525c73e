"""The accounts API: import, check, delete; and who exists afterwards."""

from typing import Any

import pytest

from audience_sync.emulator.api import Api
from audience_sync.emulator.app import Account
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Accounts, Switches
from tests.unit.emulator.given import NOW, an_api, ask, code, tags

THREE_MONTHS = 90 * 86_400


def only_imported() -> Api:
    return an_api(switches=Switches(accounts=Accounts.IMPORTED))


def deletion(*users: str) -> dict[str, Any]:
    return {"DeleteItem": [{"UserID": user} for user in users]}


def status(api: Api, *users: str) -> list[str]:
    """What account_check says of users."""
    items = ask(api, "account_check", {"CheckItem": [{"UserID": user} for user in users]})["ResultItem"]
    assert [item["UserID"] for item in items] == list(users)
    return [item["AccountStatus"] for item in items]


def test_an_imported_account_can_be_written_to() -> None:
    """One by one or many at once, in the new form or the old ones; importing twice is importing once."""
    api = only_imported()
    for _ in range(2):
        assert code(api, "account_import", {"UserID": "a", "Nick": "Al", "FaceUrl": "http://x/a"}) == 0
        assert code(api, "account_import", {"Identifier": "b"}) == 0
        many = {"AccountList": [{"UserID": "c", "Nick": "Cy"}, {"UserID": "d"}]}
        assert ask(api, "multiaccount_import", many)["FailAccounts"] == []
        assert ask(api, "multiaccount_import", {"Accounts": ["e", "f"]})["FailAccounts"] == []
    assert list(api.store.users()) == list("abcdef")
    assert [(each.nick, each.face_url) for each in api.people()][:3] == [
        ("Al", "http://x/a"),
        ("", ""),
        ("Cy", ""),
    ]
    body = {"UserTags": [{"To_Account": user, "Tags": ["t"]} for user in "abcdef"]}
    assert code(api, "im_add_tag", body) == 0


def test_an_import_brings_new_names_to_old_accounts() -> None:
    """Documented: what exists is updated. Attributes and tags stay."""
    api = an_api()
    ask(api, "im_add_tag", tags("a", "t"))
    assert not api.account("a").imported
    ask(api, "account_import", {"UserID": "a", "Nick": "Al"})
    ask(
        api,
        "multiaccount_import",
        {"AccountList": [{"UserID": "a", "Nick": "Alice"}, {"UserID": "a", "Nick": "Ali"}]},
    )
    assert api.account("a") == Account(
        user="a",
        nick="Ali",
        face_url="",
        imported=True,
        online=False,
        deleted=False,
        state=UserState({}, ["t"]),
    )


def test_accounts_are_checked() -> None:
    """Who was imported, logged in or came into being by a write is there."""
    api = an_api()
    api.import_accounts(["imported"])
    api.log_in("logged in", NOW)
    ask(api, "im_add_tag", tags("written", "t"))
    assert status(api, "imported", "logged in", "written", "nobody") == ["Imported"] * 3 + ["NotImported"]


def test_deleted_accounts_are_gone() -> None:
    """Those who are not there are named with a code and the words of the sample; the answer is OK all the same."""
    api = an_api()
    api.import_accounts(["a", "b"])
    api.log_in("a", NOW)
    answer = ask(api, "account_delete", deletion("a", "nobody"))
    assert (answer["ErrorCode"], answer["ActionStatus"]) == (0, "OK")
    assert answer["ResultItem"] == [
        {"ResultCode": 0, "ResultInfo": "", "UserID": "a"},
        {"ResultCode": 70107, "ResultInfo": "Err_TLS_PT_Open_Login_Account_Not_Exist", "UserID": "nobody"},
    ]
    assert ask(api, "account_delete", deletion("a"))["ResultItem"][0]["ResultCode"] == 70107
    assert status(api, "a", "b") == ["NotImported", "Imported"]
    assert [(each.user, each.deleted, each.online) for each in api.people()] == [
        ("a", True, False),
        ("b", False, False),
    ]


def test_a_deleted_account_stays_away_for_three_months() -> None:
    """One is refused with a code, many are named as failed; then he comes back, and nothing is left."""
    api = an_api()
    ask(api, "im_add_tag", tags("a", "t"))
    ask(api, "account_delete", deletion("a"))
    for now in (NOW, NOW + THREE_MONTHS - 1):
        assert code(api, "account_import", {"UserID": "a"}, now=now) == 70399
        answer = ask(api, "multiaccount_import", {"Accounts": ["b", "a"]}, now=now)
        assert (answer["ErrorCode"], answer["FailAccounts"]) == (0, ["a"])
    assert status(api, "a", "b") == ["NotImported", "Imported"]
    assert code(api, "account_import", {"UserID": "a"}, now=NOW + THREE_MONTHS) == 0
    assert api.store.user("a") == UserState()
    assert list(api.store.users()) == ["b", "a"]


def test_nobody_writes_to_a_deleted_account() -> None:
    """Also where users come into being by a write: this one cannot be imported, either."""
    api = an_api()
    ask(api, "im_add_tag", tags("a", "t"))
    ask(api, "account_delete", deletion("a"))
    assert code(api, "im_add_tag", tags("a", "t")) == 90048
    assert api.counters.broken_limits == []
    api.import_accounts(["a"])
    assert code(api, "im_add_tag", tags("a", "t")) == 0


def test_a_tag_that_left_with_its_user_is_carried_by_nobody() -> None:
    """It counts no more against what the app may have."""
    api = an_api(switches=Switches(most_tags_of_the_app=1))
    ask(api, "im_add_tag", tags("a", "one"))
    ask(api, "account_delete", deletion("a"))
    assert code(api, "im_add_tag", tags("b", "two")) == 0


def test_bad_users_are_bad_for_the_accounts_too() -> None:
    """Each call has its own way to say so."""
    api = an_api()
    api.bad_users = {"a": 70500}
    assert code(api, "account_import", {"UserID": "a"}) == 70500
    assert ask(api, "multiaccount_import", {"Accounts": ["a", "b"]})["FailAccounts"] == ["a"]
    for endpoint, item in (("account_check", "CheckItem"), ("account_delete", "DeleteItem")):
        found = ask(api, endpoint, {item: [{"UserID": "a"}]})["ResultItem"][0]
        assert (found["UserID"], found["ResultCode"]) == ("a", 70500)
    assert list(api.store.users()) == ["b"]


def test_accounts_are_looked_through() -> None:
    """The latest first, those that are deleted too; and how many there are."""
    api = an_api()
    api.import_accounts([f"user-{number}" for number in range(20)])
    ask(api, "account_delete", deletion("user-19"))
    found, count = api.look("", 2)
    assert ([(each.user, each.deleted) for each in found], count) == (
        [("user-19", True), ("user-18", False)],
        20,
    )
    found, count = api.look("r-1", 3)
    assert ([each.user for each in found], count) == (["user-19", "user-18", "user-17"], 11)
    assert api.look("nobody", 3) == ([], 0)


def test_who_comes_and_goes_is_told_what_cannot_be() -> None:
    """In words for the control address."""
    api = an_api()
    api.import_accounts(["a"])
    ask(api, "account_delete", deletion("a"))
    for wrong in (
        lambda: api.log_in("a", NOW),
        lambda: api.log_in("", NOW),
        lambda: api.log_out("nobody", NOW),
    ):
        with pytest.raises(ValueError, match="user"):
            wrong()
    with pytest.raises(ValueError, match="32 bytes"):
        api.import_accounts(["b", "x" * 33])
    assert "b" not in api.store.users()
