"""More users and tags than a request takes are split, spaced and joined."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.chat_api.accounts import Account
from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.errors import BrokenLimit, Refused, TryAgain
from audience_sync.chat_api.hosts import Hosts
from audience_sync.chat_api.many import HEADROOM, Spacing, pieces_of_parts
from audience_sync.chat_api.profile import Profile
from audience_sync.chat_api.wire import Command, Family
from tests.support.clock import on_virtual_time
from tests.unit.chat_api.calls import APP_ID, Answerer, Connections, says, signature

OK = {"ActionStatus": "OK", "ErrorCode": 0}
USERS = [f"user-{number:03}" for number in range(250)]


def client(answer: Answerer, **options: Any) -> tuple[ChatApi, Connections]:
    connections = Connections(answer)
    given_: dict[str, Any] = {"calls_per_second": 1e6} | options
    chat = ChatApi(
        app_id=APP_ID,
        signature=signature(),
        hosts=Hosts.at("http://chat.test"),
        transport=connections,
        **given_,
    )
    return chat, connections


def bodies(connections: Connections) -> list[Any]:
    return [json.loads(request.content) for request in connections.requests]


async def test_users_leave_in_requests_of_a_hundred() -> None:
    chat, connections = client(says(OK))
    async with chat:
        assert await chat.remove_all_tags(USERS) == {}

    assert [len(body["To_Account"]) for body in bodies(connections)] == [100, 100, 50]
    assert [user for body in bodies(connections) for user in body["To_Account"]] == USERS


async def test_tags_leave_ten_a_request_and_user_in_order() -> None:
    tags = [f"tag-{number}" for number in range(25)]
    chat, connections = client(says(OK))
    async with chat:
        await chat.add_tags({"alice": tags, "bob": ["one"]})

    sent = [{each["To_Account"]: each["Tags"] for each in body["UserTags"]} for body in bodies(connections)]
    assert sent == [{"alice": tags[:10], "bob": ["one"]}, {"alice": tags[10:20]}, {"alice": tags[20:]}]


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.lists(st.text(max_size=3), max_size=35), min_size=1)
)
def test_pieces_hold_what_was_given_once_and_in_order(parts: Mapping[str, list[str]]) -> None:
    pieces = pieces_of_parts(parts, texts=10, name="add_tag")
    joined: dict[str, list[str]] = {user: [] for user in parts}
    for piece in pieces:
        assert 1 <= len(piece) <= 100
        for user, tags in piece.items():
            assert len(tags) <= 10
            joined[user] += tags
    assert joined == parts


async def test_what_is_refused_by_name_is_joined() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        first = json.loads(request.content)["To_Account"][0]
        return httpx.Response(200, json={**OK, "ErrorList": [{"To_Account": first, "ErrorCode": 70107}]})

    chat, _ = client(answer)
    async with chat:
        refused = await chat.remove_all_tags(USERS)

    assert {user: said.code for user, said in refused.items()} == dict.fromkeys(
        ["user-000", "user-100", "user-200"], 70107
    )


async def test_an_error_says_who_was_confirmed_before_it() -> None:
    """A user with more tags to come is not."""
    answers = iter([OK, {"ErrorCode": 91000}])
    chat, _ = client(lambda _request: httpx.Response(200, json=next(answers)))
    async with chat:
        with pytest.raises(TryAgain) as caught:
            await chat.add_tags({"alice": [f"tag-{number}" for number in range(11)], "bob": ["one"]})

    assert caught.value.confirmed == {"bob"}


async def test_everything_is_checked_before_anything_is_sent() -> None:
    chat, connections = client(says(OK))
    async with chat:
        with pytest.raises(BrokenLimit, match="user 'user-249': the tag"):
            await chat.add_tags({user: ["x" * (51 if user == USERS[-1] else 50)] for user in USERS})

    assert connections.requests == []


@pytest.mark.parametrize(
    "method", ["remove_all_tags", "get_tags", "get_attributes", "check_accounts", "delete_accounts"]
)
async def test_nobody_is_no_request(method: str) -> None:
    """An empty list is more often a mistake than a wish."""
    chat, connections = client(says(OK))
    async with chat:
        with pytest.raises(BrokenLimit, match="without users"):
            await getattr(chat, method)([])
        with pytest.raises(BrokenLimit, match="'alice'"):
            await getattr(chat, method)("alice")

    assert connections.requests == []


@pytest.mark.parametrize("bad", [7, None, True, ["a"], b"a"])
async def test_a_user_or_tag_that_is_no_text_is_named(bad: Any) -> None:
    chat, connections = client(says(OK))
    async with chat:
        with pytest.raises(BrokenLimit, match="is no text"):
            await chat.add_tags({"alice": [bad]})
        with pytest.raises(BrokenLimit, match="is no text"):
            await chat.set_attributes({"alice": {"city": bad}})
        with pytest.raises(BrokenLimit, match="is no text"):
            await chat.set_attribute_names({0: bad})
        if not isinstance(bad, list):
            with pytest.raises(BrokenLimit, match=r"was given a|is no text"):
                await chat.add_tags({"alice": bad})

    assert connections.requests == []


async def test_a_user_named_twice_is_asked_for_once() -> None:
    chat, connections = client(says({**OK, "UserTags": []}))
    async with chat:
        await chat.get_tags(["alice", "bob", "alice"])

    assert bodies(connections) == [{"To_Account": ["alice", "bob"]}]


def test_calls_are_spaced_below_the_rate() -> None:
    """A library's user knows nothing of permits, and the API refuses the hundred and first of a second."""

    async def thirty_calls() -> float:
        spacing, clock = Spacing(100), asyncio.get_running_loop().time
        began = clock()
        for _ in range(31):
            await spacing.turn()
        return clock() - began

    assert on_virtual_time(thirty_calls()) == pytest.approx(30 / (100 * HEADROOM))


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_above_zero(rate: float) -> None:
    with pytest.raises(ValueError, match="calls_per_second"):
        Spacing(rate)


async def test_removals_name_no_more_tags_than_the_app_was_found_to_take() -> None:
    chat, connections = client(says(OK), profile=Profile(most_tags_per_removal=4))
    async with chat:
        await chat.remove_tags({"alice": [f"tag-{number}" for number in range(9)]})

    assert [len(body["UserTags"][0]["Tags"]) for body in bodies(connections)] == [4, 4, 1]


# Reading


async def test_answers_are_matched_by_user_and_not_by_place() -> None:
    users = [{"To_Account": "bob", "Attrs": {}}, {"To_Account": "alice", "Attrs": {"city": "深圳"}}]
    chat, _ = client(says({**OK, "UserAttrs": users, "RequestId": "x"}))
    async with chat:
        found = await chat.get_attributes(["alice", "bob"])

    assert found.of == {"alice": {"city": "深圳"}, "bob": {}}
    assert found.refused == {}


@pytest.mark.parametrize(
    "users", [None, [], [{"To_Account": "alice"}], [{"To_Account": "alice", "Attrs": None}]]
)
async def test_a_reading_answer_may_lack_anything(users: object) -> None:
    chat, _ = client(
        says({"ErrorCode": 0, "UserAttrs": users, "ErrorList": [{"To_Account": "bob", "ErrorCode": 70107}]})
    )
    async with chat:
        found = await chat.get_attributes(["alice", "bob"])

    assert found.of in ({}, {"alice": {}})
    assert list(found.refused) == ["bob"]


async def test_values_that_are_no_texts_are_shown_as_json_has_them() -> None:
    users = [{"To_Account": "alice", "Attrs": {"vip": True, "age": 7, "none": None}}]
    chat, _ = client(says({**OK, "UserAttrs": users}))
    async with chat:
        found = await chat.get_attributes(["alice"])

    assert found.of == {"alice": {"vip": "true", "age": "7", "none": "null"}}


async def test_an_answer_of_another_shape_is_none() -> None:
    chat, _ = client(says({**OK, "UserTags": {"alice": ["a"]}}))
    async with chat:
        with pytest.raises(TryAgain, match="not an answer to this call"):
            await chat.get_tags(["alice"])


# Attribute names


async def test_names_are_read_merged_and_sent_whole() -> None:
    """Right whether the API merges or overwrites."""
    answers = iter([{**OK, "AttrNames": {"0": "sex", "3": "city"}}, OK])
    chat, connections = client(lambda _request: httpx.Response(200, json=next(answers)))
    async with chat:
        assert await chat.set_attribute_names({1: "membership"}) == {0: "sex", 1: "membership", 3: "city"}

    assert bodies(connections) == [{}, {"AttrNames": {"0": "sex", "3": "city", "1": "membership"}}]


@pytest.mark.parametrize(
    ("names", "says_what"),
    [
        ({10: "a"}, "no slot 10"),
        ({-1: "a"}, "no slot -1"),
        ({}, "without a name"),
        ({0: ""}, "0 bytes"),
        ({0: "x" * 51}, "51 bytes"),
        ({0: "城" * 17}, "51 bytes"),
        ({0: "a", 1: "a"}, "in slot 0 and in slot 1"),
    ],
)
async def test_names_that_cannot_be_are_refused_before_anything_is_sent(
    names: dict[int, str], says_what: str
) -> None:
    chat, connections = client(says(OK))
    async with chat:
        with pytest.raises(BrokenLimit, match=says_what):
            await chat.set_attribute_names(names)

    assert connections.requests == []


async def test_a_name_that_another_slot_has_already_is_refused() -> None:
    chat, connections = client(says({**OK, "AttrNames": {"0": "city"}}))
    async with chat:
        with pytest.raises(BrokenLimit, match="'city' stands in slot 0 and in slot 5"):
            await chat.set_attribute_names({5: "city"})

    assert len(connections.requests) == 1


# The families


@pytest.mark.parametrize(
    ("family", "paths"),
    [
        (
            Family.ALL_MEMBER_PUSH,
            ["/v4/all_member_push/im_add_tag", "/v4/all_member_push/im_remove_all_tags"],
        ),
        (Family.TIMPUSH, ["/v4/timpush/add_tag", "/v4/timpush/clear_all_tags"]),
    ],
)
async def test_a_family_has_its_own_paths(family: Family, paths: list[str]) -> None:
    chat, connections = client(says(OK), family=family)
    async with chat:
        await chat.add_tags({"alice": ["a"]})
        await chat.remove_all_tags(["alice"])

    assert [request.url.path for request in connections.requests] == paths


async def test_what_only_the_successor_has_is_refused_before_it_is_sent() -> None:
    chat, connections = client(says(OK))
    async with chat:
        with pytest.raises(BrokenLimit, match="timpush"):
            await chat.add_tags({"alice": ["a"]}, replace=True)
        with pytest.raises(BrokenLimit, match="timpush"):
            await chat.set_attribute_names({0: "a"}, types={0: 0})
        with pytest.raises(BrokenLimit, match="timpush"):
            await chat.revoke("task")

    assert connections.requests == []


async def test_replacing_takes_a_hundred_tags_at_once() -> None:
    """In two requests the second would replace the first."""
    tags = [f"tag-{number}" for number in range(100)]
    chat, connections = client(says(OK), family=Family.TIMPUSH)
    async with chat:
        await chat.add_tags({"alice": tags}, replace=True)
        with pytest.raises(BrokenLimit, match="1 to 100 tags"):
            await chat.add_tags({"alice": [*tags, "one more"]}, replace=True)

    assert bodies(connections) == [{"Replace": 1, "UserTags": [{"To_Account": "alice", "Tags": tags}]}]


# Accounts


async def test_accounts_are_imported_checked_and_deleted_by_the_hundred() -> None:
    results = [
        {"UserID": "user-000", "ResultCode": 0, "AccountStatus": "Imported"},
        {"UserID": "x", "ResultCode": 70107},
    ]
    chat, connections = client(says({**OK, "FailAccounts": ["user-007"], "ResultItem": results}))
    async with chat:
        assert await chat.import_accounts([Account(user) for user in USERS]) == {"user-007"}
        checked = await chat.check_accounts(USERS)
        assert list(await chat.delete_accounts(["user-000", "x"])) == ["x"]

    assert checked.of == {"user-000": True}
    assert list(checked.refused) == ["x"]
    paths = [request.url.path for request in connections.requests]
    assert paths == [
        f"/v4/im_open_login_svc/{name}"
        for name in (*["multiaccount_import"] * 3, *["account_check"] * 3, "account_delete")
    ]


async def test_a_raw_question_is_neither_checked_nor_judged() -> None:
    chat, connections = client(says({"ErrorCode": 90001, "ErrorInfo": "what?"}))
    async with chat:
        answer = await chat.ask(Command.ADD_TAGS, {"UserTags": 7}, family=Family.TIMPUSH)
        with pytest.raises(Refused):
            await chat.get_attribute_names()

    assert answer == {"ErrorCode": 90001, "ErrorInfo": "what?"}
    assert connections.requests[0].url.path == "/v4/timpush/add_tag"
