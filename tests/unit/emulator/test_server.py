"""The emulator over HTTP, as a client and a test harness meet it."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from audience_sync.emulator.journal import JournalError
from audience_sync.emulator.overlaps import Overlap
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Accounts, Stores, Switches
from tests.support.emulator import SETTINGS, call, query
from tests.unit.emulator.given import attributes, tags

ONLY_IMPORTED = Switches(accounts=Accounts.IMPORTED)


async def test_a_signed_call_is_answered_and_seen(chat_api: Emulator) -> None:
    """The way in, the way back, and the state afterwards."""
    async with httpx.AsyncClient() as client:
        assert (await call(client, chat_api, "im_set_attr", attributes("深圳", city="Shenzhen")))[
            "ErrorCode"
        ] == 0
        answer = await call(client, chat_api, "im_get_attr", {"To_Account": ["深圳"]})
    assert answer["UserAttrs"] == [{"To_Account": "深圳", "Attrs": {"city": "Shenzhen"}}]
    assert chat_api.state() == {"深圳": UserState({"city": "Shenzhen"}, [])}
    assert chat_api.attribute_names() == {"0": "membership", "1": "city"}
    assert [seen.endpoint for seen in chat_api.requests()] == ["im_set_attr", "im_get_attr"]
    assert chat_api.most_calls_in_a_second() == {"im_set_attr": 1, "im_get_attr": 1}
    chat_api.reset_counters()
    assert chat_api.requests() == []
    assert chat_api.counters.calls == {}


async def test_what_is_wrong_before_the_body_is_read(chat_api: Emulator) -> None:
    """Path, method and query have their codes; the HTTP status is 200 all the same."""
    async with httpx.AsyncClient(base_url=chat_api.url) as client:
        path = "/v4/all_member_push/im_add_tag"
        answers = [
            await client.post("/v4/all_member_push/im_nothing", params=query(), json={}),
            await client.post("/v4/openim/im_add_tag", params=query(), json={}),
            await client.get(path, params=query()),
            await client.post(path, json={}),
            await client.post(path, params=query(sdkappid="1"), json={}),
            await client.post(path, params=query(usersig="x"), json={}),
        ]
    assert [answer.status_code for answer in answers] == [200] * 6
    assert [answer.json()["ErrorCode"] for answer in answers] == [60009, 60009, 60002, 60012, 60006, 70003]


async def test_a_body_that_is_longer_than_any_sound_one(chat_api: Emulator) -> None:
    """It is not kept in memory, and refused."""
    async with httpx.AsyncClient() as client:
        answer = await call(client, chat_api, "im_add_tag", {"filler": "x" * (1 << 20)})
    assert answer["ErrorCode"] == 90001
    chat_api.broken_limits.clear()


async def test_two_requests_for_one_user_at_the_same_time_are_seen() -> None:
    """While the first waits for its answer, the second names the same user."""
    async with serve(SETTINGS) as emulator, httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
        emulator.fail_next("stall:600")
        held = group.create_task(call(client, emulator, "im_add_tag", tags("a", "t")))
        await applied(emulator, "a")
        await call(client, emulator, "im_remove_tag", tags("a", "t"))
        assert emulator.overlaps == [Overlap("a", "im_add_tag", "im_remove_tag")]
        held.cancel()


async def applied(emulator: Emulator, user: str, tag: str = "t") -> None:
    async with asyncio.timeout(30):
        while tag not in emulator.user(user).tags:  # noqa: ASYNC110 - the emulator tells nobody when it applies
            await asyncio.sleep(0.001)


async def test_a_client_that_gave_up_waiting_may_send_again(chat_api: Emulator) -> None:
    """Its first request is over when its connection is; the fixture finds no overlap."""
    chat_api.fail_next("stall:600", count=5)
    async with httpx.AsyncClient() as client:
        for number in range(5):
            async with asyncio.TaskGroup() as group:
                given_up = group.create_task(call(client, chat_api, "im_add_tag", tags("a", f"t-{number}")))
                await applied(chat_api, "a", f"t-{number}")
                given_up.cancel()
        assert (await call(client, chat_api, "im_add_tag", tags("a", "last")))["ErrorCode"] == 0
    assert [seen.answered is None for seen in chat_api.requests()] == [True] * 5 + [False]


async def test_faults_over_http(chat_api: Emulator) -> None:
    """A broken connection, a gateway's page, a code after the deed; a stop does not wait for a stalled answer."""
    async with httpx.AsyncClient() as client:
        chat_api.fail_next("reset")
        with pytest.raises(httpx.ReadError):
            await call(client, chat_api, "im_add_tag", tags("a", "t"))
        assert chat_api.user("a").tags == ["t"]

        chat_api.fail_next("http:502", endpoint="im_add_tag")
        address = f"{chat_api.url}/v4/all_member_push/im_add_tag"
        answer = await client.post(address, params=query(), json=tags("b", "t"))
        assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
        assert chat_api.user("b").tags == []

        chat_api.fail_next("code_after:91000")
        assert (await call(client, chat_api, "im_add_tag", tags("c", "t")))["ErrorCode"] == 91000
        assert chat_api.user("c").tags == ["t"]


async def test_stopping_cuts_what_is_held_back(caplog: pytest.LogCaptureFixture) -> None:
    """It does not wait, and has nothing to complain about."""
    caplog.set_level(1)
    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
        async with serve(replace(SETTINGS, latency_seconds=600)) as emulator:
            held = group.create_task(failing(call(client, emulator, "im_add_tag", tags("a", "t"))))
            await applied(emulator, "a")
        await held
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def failing(answer: object) -> None:
    with pytest.raises(httpx.TransportError):
        await answer  # type: ignore[misc]  # a coroutine


async def test_the_servers_log_never_holds_a_query(caplog: pytest.LogCaptureFixture) -> None:
    """Addresses carry the signature, and no level is low enough to show it."""
    signature = query()["usersig"]
    caplog.set_level(1)
    logging.getLogger("httpx").setLevel(
        logging.WARNING
    )  # the caller tells whole addresses, and is not the server
    logging.getLogger("uvicorn.access").addHandler(caplog.handler)
    try:
        async with serve(SETTINGS) as emulator, httpx.AsyncClient() as client:
            for path in ("v4/all_member_push/im_get_tag", "control/health", "nothing"):
                await client.post(f"{emulator.url}/{path}", params=query(usersig=signature), content=b"{")
    finally:
        logging.getLogger("uvicorn.access").removeHandler(caplog.handler)
        logging.getLogger("httpx").setLevel(logging.NOTSET)
    told = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert told
    assert not [line for line in told if signature in line or "usersig" in line]


async def test_what_a_test_can_do_to_an_app_and_see_of_it() -> None:
    """People come and go, pushes reach them, the app changes its mind; each app for itself."""
    second = AppSettings(key="another key", app_id=1400000002)
    text = {
        "MsgRandom": 1,
        "MsgLifeTime": 60,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
    }
    async with serve(replace(SETTINGS, more_apps=(second,))) as emulator, httpx.AsyncClient() as client:
        emulator.import_accounts("later")
        emulator.login("gone")
        emulator.logout("gone")
        assert emulator.login("here") == []
        task = (await call(client, emulator, "im_push", text))["TaskId"]
        assert [(each.user, each.task_id, each.how) for each in emulator.deliveries()] == [
            ("here", task, "online")
        ]
        assert [each.how for each in emulator.login("later")] == ["offline"]
        assert [each.user for each in emulator.delivered("later")] == ["later"]

        other = emulator.app(second.app_id)
        other.bad_users(alice=70107)
        other.switch(batch="partial")
        other.feature(False)
        assert (await call(client, other, "im_add_tag", tags("alice", "t")))["ErrorCode"] == 90045
        other.feature(True)
        answer = await call(client, other, "im_add_tag", tags("alice", "t"))
        assert [each["ErrorCode"] for each in answer["ErrorList"]] == [70107]
        assert (await call(client, emulator, "im_add_tag", tags("alice", "t")))["ErrorCode"] == 0
        other.bad_users()
        assert "ErrorList" not in await call(client, other, "im_add_tag", tags("alice", "u"))
        assert (emulator.user("alice").tags, other.user("alice").tags) == (["t"], ["u"])
        assert other.deliveries() == []

        third = emulator.add_app(AppSettings(key="a third", app_id=3))
        assert (await call(client, third, "im_add_tag", tags("bob", "t")))["ErrorCode"] == 0
        with pytest.raises(ValueError, match="there already"):
            emulator.add_app(AppSettings(key="a third", app_id=3))


async def test_the_state_of_everything_outlives_the_emulator(tmp_path: Path) -> None:
    """Several apps, both stores, accounts, types of attributes, pushes and who is online."""
    second = AppSettings(key="another key", app_id=1400000002, switches=Switches(stores=Stores.SEPARATE))
    kept = replace(SETTINGS, state=tmp_path / "state.jsonl", more_apps=(second,))
    text = {
        "MsgRandom": 1,
        "MsgLifeTime": 600,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
    }
    async with serve(kept) as emulator, httpx.AsyncClient() as client:
        other = emulator.app(second.app_id)
        other.login("here")
        other.import_accounts("later", "gone")
        await call(client, other, "im_add_tag", tags("here", "old"))
        await call(client, other, "timpush/add_tag", tags("here", "new"))
        await call(client, other, "timpush/set_attr_name", {"AttrNames": {"7": "os"}, "AttrTypes": {"7": 1}})
        await call(client, other, "account_delete", {"DeleteItem": [{"UserID": "gone"}]})
        task = (await call(client, other, "im_push", text))["TaskId"]
    async with serve(kept) as emulator, httpx.AsyncClient() as client:
        other = emulator.app(second.app_id)
        assert emulator.state() == {}
        assert list(other.state()) == ["here", "later"]
        assert (await call(client, other, "timpush/get_tag", {"To_Account": ["here"]}))["UserTags"] == [
            {"To_Account": "here", "Tags": ["new"]}
        ]
        assert (await call(client, other, "timpush/get_attr_name", {}))["AttrTypes"] == {"7": 1}
        assert (await call(client, other, "account_import", {"UserID": "gone"}))["ErrorCode"] == 70399
        assert (await call(client, other, "im_push", text))["TaskId"] == task
        assert [(each.user, each.how) for each in other.deliveries()] == [("here", "online")]
        assert [each.task_id for each in other.login("later")] == [task]


async def test_state_outlives_the_emulator(tmp_path: Path) -> None:
    """Names, users, versions and imported accounts come back; what was counted does not; half a line is dropped."""
    kept = replace(SETTINGS, state=tmp_path / "state.jsonl", version_separator="~")
    async with serve(kept) as emulator, httpx.AsyncClient() as client:
        emulator.import_accounts("quiet")
        await call(client, emulator, "im_set_attr_name", {"AttrNames": {"2": "level"}})
        await call(client, emulator, "im_set_attr", attributes("a", city="x~2", level="1"))
        await call(client, emulator, "im_set_attr", attributes("a", city="x~1"))
        await call(
            client, emulator, "im_remove_attr", {"UserAttrs": [{"To_Account": "a", "Attrs": ["level"]}]}
        )
        await call(client, emulator, "im_add_tag", tags("a", "two", "one"))
        await call(client, emulator, "im_add_tag", tags("b", "t"))
        await call(client, emulator, "im_remove_tag", tags("a", "two"))
        await call(client, emulator, "im_remove_all_tags", {"To_Account": ["b"]})
        before, names = emulator.state(), emulator.attribute_names()
    assert before == {"quiet": UserState(), "a": UserState({"city": "x~1"}, ["one"]), "b": UserState()}
    with (tmp_path / "state.jsonl").open("ab") as file:
        file.write(b'{"app":1400000000,"record":{"type":"add_tag","parts":[["a",["ha')

    only_imported = replace(kept, switches=ONLY_IMPORTED, attribute_names=("level", "new"))
    for _ in range(2):
        async with serve(only_imported) as emulator, httpx.AsyncClient() as client:
            assert emulator.state() == before
            assert emulator.attribute_names() == names | {"3": "new"}
            assert emulator.went_back == []
            await call(client, emulator, "im_set_attr", attributes("a", city="x~1"))
            assert [back.highest for back in emulator.went_back] == ["x~2"]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b'{"app":1400000000}',
        b'{"app":1400000000,"record":{"type":"nonsense"}}',
        b'{"app":1400000000,"record":{"type":"set_attr","parts":[["a",{"undefined":"x"}]]}}',
    ],
)
async def test_a_file_that_is_no_journal(tmp_path: Path, line: bytes) -> None:
    """The emulator does not start on half a truth."""
    (tmp_path / "state").write_bytes(line + b"\n")
    with pytest.raises(JournalError, match="state"):
        async with serve(replace(SETTINGS, state=tmp_path / "state")):
            pass


async def test_an_address_that_is_taken(chat_api: Emulator) -> None:
    """An error for whoever starts it, not the end of the process."""
    with pytest.raises(OSError, match="in use"):
        async with serve(SETTINGS, port=int(chat_api.url.rpartition(":")[2])):
            pass


async def test_no_room_for_another_name(tmp_path: Path) -> None:
    """Ten slots, and those of the file count."""
    kept = replace(SETTINGS, state=tmp_path / "state", attribute_names=tuple(map(str, range(10))))
    async with serve(kept):
        pass
    with pytest.raises(ValueError, match="no free slot"):
        async with serve(replace(kept, attribute_names=("another",))):
            pass
