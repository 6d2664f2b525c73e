"""The ideal sender on cases that fit on a hand."""

from collections.abc import Mapping

import pytest

from benchmarks.ideal import Debounce, Happening, Ideal, Kind, Sent, Word

Told = tuple[float, str, Mapping[str, Word]]

TIMES = Debounce(quiet_seconds=2.0, longest_wait_seconds=30.0, fill_seconds=0.1, calls_per_second=100.0)
SLOW = TIMES._replace(calls_per_second=0.1)


def sent(*events: Told, debounce: Debounce = TIMES) -> dict[Kind, Sent]:
    """What leaves because of these events; kinds without a call are left out."""
    found = Ideal(debounce).sent(Happening(*event) for event in events)
    return {kind: each for kind, each in found.items() if each.calls}


@pytest.mark.parametrize(
    ("apart", "parts"),
    [
        pytest.param(1.9, 1, id="the quiet time has not passed, so both leave as one"),
        pytest.param(2.05, 1, id="he stands in line until his call is filled, and takes it along"),
        pytest.param(2.2, 2, id="the first has left"),
    ],
)
def test_two_words_of_one_user_are_one_part_if_the_first_has_not_left(apart: float, parts: int) -> None:
    events = [(10.0, "alice", {"city": "Shenzhen"}), (10.0 + apart, "alice", {"city": "Beijing"})]

    assert sent(*events) == {Kind.SET_ATTRIBUTES: Sent(parts, parts)}


def test_who_is_never_quiet_leaves_after_the_longest_wait() -> None:
    """An event a second for a minute and a half, from 0 to 89: he leaves at about 30, 61, and after the end."""
    events = [(float(second), "alice", {"city": str(second)}) for second in range(90)]

    assert sent(*events) == {Kind.SET_ATTRIBUTES: Sent(3, 3)}


def test_users_who_are_ready_within_the_fill_time_share_a_call() -> None:
    events = [(1.0, "alice", {"a": True}), (1.09, "bob", {"a": True}), (1.3, "carol", {"a": True})]

    assert sent(*events) == {Kind.ADD_TAGS: Sent(2, 3)}


def test_a_hundred_users_need_not_wait_for_the_fill_time() -> None:
    """The hundred and first has a call of his own."""
    events = [(1.0, f"user {number}", {"a": False}) for number in range(101)]

    assert sent(*events) == {Kind.REMOVE_TAGS: Sent(2, 101)}


def test_each_kind_of_word_is_a_part() -> None:
    events: list[Told] = [
        (1.0, "alice", {"city": "Shenzhen", "a": True, "b": False}),
        (1.5, "alice", {"b": True}),
    ]

    assert sent(*events) == {Kind.ADD_TAGS: Sent(1, 1), Kind.SET_ATTRIBUTES: Sent(1, 1)}


def test_a_part_has_ten_tags() -> None:
    events = [(1.0, "alice", {f"tag {number}": True for number in range(11)})]

    assert sent(*events) == {Kind.ADD_TAGS: Sent(2, 2)}


def test_who_waits_for_the_pace_takes_along_what_arrives() -> None:
    """A call every ten seconds: the first at 3.0, so the hundred others leave at 13.0, with what came at 12."""
    events = [(1.0, f"user {number}", {"a": True}) for number in range(200)]

    assert sent(*events, (12.0, "user 199", {"b": True}), debounce=SLOW) == {Kind.ADD_TAGS: Sent(2, 200)}
    assert sent(*events, (14.0, "user 199", {"b": True}), debounce=SLOW) == {Kind.ADD_TAGS: Sent(3, 201)}


def test_a_busy_user_does_not_lose_his_place_in_the_line() -> None:
    """He leaves with the second hundred at 13.0, so that what comes at 20 is a part of its own."""
    users = [f"user {number}" for number in range(350)]
    events = [(1.0, user, {"a": True}) for user in users]
    busy: list[Told] = [(at, users[150], {"b": True}) for at in (5.0, 12.0, 20.0)]

    assert sent(*events, *busy, debounce=SLOW) == {Kind.ADD_TAGS: Sent(4, 351)}


@pytest.mark.parametrize(
    ("later", "parts"),
    [
        pytest.param({"city": "Beijing"}, 1, id="it takes the place of what has not left"),
        pytest.param({"tier": "gold"}, 2, id="it is for the next time"),
    ],
)
def test_what_arrives_between_a_users_calls(later: Mapping[str, Word], parts: int) -> None:
    """Bob's call for attributes at 3.1 lets alice's wait until 13.1, while her tag leaves at 4.1."""
    events: list[Told] = [(1.0, "bob", {"city": "Shanghai"}), (2.0, "alice", {"city": "Shenzhen", "a": True})]

    found = sent(*events, (5.0, "alice", later), debounce=SLOW)

    assert found == {Kind.ADD_TAGS: Sent(1, 1), Kind.SET_ATTRIBUTES: Sent(1 + parts, 1 + parts)}
