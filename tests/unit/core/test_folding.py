"""What is left of a user's changes, and in which parts it leaves."""

from collections.abc import Sequence

import pytest

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)
from audience_sync.core.folding import Folded, changes_of, folded_part


def folded(changes: Sequence[Change]) -> Folded:
    result = Folded()
    for change in changes:
        result.fold(change)
    return result


def parts(rest: Folded) -> list[tuple[Endpoint, object]]:
    """Everything that leaves, in order."""
    taken: list[tuple[Endpoint, object]] = []
    while (endpoint := rest.next_endpoint()) is not None:
        taken.append((endpoint, rest.take(endpoint)))
        assert len(taken) < 100, "there is no end to the parts"
    assert not rest
    return taken


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        pytest.param(
            [SetAttribute("city", "Beijing"), SetAttribute("city", "Shenzhen")],
            [(Endpoint.SET_ATTRIBUTES, {"city": "Shenzhen"})],
            id="the last value of an attribute wins",
        ),
        pytest.param(
            [SetAttribute("city", "Beijing"), RemoveAttribute("city")],
            [(Endpoint.REMOVE_ATTRIBUTES, ["city"])],
            id="a removal is a write: the value may have been there before",
        ),
        pytest.param(
            [RemoveAttribute("city"), SetAttribute("city", "Beijing")],
            [(Endpoint.SET_ATTRIBUTES, {"city": "Beijing"})],
            id="an attribute that comes back needs no removal",
        ),
        pytest.param(
            [AddTag("a"), RemoveTag("a")],
            [(Endpoint.REMOVE_TAGS, ["a"])],
            id="add then remove leaves the removal",
        ),
        pytest.param(
            [RemoveTag("a"), AddTag("a")],
            [(Endpoint.ADD_TAGS, ["a"])],
            id="remove then add leaves the addition",
        ),
        pytest.param(
            [AddTag("a"), RemoveTag("b"), RemoveAllTags()],
            [(Endpoint.REMOVE_ALL_TAGS, ())],
            id="all tags removed says all that was said of tags before",
        ),
        pytest.param(
            [RemoveAllTags(), AddTag("a"), RemoveTag("b")],
            [(Endpoint.REMOVE_ALL_TAGS, ()), (Endpoint.ADD_TAGS, ["a"])],
            id="what is added after all were removed leaves after it; a removal has nothing left to do",
        ),
        pytest.param(
            [RemoveAllTags(), AddTag("a"), RemoveTag("a")],
            [(Endpoint.REMOVE_ALL_TAGS, ())],
            id="added and removed behind the barrier is nothing",
        ),
        pytest.param(
            [
                RemoveAttribute("tier"),
                SetAttribute("city", "Shenzhen"),
                AddTag("new"),
                RemoveTag("old"),
            ],
            [
                (Endpoint.REMOVE_TAGS, ["old"]),
                (Endpoint.ADD_TAGS, ["new"]),
                (Endpoint.SET_ATTRIBUTES, {"city": "Shenzhen"}),
                (Endpoint.REMOVE_ATTRIBUTES, ["tier"]),
            ],
            id="removals of tags leave first: who carries as many as fit could swap none otherwise",
        ),
        pytest.param(
            [AddTag(f"{n}") for n in range(23)],
            [
                (Endpoint.ADD_TAGS, [f"{n}" for n in range(10)]),
                (Endpoint.ADD_TAGS, [f"{n}" for n in range(10, 20)]),
                (Endpoint.ADD_TAGS, ["20", "21", "22"]),
            ],
            id="ten tags a request, the oldest first",
        ),
    ],
)
def test_what_leaves_of_a_list_of_changes(changes: list[Change], left: list[tuple[Endpoint, object]]) -> None:
    assert parts(folded(changes)) == left


def test_a_part_that_comes_back_lies_under_what_arrived_meanwhile() -> None:
    """The API may have applied it or not; either way the newer word is the last one."""
    arrived = folded([RemoveTag("a"), SetAttribute("city", "Shenzhen")])

    arrived.fold_under(folded_part(Endpoint.ADD_TAGS, ["a", "b"]))
    arrived.fold_under(folded_part(Endpoint.SET_ATTRIBUTES, {"city": "Beijing", "tier": "gold"}))

    assert parts(arrived) == [
        (Endpoint.REMOVE_TAGS, ["a"]),
        (Endpoint.ADD_TAGS, ["b"]),
        (Endpoint.SET_ATTRIBUTES, {"city": "Shenzhen", "tier": "gold"}),
    ]


def test_all_tags_removed_comes_back_under_later_tags() -> None:
    """A tag that was added behind the barrier survives it."""
    arrived = folded([AddTag("a"), RemoveTag("b")])

    arrived.fold_under(folded_part(Endpoint.REMOVE_ALL_TAGS, ()))

    assert parts(arrived) == [(Endpoint.REMOVE_ALL_TAGS, ()), (Endpoint.ADD_TAGS, ["a"])]


def test_nothing_comes_back_from_below_all_tags_removed() -> None:
    arrived = folded([RemoveAllTags()])

    arrived.fold_under(folded_part(Endpoint.ADD_TAGS, ["a"]))

    assert parts(arrived) == [(Endpoint.REMOVE_ALL_TAGS, ())]


@pytest.mark.parametrize(
    ("endpoint", "part", "changes"),
    [
        (Endpoint.SET_ATTRIBUTES, {"a": "1", "b": "2"}, [SetAttribute("a", "1"), SetAttribute("b", "2")]),
        (Endpoint.REMOVE_ATTRIBUTES, ["a"], [RemoveAttribute("a")]),
        (Endpoint.ADD_TAGS, ["a", "b"], [AddTag("a"), AddTag("b")]),
        (Endpoint.REMOVE_TAGS, ["a"], [RemoveTag("a")]),
        (Endpoint.REMOVE_ALL_TAGS, (), [RemoveAllTags()]),
    ],
)
def test_a_part_says_which_changes_it_carries(
    endpoint: Endpoint, part: dict[str, str] | list[str], changes: list[Change]
) -> None:
    """The dead letters keep changes, not parts."""
    assert list(changes_of(endpoint, part)) == changes
