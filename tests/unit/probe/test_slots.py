"""Slots for attribute names: the app's own stand in every definition, and ours are found again."""

from audience_sync.probe.slots import Slots


def test_every_definition_names_the_apps_own() -> None:
    """An app that overwrites would free what is left out, with the values of all users."""
    slots = Slots({"0": "city", "4": "level", "5": "asprobe1"}, {"0": 0, "4": 1, "5": 0})
    assert slots.body({"5": "asprobe1"}) == {
        "AttrNames": {"0": "city", "4": "level", "5": "asprobe1"},
        "AttrTypes": {"0": 0, "4": 1, "5": 0},
    }
    assert slots.body({}) == {"AttrNames": {"0": "city", "4": "level"}, "AttrTypes": {"0": 0, "4": 1}}


def test_types_are_sent_only_where_they_are_known() -> None:
    """Only the successor has them."""
    assert Slots({"0": "city"}, {}).body({"1": "asprobe1"}) == {"AttrNames": {"0": "city", "1": "asprobe1"}}


def test_what_an_earlier_run_left_is_used_again() -> None:
    """Each run would take two more of ten slots."""
    assert Slots({"0": "asprobe2", "1": "city", "7": "asprobe1"}, {}).own == ("7", "0")
    assert Slots({"0": "city", "3": "asprobe3"}, {}).own == ("1", "2")
    full = {str(slot): f"name{slot}" for slot in range(8)}
    assert Slots({**full, "8": "asprobe3", "9": "asprobe2"}, {}).own == ("8", "9")


def test_no_slots_where_two_are_not_free() -> None:
    """Nothing of the app is given another name."""
    full = {str(slot): f"name{slot}" for slot in range(9)}
    assert Slots(full, {}).own is None
    assert Slots({**full, "9": "asprobe1"}, {}).own is None


def test_no_slots_where_it_is_not_known_who_has_them() -> None:
    """They may be in use."""
    assert Slots({}, {}, are_all=False).own is None


def test_slots_for_devices_are_left_alone() -> None:
    """A type is fixed once it is set, and users have no values of it."""
    slots = Slots({"0": "city", "1": "token"}, {"1": 1, "2": 1})
    assert slots.own == ("3", "4")
    assert slots.usable == ["city"]


def test_ours_are_used_before_the_apps_own() -> None:
    """Values of the app's own might mean something to somebody."""
    assert Slots({"0": "city", "1": "asprobe1"}, {}).usable == ["asprobe1", "city"]
