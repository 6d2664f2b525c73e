"""Of two events the one with the later time wins, also where it stands before the other in the log."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.event_times import EventTimes
from tests.properties.histories import State, changes, states

ALICE, BOB = UserId("alice"), UserId("bob")
Came = tuple[float, list[Change]]

CAME: Final[list[tuple[str, list[Came], list[Change], int]]] = [
    (
        "in order",
        [(1, [SetAttribute("city", "a")]), (2, [SetAttribute("city", "b")])],
        [SetAttribute("city", "b")],
        0,
    ),
    ("late", [(2, [SetAttribute("city", "b")]), (1, [SetAttribute("city", "a")])], [], 1),
    ("a late removal", [(2, [SetAttribute("city", "b")]), (1, [RemoveAttribute("city")])], [], 1),
    ("late after a removal", [(2, [RemoveAttribute("city")]), (1, [SetAttribute("city", "a")])], [], 1),
    ("as old: the log decides", [(2, [AddTag("a")]), (2, [RemoveTag("a")])], [RemoveTag("a")], 0),
    (
        "another name",
        [(2, [SetAttribute("city", "b")]), (1, [SetAttribute("tier", "a")])],
        [SetAttribute("tier", "a")],
        0,
    ),
    (
        "a tag of an attribute's name",
        [(2, [SetAttribute("city", "b")]), (1, [AddTag("city")])],
        [AddTag("city")],
        0,
    ),
    ("half of it is late", [(2, [AddTag("a")]), (1, [RemoveTag("a"), AddTag("b")])], [AddTag("b")], 1),
    ("a tag from before all were removed", [(2, [RemoveAllTags()]), (1, [AddTag("a")])], [], 1),
    ("a tag of that moment", [(2, [RemoveAllTags()]), (2, [AddTag("a")])], [AddTag("a")], 0),
    (
        "tags leave an attribute alone",
        [(2, [RemoveAllTags()]), (1, [SetAttribute("city", "a")])],
        [SetAttribute("city", "a")],
        0,
    ),
    (
        "all are removed late: later tags stay",
        [(2, [AddTag("a"), RemoveTag("b")]), (1, [RemoveAllTags()])],
        [RemoveAllTags(), AddTag("a")],
        0,
    ),
    ("twice removed", [(3, [RemoveAllTags()]), (1, [RemoveAllTags()])], [], 1),
    ("late, then between", [(3, [AddTag("a")]), (1, [RemoveAllTags()]), (2, [RemoveTag("a")])], [], 1),
    (
        "all in one event",
        [(1, [AddTag("a"), RemoveAllTags(), AddTag("b")])],
        [AddTag("a"), RemoveAllTags(), AddTag("b")],
        0,
    ),
]


@pytest.mark.parametrize(("came", "applied", "late"), [row[1:] for row in CAME], ids=[row[0] for row in CAME])
def test_what_a_later_event_has_spoken_on_is_left_out(
    came: list[Came], applied: list[Change], late: int
) -> None:
    """Of the last event to come."""
    times = EventTimes(most_names=100)
    for at, said in came[:-1]:
        times.timely(ALICE, said, at)

    at, said = came[-1]
    assert times.timely(ALICE, said, at) == (applied, late)


def test_users_are_apart() -> None:
    """What is late for one may be new for another."""
    times = EventTimes(most_names=100)
    times.timely(ALICE, [AddTag("a")], 2.0)

    assert times.timely(BOB, [RemoveTag("a")], 1.0) == ([RemoveTag("a")], 0)


def test_memory_is_bounded_and_who_was_met_last_is_remembered() -> None:
    """A late event of somebody forgotten is applied: this is a help, and no promise."""
    times = EventTimes(most_names=100)
    for number in range(1000):
        times.timely(UserId(f"u{number}"), [AddTag("a")], 2.0)
        times.timely(ALICE, [AddTag("a")], 2.0)

    assert times.names <= 100
    assert times.timely(ALICE, [RemoveTag("a")], 1.0) == ([], 1)
    assert times.timely(UserId("u0"), [RemoveTag("a")], 1.0) == ([RemoveTag("a")], 0)


def test_one_user_with_endless_tags_is_forgotten_too() -> None:
    """Nobody's names may grow beyond the bound."""
    times = EventTimes(most_names=100)
    for number in range(1000):
        times.timely(ALICE, [AddTag(f"{number}")], 2.0)

    assert times.names <= 100


def test_names_are_counted_whatever_comes() -> None:
    """A count that drifts would forget too early, or never."""
    times = EventTimes(most_names=100)
    times.timely(ALICE, [AddTag("a"), AddTag("b"), SetAttribute("city", "x"), RemoveTag("a")], 1.0)
    assert times.names == 4
    times.timely(ALICE, [RemoveAllTags()], 2.0)
    assert times.names == 2


class Event(msgspec.Struct, frozen=True):
    """What it says, and when it happened."""

    at: float
    changes: tuple[Change, ...]


events = st.lists(
    st.builds(Event, st.integers(0, 5).map(float), st.lists(changes, min_size=1, max_size=4).map(tuple)),
    max_size=12,
)


def check(state: State, came: list[Event]) -> None:
    """What is applied as events come has the effect of all of them in the order of their times."""
    times = EventTimes(most_names=1000)
    found, expected = state.copy(), state.copy()
    for event in came:
        found.apply(times.timely(ALICE, event.changes, event.at)[0])
    for event in sorted(came, key=lambda event: event.at):  # which keeps the log's order of equal ones
        expected.apply(event.changes)
    assert found == expected


@given(states, events)
@settings(max_examples=500, deadline=None)
def test_with_all_known_the_result_is_that_of_the_order_in_time(state: State, came: list[Event]) -> None:
    """However they come; removing all tags counts for all tags before it, and for none after."""
    check(state, came)


Timely = Callable[[EventTimes, UserId, Sequence[Change], float], tuple[list[Change], int]]
_timely: Final = EventTimes.timely


def _only_of_names(
    self: EventTimes, user: UserId, said: Sequence[Change], at: float
) -> tuple[list[Change], int]:
    """A removal of all tags says nothing on tags that nobody has named."""
    applied, late = _timely(self, user, [each for each in said if type(each) is not RemoveAllTags], at)
    return [*applied, *(each for each in said if type(each) is RemoveAllTags)], late


def _of_later_tags_too(
    self: EventTimes, user: UserId, said: Sequence[Change], at: float
) -> tuple[list[Change], int]:
    """A late removal of all tags takes the later ones with it."""
    applied, late = _timely(self, user, said, at)
    return [each for each in applied if each in said], late


def _late_as_a_whole(
    self: EventTimes, user: UserId, said: Sequence[Change], at: float
) -> tuple[list[Change], int]:
    """One word that is late takes the whole event with it."""
    applied, late = _timely(self, user, said, at)
    return ([], len(said)) if late else (applied, 0)


def _late_if_as_old(
    self: EventTimes, user: UserId, said: Sequence[Change], at: float
) -> tuple[list[Change], int]:
    """Of two events of one moment the first wins."""
    kept = self._users.get(user)
    known = {} if kept is None else kept.attributes
    rest = [each for each in said if known.get(getattr(each, "name", ""), -1.0) != at]
    return _timely(self, user, rest, at)


def _never_late(_: EventTimes, __: UserId, said: Iterable[Change], ___: float) -> tuple[list[Change], int]:
    """The log decides."""
    return list(said), 0


@pytest.mark.parametrize(
    "mistake", [_only_of_names, _of_later_tags_too, _late_as_a_whole, _late_if_as_old, _never_late]
)
def test_the_property_sees_a_planted_mistake(mistake: Timely, monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that finds nothing in broken code says nothing of sound code."""
    monkeypatch.setattr(EventTimes, "timely", mistake)
    looking = given(states, events)(check)

    with pytest.raises((AssertionError, ExceptionGroup)):
        settings(max_examples=2000, deadline=None, phases=[Phase.generate], derandomize=True)(looking)()
