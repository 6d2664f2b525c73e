from typing import Any

import pytest

from audience_sync.emulator.settings import Settings
from audience_sync.emulator.switches import Accounts, Switches
from tests.unit.emulator.given import an_api, ask, attributes, code, tags


def test_writing_twice_is_writing_once() -> None:
    """Setting, removing and adding are absolute; tags keep the order in which they came."""
    api = an_api()
    for _ in range(2):
        assert code(api, "im_set_attr", attributes("a", sex="x", city="y")) == 0
        assert code(api, "im_add_tag", tags("a", "one", "two", "two")) == 0
        assert code(api, "im_add_tag", tags("a", "zero", "one")) == 0
    assert api.store.user("a").attributes == {"sex": "x", "city": "y"}
    assert api.store.user("a").tags == ["one", "two", "zero"]
    for _ in range(2):
        assert code(api, "im_remove_attr", {"UserAttrs": [{"To_Account": "a", "Attrs": ["sex"]}]}) == 0
        assert code(api, "im_remove_tag", tags("a", "two", "never")) == 0
    assert api.store.user("a").attributes == {"city": "y"}
    assert api.store.user("a").tags == ["one", "zero"]


def test_setting_one_attribute_leaves_the_others() -> None:
    """Attributes are set one by one."""
    api = an_api()
    ask(api, "im_set_attr", attributes("a", sex="x", city="y"))
    ask(api, "im_set_attr", attributes("a", city="z"))
    assert api.store.user("a").attributes == {"sex": "x", "city": "z"}


def test_a_user_named_twice_is_served_in_order() -> None:
    """The last entry wins."""
    api = an_api()
    body = {"UserAttrs": [{"To_Account": "a", "Attrs": {"sex": value}} for value in ("first", "last")]}
    assert code(api, "im_set_attr", body) == 0
    assert api.store.user("a").attributes == {"sex": "last"}


def test_names_merge_slot_by_slot_and_values_stay_with_their_slot() -> None:
    """A slot that gets another name keeps what users have in it."""
    api = an_api()
    ask(api, "im_set_attr", attributes("a", sex="x"))
    assert code(api, "im_set_attr_name", {"AttrNames": {"0": "gender", "5": "level"}}) == 0
    assert ask(api, "im_get_attr_name", {})["AttrNames"] == {"0": "gender", "1": "city", "5": "level"}
    assert api.store.user("a").attributes == {"gender": "x"}
    assert code(api, "im_set_attr", attributes("a", sex="y")) == 90033


def test_names_may_change_places() -> None:
    """What counts is whether a name would stand twice afterwards."""
    api = an_api()
    assert code(api, "im_set_attr_name", {"AttrNames": {"0": "city", "1": "sex"}}) == 0
    assert code(api, "im_set_attr_name", {"AttrNames": {"3": "new", "4": "new"}}) == 90033
    assert ask(api, "im_get_attr_name", {})["AttrNames"] == {"0": "city", "1": "sex"}


def test_only_imported_accounts_are_written_to_when_asked_for() -> None:
    """One unknown user refuses the whole request; reading him gives empty values; an import helps."""
    api = an_api(switches=Switches(accounts=Accounts.IMPORTED))
    api.import_accounts(["a"])
    body = {"To_Account": ["a", "b"]}
    both = {"UserTags": [{"To_Account": user, "Tags": ["t"]} for user in ("a", "b")]}
    assert code(api, "im_add_tag", both) == 90048
    assert code(api, "im_remove_all_tags", body) == 90048
    assert api.store.user("a").tags == []
    assert code(api, "im_get_tag", body) == 0
    assert api.counters.broken_limits == []
    api.import_accounts(["a", "b"])
    assert code(api, "im_add_tag", both) == 0


def test_values_that_went_back_are_reported_and_applied() -> None:
    """The highest version so far counts, not the last one."""
    api = an_api(version_separator="~")
    for value in (
        "gold~1",
        "silver~10",
        "silver~10",
        "gold~2",
        "bronze~9",
        "platinum~11",
        "no version",
        "x~y",
    ):
        assert code(api, "im_set_attr", attributes("a", sex=value)) == 0
    assert [(back.user, back.name, back.highest, back.written) for back in api.counters.went_back] == [
        ("a", "sex", "silver~10", "gold~2"),
        ("a", "sex", "silver~10", "bronze~9"),
    ]
    assert api.store.user("a").attributes == {"sex": "x~y"}


def test_versions_are_not_looked_at_unless_asked_for() -> None:
    """A value may contain any text."""
    api = an_api()
    for value in ("gold~2", "gold~1"):
        ask(api, "im_set_attr", attributes("a", sex=value))
    assert api.counters.went_back == []


def test_answers_are_as_awkward_as_the_pages_allow() -> None:
    """Another order, a field nobody knows, ErrorInfo missing now and then; the same ones for the same seed."""
    body = {"To_Account": [f"user-{number}" for number in range(20)]}

    def answers(seed: int) -> list[Any]:
        api = an_api(plain=False, seed=seed)
        return [ask(api, "im_get_tag", body) for _ in range(40)]

    first = answers(1)
    assert first == answers(1)
    assert first != answers(2)
    orders = {tuple(entry["To_Account"] for entry in answer["UserTags"]) for answer in first}
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(body["To_Account"])}
    assert {"ErrorInfo" in answer for answer in first} == {True, False}
    assert all("RequestId" in answer for answer in first)


def test_a_list_of_bad_users_is_as_awkward() -> None:
    """In another order, and with words or without."""
    api = an_api(plain=False, seed=1)
    api.bad_users = {f"user-{number}": 70107 for number in range(10)}
    body = {"To_Account": list(api.bad_users)}
    lists = [ask(api, "timpush/clear_all_tags", body)["ErrorList"] for _ in range(20)]
    assert len({tuple(each["To_Account"] for each in entries) for entries in lists}) > 1
    assert {tuple("ErrorInfo" in each for each in entries) for entries in lists} == {
        (True,) * 10,
        (False,) * 10,
    }
    assert all(each["ErrorCode"] == 70107 for entries in lists for each in entries)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""},
        {"attribute_names": tuple(map(str, range(11)))},
        {"attribute_names": ("a", "a")},
        {"attribute_names": ("",)},
        {"calls_per_second": 0.5},
        {"calls_per_second": float("nan")},
        {"latency_seconds": -1.0},
        {"version_separator": ""},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    """They are refused at once, and the key is never shown."""
    with pytest.raises(ValueError, match=r"."):
        Settings(**{"key": "a secret key", **wrong})  # type: ignore[arg-type]  # wrong on purpose
    assert "a secret key" not in repr(Settings(key="a secret key"))
