"""The control address: everything that a test in another process needs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from audience_sync.emulator.control import OF_ALL_APPS, ROUTES
from audience_sync.emulator.faults import FaultSettings
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.switches import Accounts, Switches
from tests.support.emulator import SETTINGS, call
from tests.unit.emulator.given import DEVICE, attributes, tags

OTHER = 1400000001


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """Two apps; the first knows only imported users, and compares versions."""
    first = replace(
        SETTINGS, switches=Switches(accounts=Accounts.IMPORTED), imported=("a",), version_separator="~"
    )
    other = replace(SETTINGS, app_id=OTHER, key="another key")
    async with serve(replace(first, more_apps=(other,))) as emulator:
        yield emulator


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    """It asks the control address."""
    async with httpx.AsyncClient(base_url=f"{emulator.url}/control") as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(client: httpx.AsyncClient, path: str, body: object = None) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def push(client: httpx.AsyncClient, emulator: Emulator, random: int, **more: object) -> None:
    text = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}
    body = {"MsgRandom": random, "MsgLifeTime": 60, "MsgBody": [text], **more}
    assert (await call(client, emulator, "im_push", body))["ErrorCode"] == 0


async def test_users_and_what_was_sent(client: httpx.AsyncClient, emulator: Emulator) -> None:
    """Names with slashes too; whoever is unknown has nothing."""
    assert await get(client, "/health") == {"status": "ok"}
    assert await post(client, "/accounts", {"users": ["b", "a/b c"]}) == {"imported": 2}
    await call(client, emulator, "im_add_tag", tags("a/b c", "topic:NVDA"))
    for value in ("gold~2", "gold~1"):
        await call(client, emulator, "im_set_attr", attributes("a", city=value))
    await call(client, emulator, "im_add_tag", tags("nobody", "t"))
    await call(client, emulator, "im_add_tag", {})

    assert await get(client, "/users/a%2Fb%20c") == {"attributes": {}, "tags": ["topic:NVDA"]}
    assert await get(client, "/users/nobody") == {"attributes": {}, "tags": []}
    state = await get(client, "/state")
    assert state["attribute_names"] == {"0": "membership", "1": "city"}
    assert state["users"]["a"] == {"attributes": {"city": "gold~1"}, "tags": []}
    assert list(state["users"]) == ["a", "b", "a/b c"]

    counters = await get(client, "/counters")
    assert counters["calls"] == {"im_add_tag": 3, "im_set_attr": 2}
    assert counters["most_calls_in_a_second"].keys() == {"im_add_tag", "im_set_attr"}
    assert counters["users_per_request"] == {"im_add_tag": {"1": 2}, "im_set_attr": {"1": 2}}
    assert (counters["users"], counters["user_parts"]) == (4, {"im_add_tag": 2, "im_set_attr": 2})
    assert counters["refused"] == {"90048": 1, "90019": 1}
    assert (counters["overlaps_count"], counters["broken_limits_count"]) == (0, 1)
    assert counters["went_back"] == [{"user": "a", "name": "city", "highest": "gold~2", "written": "gold~1"}]

    last = (await get(client, "/requests", last=2))["requests"]
    assert [(each["users"], each["code"]) for each in last] == [(["nobody"], 90048), ([], 90019)]
    assert all(each["arrived"] <= each["answered"] for each in last)
    assert await post(client, "/reset-counters") == {}
    assert (await get(client, "/counters"))["calls"] == {}


async def test_faults(client: httpx.AsyncClient, emulator: Emulator) -> None:
    """What is left of them can be sent again as it is."""
    fault = {"kind": "code:91000", "count": 2}
    step = {"at_seconds": 3600.0, "chance": {"half": 0.5}}
    asked = {
        "latency_seconds": 0.001,
        "fail_next": [fault],
        "chance": {"reset": 0},
        "script": [step],
        "seed": 3,
    }
    assert (await post(client, "/faults", asked))["fail_next"] == [fault]
    assert (await call(client, emulator, "im_add_tag", tags("a", "t")))["ErrorCode"] == 91000
    left = await get(client, "/faults")
    assert 3590 < left["script"][0].pop("at_seconds") < 3600
    assert left == {
        "latency_seconds": 0.001,
        "fail_next": [fault | {"count": 1}],
        "chance": {"reset": 0.0},
        "script": [{"chance": {"half": 0.5}}],
    }
    await post(client, "/faults", {"fail_next": [], "script": []})
    assert emulator.api.faults.now_set(0) == FaultSettings(
        latency_seconds=0.001, fail_next=[], chance={"reset": 0.0}, script=[]
    )


async def test_pushes_and_deliveries(client: httpx.AsyncClient, emulator: Emulator) -> None:
    """Who comes online gets what waits for him, and is told so; each delivery has its number."""
    await post(client, "/accounts", {"users": ["b"]})
    assert await post(client, "/log-in", {"users": ["a"]}) == {"deliveries": []}
    await push(client, emulator, 1, Condition={"TagsOr": ["none has it"]})
    assert (await get(client, "/pushes"))["pushes"][0]["to"] == []
    emulator.api.pushing.sent.clear()  # or it would be too soon for the next one
    await push(client, emulator, 2)
    assert [each["user"] for each in (await post(client, "/log-in", {"users": ["b"]}))["deliveries"]] == ["b"]

    found = await get(client, "/deliveries")
    assert (found["count"], [(each["number"], each["user"]) for each in found["deliveries"]]) == (
        2,
        [(1, "a"), (2, "b")],
    )
    assert [each["user"] for each in (await get(client, "/deliveries", after=1))["deliveries"]] == ["b"]
    assert (await get(client, "/deliveries", after=7))["deliveries"] == []
    (pushed,) = (await get(client, "/pushes", last=1))["pushes"]
    assert (pushed["to"], pushed["delivered"]) == (["a", "b"], ["a"])

    assert await post(client, "/log-out", {"users": ["a", "b"]}) == {"logged_out": 2}
    assert not emulator.api.inboxes.online


async def test_how_the_app_stands(client: httpx.AsyncClient, emulator: Emulator) -> None:
    """Switches one by one, the feature, and users who are always refused."""
    assert await get(client, "/switches") == msgspec.to_builtins(Switches(accounts=Accounts.IMPORTED))
    changed = await post(client, "/switches", {"batch": "partial", "most_tags_of_the_app": 5})
    assert (changed["batch"], changed["most_tags_of_the_app"], changed["accounts"]) == (
        "partial",
        5,
        "imported",
    )

    assert await post(client, "/bad-users", {"a": 70107}) == {"a": 70107}
    answer = await call(client, emulator, "im_add_tag", tags("a", "t"))
    assert [each["ErrorCode"] for each in answer["ErrorList"]] == [70107]
    assert await post(client, "/bad-users", {DEVICE: 90035}) == {DEVICE: 90035}
    assert await post(client, "/bad-users", {}) == {}

    assert await get(client, "/feature") == {"on": True}
    assert await post(client, "/feature", {"on": False}) == {"on": False}
    assert (await call(client, emulator, "im_add_tag", tags("a", "t")))["ErrorCode"] == 90045


async def test_every_app_has_its_own(client: httpx.AsyncClient, emulator: Emulator) -> None:
    """The first one at the short address as well; a new one from its first request on."""
    inner = f"/apps/{OTHER}"
    await post(client, f"{inner}/switches", {"twice": "refused"})
    await post(client, f"{inner}/accounts", {"users": ["x/y"]})
    assert (await get(client, "/switches"))["twice"] == "in_order"
    assert list((await get(client, f"{inner}/state"))["users"]) == ["x/y"]
    assert (await get(client, f"{inner}/users/x/y"))["tags"] == []
    assert await get(client, "/state") == await get(client, f"/apps/{SETTINGS.app_id}/state")

    added = await post(client, "/apps", {"app_id": 7, "key": "a third key", "switches": {"batch": "prefix"}})
    assert [each["app_id"] for each in added["apps"]] == [SETTINGS.app_id, OTHER, 7]
    assert added["apps"][2]["switches"]["batch"] == "prefix"
    assert (await call(client, emulator.app(7), "im_add_tag", tags("z", "t")))["ErrorCode"] == 0
    assert "key" not in str(added) + str(await get(client, "/apps"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"),
    [
        ("GET", "nothing", "", 404, "there are health"),
        ("GET", "", "", 404, "there are health"),
        ("GET", "users", "", 404, "users"),
        ("GET", "health/more", "", 404, "health/more"),
        ("GET", "deliveries/other", "", 404, "deliveries/stream"),
        ("GET", "apps/8/state", "", 404, f"no app 8; there are 1400000000, {OTHER}"),
        ("GET", "apps/x/state", "", 404, "no app x"),
        ("GET", f"apps/{OTHER}", "", 404, "nothing at"),
        ("GET", f"apps/{OTHER}/health", "", 404, "nothing at"),
        ("POST", f"apps/{OTHER}/apps", "{}", 404, "nothing at"),
        ("POST", "state", "", 405, "takes GET"),
        ("GET", "reset-counters", "", 405, "takes POST"),
        ("PUT", "faults", "", 405, "takes GET, POST"),
        ("POST", "faults", "{", 400, "truncated"),
        ("POST", "faults", '{"fail_nxt": []}', 400, "fail_nxt"),
        ("POST", "faults", '{"fail_next": [{"kind": "nonsense"}]}', 400, "nonsense"),
        ("POST", "faults", '{"fail_next": [{"kind": "reset", "count": 0}]}', 400, "count"),
        ("POST", "faults", '{"script": [{"chance": {}}]}', 400, "at_seconds"),
        ("POST", "accounts", '{"users": [""]}', 400, "user ''"),
        ("POST", "accounts", '["a"]', 400, "object"),
        ("POST", "log-in", '{"users": ["a", ""]}', 400, "user ''"),
        ("POST", "log-in", '{"user": "a"}', 400, "user"),
        ("POST", "log-out", '{"users": ["nobody"]}', 400, "nobody"),
        ("POST", "bad-users", '{"a": 0}', 400, ">= 1"),
        ("POST", "bad-users", '{"": 70107}', 400, "user ''"),
        ("POST", "switches", '{"batsch": "partial"}', 400, "batsch"),
        ("POST", "switches", '{"batch": "parcial"}', 400, "parcial"),
        ("POST", "feature", '{"on": "yes"}', 400, "bool"),
        ("POST", "apps", '{"app_id": 9}', 400, "key"),
        ("POST", "apps", '{"app_id": 9, "key": 5}', 400, "key"),
        ("POST", "apps", '{"app_id": 9, "key": "k", "kee": "k"}', 400, "kee"),
        ("POST", "apps", f'{{"app_id": {OTHER}, "key": "k"}}', 400, f"app {OTHER} is there"),
        ("GET", "requests?last=0", "", 400, "1 to 1000"),
        ("GET", "requests?last=x", "", 400, "'x'"),
        ("GET", "pushes?last=", "", 400, "last"),
        ("GET", "deliveries?after=-1", "", 400, "-1"),
        ("GET", "deliveries/stream?after=x", "", 400, "after"),
    ],
)
async def test_mistakes_are_named(
    client: httpx.AsyncClient, method: str, path: str, body: str, status: int, named: str
) -> None:
    """With what would be right, where that can be said."""
    answer = await client.request(method, f"/{path}", content=body.encode())
    assert answer.status_code == status
    assert named in answer.json()["error"]
    if status == 405:
        assert answer.headers["allow"].replace(",", "") in [route.methods for route in ROUTES.values()]


@pytest.mark.parametrize("bad", ["x" * 33, "gone"])
async def test_nobody_comes_online_if_one_of_them_cannot(
    client: httpx.AsyncClient, emulator: Emulator, bad: str
) -> None:
    """A mistake changes nothing; nobody goes, either."""
    emulator.import_accounts("gone")
    await call(client, emulator, "account_delete", {"DeleteItem": [{"UserID": "gone"}]})
    assert (await client.post("/log-in", json={"users": ["a", bad]})).status_code == 400
    assert not emulator.api.inboxes.online
    emulator.login("a")
    assert (await client.post("/log-out", json={"users": ["a", bad]})).status_code == 400
    assert emulator.api.inboxes.online == {"a"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accounts", {"users": ["new"]}),
        ("log-in", {"users": ["a"]}),
        ("log-out", {"users": ["a"]}),
        ("bad-users", {"a": 70107}),
        ("switches", {"batch": "partial"}),
        ("feature", {"on": False}),
        ("faults", {"latency_seconds": 0}),
        ("reset-counters", None),
    ],
)
async def test_the_page_notices_every_change(
    client: httpx.AsyncClient, emulator: Emulator, path: str, body: object
) -> None:
    """It looks again only if one of the two numbers moved."""
    before = (emulator.api.revision, emulator.api.faults.revision)
    await post(client, f"/{path}", body)
    assert (emulator.api.revision, emulator.api.faults.revision) != before


def test_what_is_for_all_apps_is_an_address() -> None:
    """A name that is misspelt here would open a door."""
    assert ROUTES.keys() > OF_ALL_APPS
