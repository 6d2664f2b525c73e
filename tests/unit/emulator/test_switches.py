"""Each switch, on every side: what the documentation leaves open, and what the emulator makes of it.

The pushes' own (`combined`, `repeated`, its window, the day's beginning) are in the tests of pushes, too.
"""

import json
from typing import Any

import msgspec
import pytest

from audience_sync.emulator.api import Api
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Switches, changed
from tests.unit.emulator.given import DEVICE, NOW, an_api, ask, attributes, code, tags


def switched(**values: object) -> Api:
    """An Api of which some switches are set."""
    return an_api(switches=changed(Switches(), values))


def three(**of_b: Any) -> dict[str, Any]:
    """A body that adds a tag to a, b and c."""
    return {"UserTags": [{"To_Account": user, "Tags": ["t"]} for user in "abc"]} | of_b


def tagged(api: Api) -> str:
    """The users who carry a tag."""
    return "".join(user for user, state in api.store.users().items() if state.tags)


# batch


@pytest.mark.parametrize(
    ("batch", "answered", "served", "listed"),
    [
        ("reject", 91234, "", None),
        ("partial", 0, "ac", ["b"]),
        ("prefix", 91234, "a", None),
        ("ignore", 0, "ac", None),
    ],
)
def test_what_becomes_of_the_others(batch: str, answered: int, served: str, listed: list[str] | None) -> None:
    """One of three users is bad; the other two are served or not."""
    api = switched(batch=batch)
    api.bad_users = {"b": 91234}
    answer = ask(api, "im_add_tag", three())
    assert (answer["ErrorCode"], tagged(api)) == (answered, served)
    assert [each["To_Account"] for each in answer.get("ErrorList", [])] == (listed or [])
    assert ("ErrorList" in answer) == (listed is not None)


@pytest.mark.parametrize("batch", ["reject", "partial", "prefix", "ignore"])
def test_the_successor_serves_the_others_whatever_is_switched(batch: str) -> None:
    """It is documented there."""
    api = switched(batch=batch, accounts="imported")
    api.import_accounts("ac")
    answer = ask(api, "timpush/add_tag", three())
    assert (answer["ErrorCode"], tagged(api)) == (0, "ac")
    assert answer["ErrorList"] == [
        {"To_Account": "b", "ErrorCode": 70107, "ErrorInfo": "an account does not exist"}
    ]


@pytest.mark.parametrize("batch", ["reject", "partial", "prefix", "ignore"])
def test_nothing_is_listed_where_nobody_is_bad(batch: str) -> None:
    """As the samples have it."""
    api = switched(batch=batch)
    for endpoint in ("im_add_tag", "timpush/add_tag"):
        assert ask(api, endpoint, three()) == {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0}


def test_all_kinds_of_writes_and_reads_know_bad_users() -> None:
    """Whatever is asked of them; in a list each is named once."""
    bodies: dict[str, object] = {
        "set_attr": attributes("a", sex="x"),
        "remove_attr": {"UserAttrs": [{"To_Account": "a", "Attrs": ["sex"]}]},
        "add_tag": tags("a", "t"),
        "remove_tag": {"UserTags": [{"To_Account": "a", "Tags": ["t"]}] * 2},
        "get_attr": {"To_Account": ["a"]},
        "get_tag": {"To_Account": ["a", "a"]},
    }
    api = switched(batch="partial")
    api.bad_users = {"a": 20004}
    calls = {f"im_{command}": body for command, body in bodies.items()}
    calls |= {f"timpush/{command}": body for command, body in bodies.items()}
    calls |= {name: {"To_Account": ["a"]} for name in ("im_remove_all_tags", "timpush/clear_all_tags")}
    for endpoint, body in calls.items():
        assert [each["ErrorCode"] for each in ask(api, endpoint, body)["ErrorList"]] == [20004], endpoint
    api.change_switches(batch="reject")
    for endpoint, body in calls.items():
        assert code(api, endpoint, body) == (20004 if endpoint.startswith("im_") else 0), endpoint
    assert api.store.users() == {}


@pytest.mark.parametrize(
    ("batch", "answered", "shown"),
    [("reject", 91234, None), ("prefix", 91234, None), ("partial", 0, ["a", "c"]), ("ignore", 0, ["a", "c"])],
)
def test_a_bad_user_on_a_read(batch: str, answered: int, shown: list[str] | None) -> None:
    """There is nothing to be half done, so a prefix is a refusal."""
    api = switched(batch=batch)
    api.bad_users = {"b": 91234}
    answer = ask(api, "im_get_tag", {"To_Account": ["a", "b", "c"]})
    assert answer["ErrorCode"] == answered
    assert [each["To_Account"] for each in answer.get("UserTags", [])] == (shown or [])
    assert ("ErrorList" in answer) == (batch == "partial")


# accounts, unknown_account_code, unknown_read


def test_users_nobody_imported() -> None:
    """They come into being, or are bad users, with a code that may differ."""
    assert code(switched(), "im_add_tag", tags("a", "t")) == 0
    assert code(switched(accounts="imported"), "im_add_tag", tags("a", "t")) == 90048
    assert (
        code(switched(accounts="imported", unknown_account_code=70107), "im_add_tag", tags("a", "t")) == 70107
    )
    api = switched(accounts="imported")
    api.log_in("a", NOW)
    assert code(api, "im_add_tag", tags("a", "t")) == 0


@pytest.mark.parametrize(
    ("unknown_read", "answered", "shown", "listed"),
    [
        ("empty", 0, [{"To_Account": "a", "Attrs": {"sex": "x"}}, {"To_Account": "b", "Attrs": {}}], None),
        ("omit", 0, [{"To_Account": "a", "Attrs": {"sex": "x"}}], [("b", 70107)]),
        ("refuse", 90048, None, None),
    ],
)
def test_reading_users_nobody_imported(
    unknown_read: str, answered: int, shown: object, listed: list[tuple[str, int]] | None
) -> None:
    """Empty values, nothing, or a refusal; the successor leaves them out in any case."""
    api = switched(accounts="imported", unknown_read=unknown_read)
    api.import_accounts("a")
    ask(api, "im_set_attr", attributes("a", sex="x"))
    answer = ask(api, "im_get_attr", {"To_Account": ["a", "b"]})
    assert (answer["ErrorCode"], answer.get("UserAttrs")) == (answered, shown)
    found = [(each["To_Account"], each["ErrorCode"]) for each in answer.get("ErrorList", [])]
    assert found == (listed or [])
    successor = ask(api, "timpush/get_attr", {"To_Account": ["a", "b"]})
    assert [each["To_Account"] for each in successor["UserAttrs"]] == ["a"]
    assert [each["To_Account"] for each in successor["ErrorList"]] == ["b"]


# structure, values, removal, twice: what is read


WRONG = [
    ("set_attr", 90019),
    ("add_tag", 90019),
    ("remove_attr", 90021),
    ("remove_tag", 90021),
    ("get_attr", 90023),
]


@pytest.mark.parametrize(("command", "own"), WRONG)
@pytest.mark.parametrize("family", ["im_", "timpush/"])
def test_the_code_of_a_wrong_shape(family: str, command: str, own: int) -> None:
    """Each kind of call its own, or one for all."""
    for body in ({}, {"UserAttrs": [{"To_Account": 1}], "UserTags": [[]], "To_Account": [1]}):
        assert code(switched(), family + command, body) == own
        assert code(switched(structure="general"), family + command, body) == 90001


@pytest.mark.parametrize(
    ("value", "text"),
    [(7, "7"), (-1.5, "-1.5"), (True, "true"), (None, "null"), ("7", "7"), (10**18, "1" + "0" * 18)],
)
def test_values_that_are_no_strings(value: object, text: str) -> None:
    """Refused, or taken as JSON writes them."""
    body = {"UserAttrs": [{"To_Account": "a", "Attrs": {"sex": value}}]}
    assert code(switched(), "im_set_attr", body) == (0 if isinstance(value, str) else 90033)
    api = switched(values="any")
    assert code(api, "im_set_attr", body) == 0
    assert api.store.user("a").attributes == {"sex": text}


@pytest.mark.parametrize(("value", "expected"), [([], 90033), ({}, 90033), ("", 90030)])
def test_values_that_are_never_taken(value: object, expected: int) -> None:
    """Arrays and objects have no text that anybody would mean, and an empty one is too short."""
    body = {"UserAttrs": [{"To_Account": "a", "Attrs": {"sex": value}}]}
    assert code(switched(values="any"), "im_set_attr", body) == expected


def test_names_to_remove_as_an_object() -> None:
    """Refused, or its keys are the names; an empty one is refused either way."""
    for setting, expected in (("array", 90021), ("object_too", 0)):
        api = switched(removal=setting)
        ask(api, "im_set_attr", attributes("a", sex="x", city="y"))
        assert code(api, "im_remove_attr", attributes("a", sex="anything")) == expected
        assert api.store.user("a").attributes == (
            {"city": "y"} if expected == 0 else {"sex": "x", "city": "y"}
        )
        assert code(api, "im_remove_attr", attributes("a")) == 90021


def test_one_user_twice() -> None:
    """Served in order, or refused as a whole."""
    twice = {"UserTags": [{"To_Account": "a", "Tags": [tag]} for tag in ("one", "two")]}
    api = switched()
    assert code(api, "im_add_tag", twice) == 0
    assert api.store.user("a").tags == ["one", "two"]
    for endpoint, body in [("im_add_tag", twice), ("im_get_tag", {"To_Account": ["a", "a"]})]:
        refusing = switched(twice="refused")
        assert code(refusing, endpoint, body) == 90001
        assert refusing.store.users() == {}
        assert code(refusing, endpoint, three(To_Account=["a"])) == 0


def test_many_tags_in_a_removal() -> None:
    """Any number, or a limit."""
    body = tags("a", "one", "two", "three")
    assert code(switched(), "im_remove_tag", body) == 0
    assert code(switched(most_tags_per_removal=3), "im_remove_tag", body) == 0
    assert code(switched(most_tags_per_removal=2), "im_remove_tag", body) == 90032


# unset


def removal(*parts: tuple[str, list[str]]) -> dict[str, object]:
    return {"UserAttrs": [{"To_Account": user, "Attrs": names} for user, names in parts]}


def test_removing_what_has_no_value() -> None:
    """Nothing to do, or a bad user; what an earlier part of the request has removed has no value either."""
    for setting, expected in (("ok", 0), ("refused", 90033)):
        api = switched(unset=setting)
        ask(api, "im_set_attr", attributes("a", sex="x", city="y"))
        assert code(api, "im_remove_attr", removal(("a", ["city"]), ("b", ["city"]))) == expected
        assert code(api, "im_remove_attr", removal(("a", ["sex"]), ("a", ["sex"]))) == expected
        assert code(api, "im_remove_attr", removal(("a", ["sex", "sex"]))) == 0


# names, renamed


def test_slots_that_a_definition_leaves_out() -> None:
    """They stay with their values, or are free again."""
    for setting, names, left in (
        ("merge", {"0": "sex", "1": "town"}, {"sex": "x"}),
        ("overwrite", {"1": "town"}, {}),
    ):
        api = switched(names=setting, renamed="dropped")
        ask(api, "im_set_attr", attributes("a", sex="x", city="y"))
        assert code(api, "im_set_attr_name", {"AttrNames": {"1": "town"}}) == 0
        assert ask(api, "im_get_attr_name", {})["AttrNames"] == names
        assert api.store.user("a").attributes == left
    assert code(api, "im_set_attr_name", {"AttrNames": {"7": "sex"}}) == 0
    assert api.store.user("a").attributes == {}


def test_values_of_a_slot_that_gets_another_name() -> None:
    """They have the new name, or are gone."""
    for setting, left in (("kept", {"sex": "x", "town": "y"}), ("dropped", {"sex": "x"})):
        api = switched(renamed=setting)
        ask(api, "im_set_attr", attributes("a", sex="x", city="y"))
        assert code(api, "im_set_attr_name", {"AttrNames": {"0": "sex", "1": "town"}}) == 0
        assert api.store.user("a").attributes == left


def test_values_go_with_names_that_change_places() -> None:
    """A value stays with its slot, so it changes its name with it."""
    api = switched()
    ask(api, "im_set_attr", attributes("a", sex="x", city="y"))
    assert code(api, "im_set_attr_name", {"AttrNames": {"0": "city", "1": "sex"}}) == 0
    assert api.store.user("a").attributes == {"city": "x", "sex": "y"}


# overfull, overfull_code, most_tags_of_the_app


def full(**values: object) -> Api:
    """An Api in which user a carries a hundred tags."""
    api = switched(**values)
    for ten in range(10):
        ask(api, "im_add_tag", tags("a", *(f"old-{ten}{one}" for one in range(10))))
    assert len(api.store.user("a").tags) == 100
    return api


def test_tags_beyond_a_hundred_are_refused() -> None:
    """With a code that may differ; what he carries already is none beyond."""
    assert code(full(), "im_add_tag", tags("a", "new")) == 90046
    assert code(full(overfull_code=90032), "im_add_tag", tags("a", "new")) == 90032
    api = full(batch="partial")
    body = {"UserTags": [{"To_Account": user, "Tags": ["new", "old-00"]} for user in "ab"]}
    assert ask(api, "im_add_tag", body)["ErrorList"][0]["ErrorCode"] == 90046
    assert [broken.code for broken in api.counters.broken_limits] == [90046]
    assert api.store.user("b").tags == ["new", "old-00"]
    assert code(full(), "im_add_tag", tags("a", "old-00", "old-99")) == 0


def test_the_oldest_tags_leave() -> None:
    """As many as there are new ones."""
    api = full(overfull="oldest_leaves")
    assert code(api, "im_add_tag", tags("a", "new", "old-00", "newer")) == 0
    held = api.store.user("a").tags
    assert (len(held), held[0], held[-2:]) == (100, "old-02", ["new", "newer"])


def test_the_new_tags_are_dropped() -> None:
    """Those for which there is no room, and nobody says so."""
    api = full(overfull="dropped")
    ask(api, "im_remove_tag", tags("a", "old-50"))
    assert ask(api, "im_add_tag", tags("a", "new", "newer")) == {
        "ActionStatus": "OK",
        "ErrorInfo": "",
        "ErrorCode": 0,
    }
    assert api.store.user("a").tags[-2:] == ["old-99", "new"]


def test_distinct_tags_of_the_app() -> None:
    """Any number, or a limit for all users together; a tag that nobody carries any more makes room."""
    assert code(switched(), "im_add_tag", tags("a", "one", "two", "three")) == 0
    api = switched(most_tags_of_the_app=2, batch="partial")
    assert code(api, "im_add_tag", tags("a", "one", "two")) == 0
    assert "ErrorList" not in ask(api, "im_add_tag", tags("b", "one", "two"))
    body = {"UserTags": [{"To_Account": "b", "Tags": ["three"]}, {"To_Account": "c", "Tags": ["one"]}]}
    assert [each["ErrorCode"] for each in ask(api, "im_add_tag", body)["ErrorList"]] == [90046]
    assert api.store.user("c").tags == ["one"]
    ask(api, "im_remove_tag", {"UserTags": [{"To_Account": user, "Tags": ["two"]} for user in "ab"]})
    both = {"UserTags": [{"To_Account": "b", "Tags": ["three"]}, {"To_Account": "c", "Tags": ["four"]}]}
    assert [each["To_Account"] for each in ask(api, "im_add_tag", both)["ErrorList"]] == ["c"]


def test_the_successor_has_a_thousand_tags_for_an_app() -> None:
    """Documented there; the older family may pass it, and a switch says otherwise for both."""
    api = switched()
    for hundred in range(10):
        body = {
            "UserTags": [
                {"To_Account": f"u{hundred}{ten}", "Tags": [f"{hundred}{ten}{one}" for one in range(10)]}
                for ten in range(10)
            ]
        }
        assert "ErrorList" not in ask(api, "timpush/add_tag", body)
    assert ask(api, "timpush/add_tag", tags("z", "one more"))["ErrorList"][0]["ErrorCode"] == 90046
    assert code(api, "im_add_tag", tags("z", "one more")) == 0
    api.change_switches(most_tags_of_the_app=5000)
    assert "ErrorList" not in ask(api, "timpush/add_tag", tags("z", "another"))


# stores


def test_one_store_or_two() -> None:
    """What the successor sees of what the older family wrote; accounts are the same in any case."""
    for setting, seen in (("one", ["t"]), ("separate", [])):
        api = switched(stores=setting)
        ask(api, "im_add_tag", tags("a", "t"))
        assert ask(api, "timpush/get_tag", {"To_Account": ["a"]})["UserTags"][0]["Tags"] == seen
        assert ask(api, "timpush/get_attr_name", {})["AttrNames"] == {"0": "sex", "1": "city"}
        assert (
            ask(api, "account_check", {"CheckItem": [{"UserID": "a"}]})["ResultItem"][0]["AccountStatus"]
            == "Imported"
        )
        ask(api, "timpush/add_tag", tags("a", "s"))
        assert api.store.user("a").tags == ["t", *(["s"] if setting == "one" else [])]


# deleted


@pytest.mark.parametrize(
    ("setting", "meanwhile", "back"),
    [
        ("forgotten", UserState(), UserState()),
        ("kept", UserState({"sex": "x"}, ["t"]), UserState({"sex": "x"}, ["t"])),
    ],
)
def test_what_was_known_of_a_deleted_account(setting: str, meanwhile: UserState, back: UserState) -> None:
    """Gone, or still to be read and there when he comes back. Nobody can write to him meanwhile."""
    api = switched(deleted=setting)
    ask(api, "im_set_attr", attributes("a", sex="x"))
    ask(api, "im_add_tag", tags("a", "t"))
    assert code(api, "account_delete", {"DeleteItem": [{"UserID": "a"}]}) == 0
    assert code(api, "im_add_tag", tags("a", "u")) == 90048
    assert ask(api, "im_get_attr", {"To_Account": ["a"]})["UserAttrs"][0]["Attrs"] == meanwhile.attributes
    assert ask(api, "im_get_tag", {"To_Account": ["a"]})["UserTags"][0]["Tags"] == meanwhile.tags
    api.change_switches(accounts="imported", unknown_read="refuse")
    assert code(api, "im_get_tag", {"To_Account": ["a"]}) == (0 if setting == "kept" else 90048)
    assert api.store.users() == {}
    api.import_accounts("a")
    assert api.store.user("a") == back


# feature_off


@pytest.mark.parametrize(
    ("setting", "refused"),
    [
        ("all", {"im_push", "im_add_tag", "im_get_attr_name", "timpush/push", "timpush/get_tag"}),
        ("push", {"im_push", "timpush/push"}),
    ],
)
def test_the_feature_is_off(setting: str, refused: set[str]) -> None:
    """Everything of both families, or the pushes; never the accounts. A wrong shape is noticed before."""
    api = switched(feature_off=setting)
    api.feature_on = False
    push = {"MsgRandom": 1, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]}
    calls: dict[str, object] = {
        "im_push": push,
        "timpush/push": {**push, "OnlineOnlyFlag": 1},
        "im_add_tag": tags("a", "t"),
        "im_get_attr_name": {},
        "timpush/get_tag": {"To_Account": ["a"]},
        "account_import": {"UserID": "a"},
    }
    assert {name for name, body in calls.items() if code(api, name, body) == 90045} == refused
    assert code(api, "im_add_tag", {}) == 90019
    api.feature_on = True
    assert [code(api, name, body, now=NOW + 10 * n) for n, (name, body) in enumerate(calls.items())] == [
        0
    ] * 6


# repeated, repeat_window_seconds, combined, day_starts_hours_east: that the pushes have them from the app


def test_the_pushes_follow_the_switches() -> None:
    """Also those that are changed while it runs."""
    api = switched()
    push = {"MsgRandom": 1, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]}
    first = ask(api, "im_push", push)["TaskId"]
    assert ask(api, "im_push", push, now=NOW + 10)["TaskId"] == first
    api.change_switches(repeated="refused")
    assert code(api, "im_push", push, now=NOW + 20) == 90005
    api.change_switches(repeat_window_seconds=1)
    assert ask(api, "im_push", push, now=NOW + 30)["TaskId"] != first
    api.change_switches(combined="refused")
    both = {**push, "Condition": {"TagsOr": ["a"], "TagsAnd": ["b"]}}
    assert code(api, "im_push", both, now=NOW + 40) == 90039


# attribute types of the successor


def test_types_of_attributes_are_fixed_once_they_are_set() -> None:
    """The successor's, told by it alone; a slot without one is for users."""
    api = an_api(attribute_names=())
    assert (
        code(api, "timpush/set_attr_name", {"AttrNames": {"0": "sex", "1": "os"}, "AttrTypes": {"1": 1}}) == 0
    )
    assert ask(api, "timpush/get_attr_name", {})["AttrTypes"] == {"0": 0, "1": 1}
    assert "AttrTypes" not in ask(api, "im_get_attr_name", {})
    for types in ({"1": 0}, {"0": 1}):
        body = {"AttrNames": {"0": "sex", "1": "os"}, "AttrTypes": types}
        assert code(api, "timpush/set_attr_name", body) == 90033
    assert code(api, "im_set_attr_name", {"AttrNames": {"0": "sex"}, "AttrTypes": "not looked at"}) == 0
    assert code(api, "timpush/set_attr_name", {"AttrNames": {"1": "system"}}) == 0
    assert ask(api, "timpush/get_attr_name", {})["AttrTypes"] == {"0": 0, "1": 1}


def test_an_attribute_is_for_users_or_for_devices() -> None:
    """The other ones are bad users: listed by the successor, a refusal of the whole before it."""
    api = an_api(attribute_names=("sex",))
    ask(api, "timpush/set_attr_name", {"AttrNames": {"1": "os"}, "AttrTypes": {"1": 1}})
    body = {
        "UserAttrs": [
            {"To_Account": user, "Attrs": {name: "x"}} for user in ("a", DEVICE) for name in ("sex", "os")
        ]
    }
    listed = ask(api, "timpush/set_attr", body)["ErrorList"]
    assert [(each["To_Account"], each["ErrorCode"]) for each in listed] == [("a", 90035), (DEVICE, 90035)]
    assert api.store.users() == {"a": UserState({"sex": "x"}), DEVICE: UserState({"os": "x"})}
    assert code(api, "im_set_attr", attributes("a", os="x")) == 90035
    assert code(api, "im_remove_attr", removal(("a", ["os"]))) == 90035


def test_tags_that_replace_the_others() -> None:
    """The successor's Replace, up to a hundred; the older family does not look at it."""
    api = an_api()
    ask(api, "im_add_tag", tags("a", "one", "two"))
    assert code(api, "timpush/add_tag", {**tags("a", "two", "three"), "Replace": 0}) == 0
    assert api.store.user("a").tags == ["one", "two", "three"]
    assert code(api, "timpush/add_tag", {**tags("a", "four", "two"), "Replace": 1}) == 0
    assert api.store.user("a").tags == ["two", "four"]
    assert code(api, "im_add_tag", {**tags("a", "five"), "Replace": 1}) == 0
    assert api.store.user("a").tags == ["two", "four", "five"]
    assert code(api, "timpush/add_tag", {**tags("a", *map(str, range(100))), "Replace": 1}) == 0
    assert len(api.store.user("a").tags) == 100


# switches themselves


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"batch": "some"}, "reject, partial, prefix, ignore"),
        ({"unknown_account_code": 0}, "unknown_account_code"),
        ({"unknown_account_code": "90048"}, "unknown_account_code"),
        ({"most_tags_per_removal": 0}, "most_tags_per_removal"),
        ({"day_starts_hours_east": 15}, "day_starts_hours_east"),
        ({"twice": "refused", "repeat_window_seconds": -1}, "repeat_window_seconds"),
    ],
)
def test_switches_that_cannot_be(values: dict[str, object], named: str) -> None:
    """They are refused by name, and nothing changes."""
    api = switched()
    with pytest.raises(ValueError, match=named):
        api.change_switches(**values)
    assert api.switches == Switches()


def test_switches_are_told_in_the_form_in_which_they_are_given() -> None:
    """A profile can be made of them."""
    switches = changed(Switches(), {"batch": "partial", "most_tags_of_the_app": 1000, "stores": "separate"})
    assert changed(Switches(), json.loads(msgspec.json.encode(switches))) == switches
