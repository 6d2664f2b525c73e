"""What public SDKs put on the wire against the documentation: a strict emulator notices each of them.

The bodies are written as those SDKs would send them: a Java SDK of the community, the vendor's own generated one
for Java, one for Go, one for Rust.
"""

from typing import Any

import httpx
import pytest

from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.switches import Removal
from tests.support.emulator import SETTINGS, call, path_of, query

TEXT = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}

DEFECTS: list[tuple[str, str, dict[str, Any], int]] = [
    (
        "the community's Java: attributes to remove as an object",
        "im_remove_attr",
        {"UserAttrs": [{"To_Account": "alice", "Attrs": {"membership": "gold", "city": "Shenzhen"}}]},
        90021,
    ),
    (
        "the vendor's Java: one user's tags without an array of users, to add",
        "im_add_tag",
        {"To_Account": "alice", "Tags": ["a", "b"]},
        90019,
    ),
    (
        "the vendor's Java: one user's attributes without an array of users, to remove",
        "im_remove_attr",
        {"To_Account": "alice", "Attrs": ["membership", "city"]},
        90021,
    ),
    (
        "the vendor's Java: a list of conditions",
        "im_push",
        {"Condition": [{"TagsOr": ["a"]}], "MsgRandom": 389475, "MsgBody": [TEXT]},
        90001,
    ),
    (
        "the vendor's Java: a signed integer of 32 bits",
        "im_push",
        {"MsgRandom": -1_744_830_465, "MsgBody": [TEXT]},
        90005,
    ),
    (
        "Go: Attrs instead of UserAttrs, to set",
        "im_set_attr",
        {"Attrs": [{"To_Account": "alice", "Attrs": {"membership": "gold"}}]},
        90019,
    ),
    (
        "Go: Attrs instead of UserAttrs, and an object, to remove",
        "im_remove_attr",
        {"Attrs": [{"To_Account": "alice", "Attrs": {"membership": None}}]},
        90021,
    ),
    (
        "Go: Tags instead of UserTags, to add",
        "im_add_tag",
        {"Tags": [{"To_Account": "alice", "Tags": ["a"]}]},
        90019,
    ),
    (
        "Go: Tags instead of UserTags, to remove",
        "im_remove_tag",
        {"Tags": [{"To_Account": "alice", "Tags": ["a"]}]},
        90021,
    ),
]


@pytest.mark.parametrize(
    ("endpoint", "body", "expected"),
    [defect[1:] for defect in DEFECTS],
    ids=[defect[0] for defect in DEFECTS],
)
async def test_a_defect_is_refused(endpoint: str, body: dict[str, Any], expected: int) -> None:
    """With its code, kept as a mistake of the client, and nothing is done."""
    async with serve(SETTINGS) as emulator, httpx.AsyncClient() as client:
        answer = await call(client, emulator, endpoint, body)
        assert (answer["ErrorCode"], answer["ActionStatus"]) == (expected, "FAIL")
        assert [(broken.endpoint, broken.code) for broken in emulator.broken_limits] == [(endpoint, expected)]
        assert emulator.state() == {}
        assert emulator.api.pushing.sent == []


async def test_a_negative_random_in_the_address_is_refused(chat_api: Emulator) -> None:
    """The vendor's Java sends a signed integer there, too."""
    async with httpx.AsyncClient() as client:
        address = chat_api.url + path_of("im_get_attr_name")
        answer = await client.post(address, params=query(random="-1744830465"), json={})
    assert answer.json()["ErrorCode"] == 60002


async def test_tags_that_are_asked_of_the_wrong_endpoint_do_not_come(chat_api: Emulator) -> None:
    """A client in Rust does so. The body is sound there, so all that can be noticed is what comes back."""
    async with httpx.AsyncClient() as client:
        await call(client, chat_api, "im_add_tag", {"UserTags": [{"To_Account": "alice", "Tags": ["a"]}]})
        answer = await call(client, chat_api, "im_get_attr", {"To_Account": ["alice"]})
    assert "UserTags" not in answer
    assert answer["UserAttrs"] == [{"To_Account": "alice", "Attrs": {}}]


async def test_lists_of_a_condition_that_are_null_are_none(chat_api: Emulator) -> None:
    """Go sends the unused ones so; it is no defect, for a missing list means the same."""
    unused = {"TagsAnd": None, "AttrsAnd": None, "AttrsOr": None}
    chat_api.import_accounts("bob")
    chat_api.login("alice")
    chat_api.login("bob")
    async with httpx.AsyncClient() as client:
        await call(client, chat_api, "im_add_tag", {"UserTags": [{"To_Account": "alice", "Tags": ["a"]}]})
        body = {"Condition": {"TagsOr": ["a"], **unused}, "MsgRandom": 7, "MsgLifeTime": 0, "MsgBody": [TEXT]}
        answer = await call(client, chat_api, "im_push", body)
    assert [each.task_id for each in chat_api.delivered("alice")] == [answer["TaskId"]]
    assert chat_api.delivered("bob") == []


async def test_an_object_of_names_is_taken_by_an_app_that_does(chat_api: Emulator) -> None:
    """What the real service makes of it is open, and a switch."""
    chat_api.switch(removal=Removal.OBJECT_TOO)
    entry = {"To_Account": "alice", "Attrs": {"membership": "gold", "city": "Shenzhen"}}
    async with httpx.AsyncClient() as client:
        for endpoint in ("im_set_attr", "im_remove_attr"):
            assert (await call(client, chat_api, endpoint, {"UserAttrs": [entry]}))["ErrorCode"] == 0
    assert chat_api.user("alice").attributes == {}
