"""Ten slots for everybody: what is added where, who uses what, and when a name has no place."""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from audience_sync.core.attribute_slots import NamesDoNotFitError, Slot, slots, to_be_added, told
from audience_sync.core.rule import Rule
from audience_sync.rules.file import parse_rules

FULL: Final = {slot: f"name-{slot}" for slot in range(10)}

FITS: Final[list[tuple[str, dict[int, str], Sequence[str], dict[int, str]]]] = [
    ("an app without names", {}, ["tier", "city"], {0: "city", 1: "tier"}),
    ("the file's order does not matter", {}, ["city", "tier"], {0: "city", 1: "tier"}),
    ("all are there", {0: "city", 7: "tier"}, ["tier", "city"], {}),
    ("gaps are filled from below", {0: "sex", 2: "age"}, ["tier", "city", "age"], {1: "city", 3: "tier"}),
    ("nothing is needed", {0: "sex"}, [], {}),
    ("a full app that has them", FULL, ["name-3"], {}),
    ("the last slot", {slot: name for slot, name in FULL.items() if slot != 9}, ["city"], {9: "city"}),
    ("both writings are meant", {0: "City"}, ["City", "city"], {1: "city"}),
    ("neither is there", {}, ["City", "city"], {0: "City", 1: "city"}),
]


@pytest.mark.parametrize(
    ("defined", "needed", "added"), [row[1:] for row in FITS], ids=[row[0] for row in FITS]
)
def test_names_that_are_missing_get_the_lowest_free_slots(
    defined: Mapping[int, str], needed: Sequence[str], added: Mapping[int, str]
) -> None:
    """In one order only, so that replicas that start together agree without asking each other."""
    assert to_be_added(defined, needed) == added


def test_without_room_the_error_says_which_names_and_which_slots_these_rules_do_not_use() -> None:
    """A person has to choose: a slot of somebody else is never taken."""
    defined = FULL | {3: "city"}
    del defined[9]
    with pytest.raises(NamesDoNotFitError) as caught:
        to_be_added(defined, ["tier", "city", "level"])

    message = str(caught.value)
    assert "2 more attributes (level, tier)" in message
    assert "1 are free" in message
    assert "2=name-2 4=name-4" in message
    assert "3=city" not in message
    assert "tag instead" in message


def test_a_name_that_differs_only_in_case_is_not_added() -> None:
    """It is more likely a slip, and nobody says that a slot can be freed again."""
    with pytest.raises(NamesDoNotFitError, match="'city', and the app has 'City'"):
        to_be_added({4: "City"}, ["city", "tier"])


def rules(*attributes: tuple[str, ...]) -> Sequence[Rule]:
    """Rules, called a, b, c, that set these attributes, or remove those with a minus before them."""
    lines = ["sources: [{topic: t, format: json, type_field: kind}]", "rules:"]
    for name, written in zip("abc", attributes, strict=False):
        lines.append(f"  - {{name: {name}, event: {name}, user: '{{user}}', changes: [")
        for each in written:
            change = f"{{name: {each}, value: '{{value}}'}}"
            lines.append(
                f"    remove_attribute: {each[1:]}," if each[0] == "-" else f"    set_attribute: {change},"
            )
        lines.append("  ]}")
    return parse_rules("\n".join(lines), file="rules.yaml").rules


def test_all_ten_slots_are_shown_with_the_rules_that_use_them() -> None:
    """And where a name would go that is not there yet; a name of somebody else has no rules."""
    assert slots({0: "sex", 2: "city"}, rules(("city",), ("tier", "city"), ("-tier",))) == [
        Slot(0, "sex"),
        Slot(1, "tier", ("b", "c"), is_proposed=True),
        Slot(2, "city", ("a", "b")),
        *(Slot(number) for number in range(3, 10)),
    ]


def test_slots_are_shown_too_when_there_is_no_room() -> None:
    """That is when a person needs to see them."""
    shown = slots(FULL, rules(("city", "name-1")))

    assert [slot.name for slot in shown] == list(FULL.values())
    assert [slot.number for slot in shown if slot.rules] == [1]


def test_names_are_told_as_the_command_takes_them() -> None:
    """`audience-sync chat set-attribute-names 0=city 2=tier`."""
    assert told({2: "tier", 0: "city"}) == "0=city 2=tier"
