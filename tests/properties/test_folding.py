"""Folding alters the number of changes, never their result."""

from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.changes import AddTag, Change, RemoveTag
from audience_sync.core.folding import Folded, changes_of, leaves_first
from audience_sync.core.limits import ATTRIBUTES_PER_APP, TAGS_PER_USER_AND_REQUEST
from tests.properties.histories import State, changes, states


def folded(some: list[Change]) -> Folded:
    result = Folded()
    for change in some:
        result.fold(change)
    return result


def unfolded(rest: Folded) -> list[list[Change]]:
    """What leaves, part for part."""
    parts: list[list[Change]] = []
    while (endpoint := rest.next_endpoint()) is not None:
        part = rest.take(endpoint)
        assert len(part) <= max(TAGS_PER_USER_AND_REQUEST, ATTRIBUTES_PER_APP)
        parts.append(list(changes_of(endpoint, part)))
        assert parts[-1], "a request would say nothing of the user"
    return parts


@given(states, st.lists(changes, max_size=40))
def test_what_leaves_has_the_effect_of_what_came(state: State, came: list[Change]) -> None:
    left = [change for part in unfolded(folded(came)) for change in part]

    assert state.copy().apply(left) == state.copy().apply(came)


@given(st.lists(changes, max_size=40))
def test_nothing_is_said_twice(came: list[Change]) -> None:
    """One word for each name is the shortest list; no tag is both removed and added."""
    left = [change for part in unfolded(folded(came)) for change in part]
    spoken = [change.tag if isinstance(change, AddTag | RemoveTag) else str(change) for change in left]

    assert len(spoken) == len(set(spoken))
    assert len(left) <= len(came)


@given(states, st.lists(changes, max_size=20), st.lists(changes, max_size=20))
def test_folding_under_is_what_would_have_been_folded_in_order(
    state: State, earlier: list[Change], later: list[Change]
) -> None:
    below, above = folded(earlier), folded(later)
    above.fold_under(below)
    left = [change for part in unfolded(above) for change in part]

    assert state.copy().apply(left) == state.copy().apply([*earlier, *later])


@given(st.lists(changes, min_size=1, max_size=10), st.lists(changes, max_size=4))
def test_what_certainly_leaves_first_still_does(came: list[Change], later: list[Change]) -> None:
    """Else a ready user would stand in the queue of an endpoint that has nothing of his to carry."""
    first = folded(came).next_endpoint()
    assert first is not None
    if leaves_first(first, later):
        assert folded([*came, *later]).next_endpoint() is first


@given(states, st.lists(changes, max_size=30))
def test_a_repeat_of_everything_changes_nothing(state: State, came: list[Change]) -> None:
    """At least once is as good as once."""
    left = [change for part in unfolded(folded(came)) for change in part]

    assert state.copy().apply([*left, *left]) == state.copy().apply(left)
