"""The accounts' bodies and answers."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from audience_sync.chat_api.accounts import (
    IMPORTED,
    RESULTS,
    Account,
    ResultOfOne,
    encode_check,
    encode_delete,
    encode_import,
    encode_imports,
)
from audience_sync.chat_api.errors import BrokenLimit

PICTURE = "https://example.com/alice.png"
A_HUNDRED = [f"user-{number}" for number in range(100)]


def test_an_import_is_as_documented() -> None:
    """What is empty is left out: an import also updates, and shall blank nothing."""
    assert json.loads(encode_import(Account("alice", "Alice", PICTURE))) == {
        "UserID": "alice",
        "Nick": "Alice",
        "FaceUrl": PICTURE,
    }
    assert json.loads(encode_import(Account("alice"))) == {"UserID": "alice"}


def test_an_import_of_many_is_as_documented() -> None:
    """In the newer form, which has room for nick and picture."""
    assert json.loads(encode_imports([Account("alice", "Alice", PICTURE), Account("bob")])) == {
        "AccountList": [{"UserID": "alice", "Nick": "Alice", "FaceUrl": PICTURE}, {"UserID": "bob"}]
    }


def test_a_check_and_a_deletion_are_as_documented() -> None:
    assert json.loads(encode_check(["alice", "bob"])) == {
        "CheckItem": [{"UserID": "alice"}, {"UserID": "bob"}]
    }
    assert json.loads(encode_delete({"alice": None})) == {"DeleteItem": [{"UserID": "alice"}]}


def imports(users: list[Any]) -> bytes:
    return encode_imports([Account(user) for user in users])


def one_import(users: list[Any]) -> bytes:
    return encode_import(Account(users[0]))


every_call = pytest.mark.parametrize("call", [one_import, imports, encode_check, encode_delete])
calls_for_many = pytest.mark.parametrize("call", [imports, encode_check, encode_delete])


@every_call
@pytest.mark.parametrize("user", ["a", "a" * 31, "a" * 32, "股" * 10])
def test_users_that_keep_the_limit_are_written(call: Callable[[list[Any]], bytes], user: str) -> None:
    call([user])


@every_call
@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("", "the user '' has 0 bytes of UTF-8; the Chat API takes 1 to 32"),
        ("a" * 33, "has 33 bytes of UTF-8"),
        ("股" * 11, "has 33 bytes of UTF-8"),
        ("\ud800", "cannot be written in UTF-8"),
        (5, "the user 5 is no text but int"),
        (None, "the user None is no text but NoneType"),
    ],
)
def test_users_that_break_the_limit_are_not(
    call: Callable[[list[Any]], bytes], user: object, words: str
) -> None:
    """The words begin with the call."""
    with pytest.raises(BrokenLimit, match=rf"^(account|multiaccount)_\w+: .*{re.escape(words)}"):
        call([user])


@calls_for_many
def test_a_call_takes_a_hundred_users(call: Callable[[list[Any]], bytes]) -> None:
    call(A_HUNDRED[:99])
    call(A_HUNDRED)
    with pytest.raises(BrokenLimit, match="with 101 users; it takes 1 to 100"):
        call([*A_HUNDRED, "one more"])
    with pytest.raises(BrokenLimit, match="with 0 users; it takes 1 to 100"):
        call([])


@pytest.mark.parametrize("call", [encode_check, encode_delete, encode_imports])
def test_one_name_is_no_list_of_users(call: Callable[[Any], bytes]) -> None:
    """Else it would be a list of its letters, and each be deleted."""
    with pytest.raises(BrokenLimit, match="was given 'alice', which is no list of users"):
        call("alice")


@pytest.mark.parametrize("size", [1, 499, 500])
def test_nicks_and_pictures_may_be_long(size: int) -> None:
    encode_import(Account("alice", "n" * size, "p" * size))


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (Account("alice", "n" * 501), "for user 'alice': Nick 'nnn"),
        (Account("alice", "n", "p" * 501), "has 501 bytes of UTF-8; the Chat API takes 1 to 500"),
        (Account("alice", nick="\ud800"), r"for user 'alice': Nick '\ud800' cannot be written in UTF-8"),
    ],
)
def test_nicks_and_pictures_may_not_be_longer(account: Account, words: str) -> None:
    for call in (encode_import, lambda one: encode_imports([one])):
        with pytest.raises(BrokenLimit, match=re.escape(words)):
            call(account)


def test_what_is_no_account_is_not_imported() -> None:
    users: Any = ["alice"]
    with pytest.raises(BrokenLimit, match=r"'alice' is no account; make one with Account\(user\)"):
        encode_imports(users)
    nick: Any = 5
    with pytest.raises(BrokenLimit, match="Nick 5 is no text but int"):
        encode_import(Account("alice", nick=nick))


def test_the_users_who_failed_are_read() -> None:
    """Under the code 0: all others were imported."""
    answer = IMPORTED.decode(
        b'{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","FailAccounts":["test3","test4"]}'
    )

    assert (answer.code, answer.failed) == (0, ["test3", "test4"])
    assert IMPORTED.decode(b'{"ErrorCode":0}').failed is None


def test_what_a_check_found_is_read() -> None:
    body = {
        "ActionStatus": "OK",
        "ErrorCode": 0,
        "ErrorInfo": "",
        "ResultItem": [
            {"UserID": "alice", "ResultCode": 0, "ResultInfo": "", "AccountStatus": "Imported"},
            {"UserID": "bob", "ResultCode": 0, "ResultInfo": "", "AccountStatus": "NotImported"},
        ],
    }
    results = RESULTS.decode(json.dumps(body)).results

    assert results == [ResultOfOne("alice", 0, "", "Imported"), ResultOfOne("bob", 0, "", "NotImported")]
    assert [one.is_imported for one in results] == [True, False]


def test_what_a_deletion_did_is_read() -> None:
    """A number in quotes is a number, and what is new stands beside what we know."""
    body = (
        b'{"ErrorCode":0,"ResultItem":[{"ResultCode":"70107","ResultInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist",'
        b'"UserID":"bob","New":1},{"UserID":"alice"}]}'
    )

    assert RESULTS.decode(body).results == [
        ResultOfOne("bob", 70107, "Err_TLS_PT_Open_Login_Account_Not_Exist"),
        ResultOfOne("alice"),
    ]
