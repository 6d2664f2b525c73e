"""When the demo sends how much."""

import pytest

from audience_sync.commands.demonstration.timetable import RESTLESS_PER_SECOND, UNUSABLE, timetable


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [
        (20.0, 2000),  # the default
        (1.0, 1),  # the least that the command takes
        (7.3, 333),  # a time that ends within a slot
        (600.0, 3),  # fewer events than slots
    ],
)
def test_what_is_asked_for_is_sent_in_all(seconds: float, rate: int) -> None:
    """However it is spread over the slots."""
    slots = list(timetable(seconds=seconds, rate=rate))
    assert sum(slot.events for slot in slots) == round(seconds * rate)
    assert sum(slot.restless for slot in slots) == round(RESTLESS_PER_SECOND * seconds)
    assert sum(slot.unusable for slot in slots) == UNUSABLE
    assert all(slot.events >= 0 for slot in slots)
    assert all(slot.seconds < seconds for slot in slots)


def test_news_comes_every_five_seconds_and_brings_three_times_as_much() -> None:
    """A burst is what debouncing is for."""
    slots = list(timetable(seconds=10, rate=700))
    news = [slot for slot in slots if slot.news]
    others = [slot for slot in slots if not slot.news]

    assert {int(slot.seconds) for slot in news} == {4, 9}
    assert len(news) == 20
    assert {slot.events for slot in news} == {150}
    assert {slot.events for slot in others} == {50}
