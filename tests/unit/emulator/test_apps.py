"""Several apps in one emulator: each with its own admins, key, users, pace and switches; one journal for all."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from audience_sync.emulator.api import Api
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.endpoints import Family
from audience_sync.emulator.records import Entry
from audience_sync.emulator.refusals import RefusedError
from audience_sync.emulator.requests import SetAttributes
from audience_sync.emulator.settings import AppSettings, Settings
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Accounts, Stores, Switches
from tests.support.emulator import path_of, query
from tests.unit.emulator.given import NOW, an_api, ask, attributes, code, outcome, tags

ONE = Settings(key="one", app_id=1400000001, attribute_names=("city",), plain=True)
TWO = AppSettings(key="two", app_id=1400000002, admins=("boss", "deputy"), plain=True)


def two_apps(record: Callable[[Entry], None] = lambda _: None) -> Apps:
    apps = Apps(Settings(key="one", app_id=ONE.app_id, plain=True, more_apps=(TWO,)), record=record)
    apps.begin()
    return apps


def call(apps: Apps, endpoint: str, body: object, address: dict[str, str], *, now: float = NOW) -> Any:
    """What is answered to a call of the app that the address names."""
    text = urlencode(address)
    api = apps.api_of(text)
    arrival = api.arrive(path_of(endpoint), now)
    decided = api.decide(arrival, method="POST", query=text, body=json.dumps(body).encode(), now=now)
    api.leave(arrival, now, answered=True)
    return json.loads(decided.body)["ErrorCode"]  # type: ignore[union-attr]  # nothing is put off here


def test_a_request_goes_to_the_app_that_it_names() -> None:
    """Users, counters and overlaps are the app's own."""
    apps = two_apps()
    assert call(apps, "im_add_tag", tags("a", "t"), query(TWO)) == 0
    assert (apps.by_id[ONE.app_id].store.users(), apps.by_id[TWO.app_id].store.users()) == (
        {},
        {"a": UserState({}, ["t"])},
    )
    assert (apps.first.counters.calls, apps.by_id[TWO.app_id].counters.calls) == ({}, {"im_add_tag": 1})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sdkappid": ""}, 60012),
        ({"sdkappid": "1400000009"}, 60006),
        ({"sdkappid": "x"}, 60006),
        ({"sdkappid": "9" * 5000}, 60006),
        ({"sdkappid": "\u0661"}, 60006),
        ({"sdkappid": "01400000002"}, 60006),
        ({"sdkappid": "1400000002"}, 70014),
    ],
)
def test_an_app_that_is_not_there(changes: dict[str, str], expected: int) -> None:
    """Missing or unknown; and the signature of one app opens no other."""
    apps = two_apps()
    assert call(apps, "im_add_tag", tags("a", "t"), query(ONE) | changes) == expected
    assert apps.api_of("").settings == apps.first.settings


@pytest.mark.parametrize(("admin", "expected"), [("boss", 0), ("deputy", 0), ("administrator", 60010)])
def test_each_admin_may_call(admin: str, expected: int) -> None:
    """Those of this app, not of another; and a push has the name of the one who asked."""
    apps = two_apps()
    address = query(AppSettings(key="two", app_id=TWO.app_id, admins=(admin,)))
    push = {"MsgRandom": 7, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]}
    assert call(apps, "im_push", push, address) == expected
    assert [pushed.sender for pushed in apps.by_id[TWO.app_id].pushing.sent] == (
        [admin] if expected == 0 else []
    )


def test_the_code_for_who_is_no_admin() -> None:
    """The gateway's, or the one behind it."""
    for settings, expected in ((Switches(), 60010), (Switches(not_admin_code=90009), 90009)):
        app = AppSettings(key="k", switches=settings)
        apps = Apps(Settings(key="k", switches=settings))
        address = query(AppSettings(key="k", admins=("somebody",)))
        assert call(apps, "im_get_attr_name", {}, address) == expected
        assert call(apps, "account_check", {"CheckItem": [{"UserID": "a"}]}, address) == expected
        assert call(apps, "im_get_attr_name", {}, query(app)) == 0


def test_the_pace_is_counted_for_each_endpoint_of_each_family_and_for_the_app() -> None:
    """The endpoint's own code goes before that of the app."""
    api = an_api(calls_per_second=2, calls_per_second_of_app=5)
    assert [code(api, "im_get_tag", {"To_Account": ["a"]}) for _ in range(3)] == [0, 0, 60007]
    assert [code(api, "timpush/get_tag", {"To_Account": ["a"]}) for _ in range(3)] == [0, 0, 60007]
    assert code(api, "account_check", {"CheckItem": [{"UserID": "a"}]}) == 60011
    assert code(api, "account_check", {"CheckItem": [{"UserID": "a"}]}, now=NOW + 1) == 0
    assert api.counters.broken_limits == []


def test_the_quota_of_pushes_is_the_apps() -> None:
    """As many a day as it was told."""
    api = an_api(pushes_per_day=2)

    def push(random: int) -> int:
        body = {"MsgRandom": random, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]}
        return code(api, "im_push", body, now=NOW + 10 * random)

    assert [push(random) for random in (1, 2, 3)] == [0, 0, 90047]


def test_an_app_can_be_added() -> None:
    """Once."""
    apps = two_apps()
    added = apps.add(AppSettings(key="three", app_id=3, imported=("a",), attribute_names=("x",)))
    assert apps.by_id[3] is added
    assert (added.store.attribute_names(), list(added.store.users())) == ({"0": "x"}, ["a"])
    with pytest.raises(ValueError, match="there already"):
        apps.add(AppSettings(key="three", app_id=3))


def everything(api: Api) -> tuple[object, ...]:
    """All that shall outlive the process."""
    return (
        [list(api.store_of(family).users().items()) for family in (Family.ALL_MEMBER_PUSH, Family.TIMPUSH)],
        [api.store_of(family).names.types for family in (Family.ALL_MEMBER_PUSH, Family.TIMPUSH)],
        [api.store_of(family).carriers for family in (Family.ALL_MEMBER_PUSH, Family.TIMPUSH)],
        list(api.people()),
        api.pushing.sent,
        api.pushing.revoked,
        api.inboxes.online,
        list(api.inboxes.deliveries),
        api.inboxes.waiting("offline", NOW + 60),
    )


def live(api: Api) -> None:
    """Much of what can happen to an app, while it is switched to and fro."""
    text = {"MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]}
    api.import_accounts(["online", "offline", "gone"])
    api.log_in("online", NOW)
    ask(api, "account_import", {"UserID": "named", "Nick": "N", "FaceUrl": "http://x"})
    ask(api, "timpush/set_attr_name", {"AttrNames": {"1": "os", "2": "level"}, "AttrTypes": {"1": 1}})
    ask(api, "im_set_attr", attributes("online", sex="x", level="7"))
    ask(api, "im_add_tag", tags("online", *map(str, range(10))))
    ask(api, "timpush/add_tag", {**tags("offline", "r"), "Replace": 1})
    for start in range(10, 130, 10):
        ask(api, "im_add_tag", tags("online", *map(str, range(start, start + 10))))
    api.change_switches(overfull="oldest_leaves", renamed="dropped", names="overwrite", batch="partial")
    ask(api, "im_add_tag", tags("online", "newest"))
    ask(api, "im_set_attr_name", {"AttrNames": {"0": "gender", "2": "level"}})
    api.change_switches(stores="separate", accounts="imported")
    ask(api, "timpush/set_attr_name", {"AttrNames": {"0": "city"}})
    ask(api, "timpush/set_attr", attributes("offline", city="y"))
    ask(api, "account_delete", {"DeleteItem": [{"UserID": "gone"}]})
    ask(api, "im_push", {**text, "MsgRandom": 1, "MsgLifeTime": 3600}, now=NOW + 2)
    ask(api, "im_push", {**text, "MsgRandom": 1, "MsgLifeTime": 3600}, now=NOW + 4)
    task = ask(api, "timpush/push", {**text, "MsgRandom": 2}, now=NOW + 6)["TaskId"]
    ask(api, "timpush/revoke", {"TaskId": task}, now=NOW + 8)
    api.log_in("named", NOW + 9)
    api.log_out("online", NOW + 10)


def test_a_journal_of_everything_makes_the_same_app_again() -> None:
    """Whatever the switches are when it is read; and nothing is done twice."""
    journal: list[Entry] = []
    first = Api(Settings(key="a key for tests", attribute_names=("sex",), plain=True), record=journal.append)
    first.begin()
    live(first)
    assert len(first.pushing.sent) == 2
    assert first.inboxes.waiting("offline", NOW + 60)
    second = Api(
        Settings(
            key="k",
            switches=Switches(accounts=Accounts.IMPORTED, stores=Stores.SEPARATE, most_tags_of_the_app=1),
        )
    )
    for entry in journal:
        second.replay(entry)
    assert everything(second) == everything(first)


def test_a_journal_of_several_apps() -> None:
    """Each finds its own; what is an app's that is not there waits until it is added."""
    journal: list[Entry] = []
    apps = two_apps(journal.append)
    for settings, tag in ((ONE, "one"), (TWO, "two")):
        assert call(apps, "im_add_tag", tags("a", tag), query(settings)) == 0
    alone = Apps(ONE)
    for entry in journal:
        alone.replay(entry)
    alone.begin()
    assert alone.first.store.users() == {"a": UserState({}, ["one"])}
    assert alone.add(TWO).store.users() == {"a": UserState({}, ["two"])}


def test_a_journal_that_does_not_follow_is_noticed() -> None:
    """An attribute that nobody has defined cannot have been set."""
    with pytest.raises(RefusedError, match="not defined"):
        Apps(Settings(key="k")).replay(Entry(1400000000, SetAttributes([("a", {"undefined": "x"})])))


def test_a_name_may_look_like_another_family() -> None:
    """Paths are looked up as they are."""
    api = an_api()
    for path in (
        "/v4/timpush/im_add_tag",
        "/v4/all_member_push/add_tag",
        "/v4/timpush/remove_all_tags",
        "/v4/",
    ):
        arrival = api.arrive(path, NOW)
        assert arrival.endpoint is None
        api.leave(arrival, NOW, answered=True)
    assert api.counters.calls == {}
    assert json.loads(outcome(api, "timpush/clear_all_tags", b'{"To_Account":["a"]}').body)["ErrorCode"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"more_apps": (AppSettings(key="k"),)},
        {"admins": ()},
        {"admins": ("",)},
        {"app_id": 0},
        {"calls_per_second_of_app": 0.5},
        {"pushes_per_day": -1},
    ],
)
def test_settings_of_apps_that_cannot_be(wrong: dict[str, Any]) -> None:
    """They are refused at once."""
    with pytest.raises(ValueError, match=r"."):
        Settings(key="k", **wrong)
