"""What the answers about accounts leave open, and how it is settled."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from audience_sync.chat_api import ChatApi, Found, Hosts, Signature, TryAgain
from audience_sync.commands.chat.accounts import deleting, importing
from audience_sync.commands.chat.kinds import Appearance

OK = {"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}


class Api:
    """Answers in turn, and keeps what it was asked: the command, and the users."""

    def __init__(self) -> None:
        self.answers: list[dict[str, object]] = []
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        body = json.loads(request.content)
        items = body.get("AccountList") or body.get("DeleteItem") or [body]
        self.asked.append((request.url.path.rpartition("/")[2], [item["UserID"] for item in items]))
        return httpx.Response(200, json=self.answers.pop(0))


@pytest.fixture
def api() -> Api:
    """What is called."""
    return Api()


@pytest.fixture
async def chat(api: Api) -> AsyncIterator[ChatApi]:
    """The client that calls it."""
    signature = Signature(1, "admin", SecretStr("key"))
    transport = httpx.MockTransport(api)
    async with ChatApi(
        app_id=1, signature=signature, hosts=Hosts.at("http://x"), transport=transport
    ) as chat:
        yield chat


ALL = {"alice": Appearance(), "bob": Appearance(), "carol": Appearance()}


async def test_who_failed_among_many_is_tried_alone(api: Api, chat: ChatApi) -> None:
    """To learn why, or to pass."""
    api.answers = [OK | {"FailAccounts": ["bob", "carol"]}, OK | {"ErrorCode": 70399}, OK]

    found = await importing(chat)(ALL)

    alone = {tuple(users) for command, users in api.asked if command == "account_import"}
    assert alone == {("bob",), ("carol",)}
    assert [refusal.code for refusal in found.refused.values()] == [70399]


async def test_when_a_stranger_is_named_all_are_tried(api: Api, chat: ChatApi) -> None:
    """Somebody who was asked for is meant, and nobody can say who."""
    api.answers = [OK | {"FailAccounts": ["ALICE"]}, OK | {"ErrorCode": 70402}, OK, OK]
    found = await importing(chat)(ALL)
    assert (len(api.asked), list(found.refused)) == (4, ["alice"])


async def test_who_is_gone_on_the_repeat_was_deleted(api: Api, chat: ChatApi) -> None:
    """But who was gone before is told."""
    gone: dict[str, object] = OK | {
        "ResultItem": [{"UserID": "alice", "ResultCode": 70107, "ResultInfo": ""}]
    }
    api.answers = [OK | {"ErrorCode": 91000}, gone, gone]
    users: dict[str, tuple[()]] = {"alice": (), "bob": ()}

    delete = deleting(chat)
    with pytest.raises(TryAgain):
        await delete(users)

    assert await delete(users) == Found({}, {})
    assert list((await deleting(chat)(users)).refused) == ["alice"]
