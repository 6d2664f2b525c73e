"""What is known of users: only what was confirmed, for a while, within bounds."""

from collections.abc import Iterable, Mapping
from typing import Final

import pytest

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.confirmations import Confirmations
from audience_sync.core.folding import Folded, changes_of

ALICE, BOB = UserId("alice"), UserId("bob")
CITY: Final = {"city": "Shenzhen"}
Said = tuple[Endpoint, Part]


def folded(changes: Iterable[Change]) -> Folded:
    all_of_them = Folded()
    for change in changes:
        all_of_them.fold(change)
    return all_of_them


def left(known: Confirmations, *changes: Change, now: float = 0.0) -> list[Change]:
    """What of a user's changes still has to be sent."""
    waiting = folded(changes)
    skipped = known.skip(ALICE, waiting, now)
    rest: list[Change] = []
    while (endpoint := waiting.next_endpoint()) is not None:
        rest += changes_of(endpoint, waiting.take(endpoint))
    assert len(rest) + len(skipped) == len(folded(changes))
    return rest


SAID: Final[list[tuple[str, list[Said], list[Change], list[Change]]]] = [
    ("the same value", [(Endpoint.SET_ATTRIBUTES, CITY)], [SetAttribute("city", "Shenzhen")], []),
    (
        "another value",
        [(Endpoint.SET_ATTRIBUTES, CITY)],
        [SetAttribute("city", "Beijing")],
        [SetAttribute("city", "Beijing")],
    ),
    ("nothing is known", [], [RemoveAttribute("city")], [RemoveAttribute("city")]),
    ("it is removed already", [(Endpoint.REMOVE_ATTRIBUTES, ["city"])], [RemoveAttribute("city")], []),
    (
        "removed, and set again",
        [(Endpoint.REMOVE_ATTRIBUTES, ["city"])],
        [SetAttribute("city", "x")],
        [SetAttribute("city", "x")],
    ),
    ("a tag he has", [(Endpoint.ADD_TAGS, ["a", "b"])], [AddTag("b"), AddTag("c")], [AddTag("c")]),
    ("a tag he lost", [(Endpoint.REMOVE_TAGS, ["a"])], [RemoveTag("a")], []),
    ("a tag he has is removed", [(Endpoint.ADD_TAGS, ["a"])], [RemoveTag("a")], [RemoveTag("a")]),
    ("he has no tags", [(Endpoint.REMOVE_ALL_TAGS, ())], [RemoveAllTags()], []),
    ("he has no tags, and so not this one", [(Endpoint.REMOVE_ALL_TAGS, ())], [RemoveTag("a")], []),
    (
        "no tags, then one",
        [(Endpoint.REMOVE_ALL_TAGS, ()), (Endpoint.ADD_TAGS, ["a"])],
        [RemoveAllTags()],
        [RemoveAllTags()],
    ),
    (
        "what leaves before takes the tag",
        [(Endpoint.ADD_TAGS, ["a"])],
        [RemoveAllTags(), AddTag("a")],
        [RemoveAllTags(), AddTag("a")],
    ),
    (
        "a tag and an attribute of one name",
        [(Endpoint.ADD_TAGS, ["city"])],
        [RemoveAttribute("city")],
        [RemoveAttribute("city")],
    ),
    (
        "the last word counts",
        [(Endpoint.ADD_TAGS, ["a"]), (Endpoint.REMOVE_TAGS, ["a"])],
        [RemoveTag("a")],
        [],
    ),
]


@pytest.mark.parametrize(
    ("said", "changes", "to_send"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
def test_only_what_repeats_the_last_confirmed_word_is_skipped(
    said: list[Said], changes: list[Change], to_send: list[Change]
) -> None:
    """Anything else may change something."""
    known = Confirmations(seconds=60, most_names=100)
    for endpoint, part in said:
        known.cut(ALICE, endpoint, part)
        known.confirmed(ALICE, endpoint, part, 0.0)

    assert left(known, *changes) == to_send


def knowing(parts: Mapping[UserId, Part], *, most_names: int = 100, now: float = 0.0) -> Confirmations:
    known = Confirmations(seconds=60, most_names=most_names)
    for user, part in parts.items():
        known.confirmed(user, Endpoint.SET_ATTRIBUTES, part, now)
    return known


def test_what_is_under_way_is_unknown_and_the_rest_is_not() -> None:
    """A request may be applied or not; it says nothing of other names."""
    known = knowing({ALICE: {**CITY, "tier": "gold"}})
    known.cut(ALICE, Endpoint.SET_ATTRIBUTES, {"city": "Beijing"})

    assert left(known, SetAttribute("city", "Shenzhen"), SetAttribute("tier", "gold")) == [
        SetAttribute("city", "Shenzhen")
    ]


def test_while_a_tag_is_under_way_it_is_not_certain_that_he_has_none() -> None:
    """Else its removal would be skipped, and the request that adds it applied."""
    known = Confirmations(seconds=60, most_names=100)
    known.confirmed(ALICE, Endpoint.REMOVE_ALL_TAGS, (), 0.0)
    known.cut(ALICE, Endpoint.ADD_TAGS, ["a"])

    assert left(known, RemoveTag("a")) == [RemoveTag("a")]
    assert left(known, RemoveAllTags()) == [RemoveAllTags()]


def test_a_user_is_known_for_so_long_from_the_first_that_is_known() -> None:
    """What others write to the app is put right after that time, however often events repeat."""
    known = knowing({ALICE: CITY})
    known.confirmed(ALICE, Endpoint.SET_ATTRIBUTES, {"tier": "gold"}, 50.0)

    assert left(known, SetAttribute("tier", "gold"), now=59.9) == []
    assert left(known, SetAttribute("tier", "gold"), now=60.0) == [SetAttribute("tier", "gold")]


def test_of_whom_something_was_refused_nothing_is_known() -> None:
    """He may not exist any more, and have nothing when he is back."""
    known = knowing({ALICE: CITY})
    known.forget(ALICE)

    assert left(known, SetAttribute("city", "Shenzhen")) == [SetAttribute("city", "Shenzhen")]
    assert known.names == 0


def test_no_more_is_remembered_than_the_bound_and_the_oldest_goes() -> None:
    """Memory is bounded whatever arrives."""
    known = knowing({ALICE: CITY, **{UserId(f"u{number}"): CITY for number in range(1000)}}, most_names=100)

    assert known.names <= 101
    assert left(known, SetAttribute("city", "Shenzhen")) == [SetAttribute("city", "Shenzhen")]


def test_whose_time_is_over_leaves_no_trace() -> None:
    """Also when nobody asks for him."""
    known = knowing({ALICE: CITY})
    known.confirmed(BOB, Endpoint.ADD_TAGS, ["a"], 60.0)

    assert known.names == 2


def test_switched_off_nothing_is_remembered() -> None:
    """And nothing is skipped."""
    known = Confirmations(seconds=0, most_names=100)
    known.confirmed(ALICE, Endpoint.SET_ATTRIBUTES, CITY, 0.0)

    assert known.names == 0
    assert left(known, SetAttribute("city", "Shenzhen")) == [SetAttribute("city", "Shenzhen")]
