"""What a stream of deliveries tells: everything, once, in order; and what it could not tell."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.emulator import inbox
from audience_sync.emulator.condition import Condition
from audience_sync.emulator.deliveries import PORTION, DeliveryStream, since
from audience_sync.emulator.inbox import Inboxes, LogIn
from audience_sync.emulator.pushing import Pushed


@pytest.fixture
def inboxes() -> Inboxes:
    """Nobody has anything yet."""
    return Inboxes()


def push(inboxes: Inboxes, *users: str) -> None:
    """One push to users who are online."""
    inboxes.apply(
        Pushed(
            task_id=f"task-{inboxes.count}",
            family="all_member_push",
            random=1,
            sender="administrator",
            body=[],
            offline=None,
            at=0.0,
            expires=None,
            condition=Condition(),
            to=list(users),
            delivered=list(users),
        )
    )


def deliver(inboxes: Inboxes, count: int) -> None:
    """So many deliveries, of one push."""
    push(inboxes, *(f"u{number}" for number in range(count)))


def numbers(chunks: Iterator[bytes]) -> list[int]:
    lines = b"".join(chunks).decode().splitlines()
    return [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]


@given(st.lists(st.integers(min_value=0, max_value=1200), max_size=6), st.integers(min_value=0, max_value=50))
def test_everything_is_told_once_and_in_order(portions: list[int], before: int) -> None:
    """However much comes between two looks."""
    inboxes = Inboxes()
    deliver(inboxes, before)
    stream, told = DeliveryStream(inboxes, after=before), list[int]()
    for count in portions:
        deliver(inboxes, count)
        told += numbers(stream.news(0))
        assert list(stream.news(0)) == []
    assert told == list(range(before + 1, before + sum(portions) + 1))


def test_what_is_kept_no_more_is_counted(inboxes: Inboxes) -> None:
    """A gap is told, and not left to be noticed."""
    stream = DeliveryStream(inboxes, after=0)
    deliver(inboxes, inbox.KEPT + 7)
    chunks = list(stream.news(0))
    assert chunks[0] == b'event: missed\ndata: {"count":7}\n\n'
    assert numbers(iter(chunks)) == list(range(8, inbox.KEPT + 8))


def test_a_large_push_leaves_in_portions(inboxes: Inboxes) -> None:
    """So that requests have their turn in between."""
    deliver(inboxes, 3 * PORTION)
    assert len(list(DeliveryStream(inboxes, after=0).news(0))) == 3


def test_a_number_that_was_not_given_yet_has_nothing_after_it(inboxes: Inboxes) -> None:
    """After a restart without a state a reader may ask with an old number."""
    deliver(inboxes, 3)
    assert since(inboxes, 10) == []
    assert [each.number for each in since(inboxes, 1)] == [2, 3]


def test_a_stream_that_is_ahead_of_its_emulator_goes_on_with_what_comes(inboxes: Inboxes) -> None:
    """An emulator that was started anew counts from 1; what it delivers is told all the same."""
    stream = DeliveryStream(inboxes, after=10)
    assert list(stream.news(0)) == []
    deliver(inboxes, 2)
    assert numbers(stream.news(0)) == [1, 2]


def test_one_event_is_one_line_of_json(inboxes: Inboxes) -> None:
    """A line break in a message is none in the stream."""
    push(inboxes, "a\nb")
    (chunk,) = DeliveryStream(inboxes, after=0).news(0)
    assert chunk.count(b"\n") == 4
    inboxes.apply(LogIn("c", 1.0))
    assert list(DeliveryStream(inboxes, after=1).news(0)) == []
