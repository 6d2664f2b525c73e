"""Whether an app shows what was written: every other question is judged by that."""

from collections.abc import Mapping

import pytest

from audience_sync.chat_api.wire import Command, Family
from audience_sync.probe.bodies import tag
from audience_sync.probe.calling import Caller, StoppedError
from audience_sync.probe.question import Interview
from audience_sync.probe.questions.apps import FRESHNESS
from tests.support.clock import FakeClock
from tests.unit.probe.given import GIVEN, OK, tags


class LateApp:
    """An app that shows a tag some seconds after it was added."""

    family = Family.ALL_MEMBER_PUSH

    def __init__(self, clock: FakeClock, late_seconds: float) -> None:
        self.clock, self.late_seconds = clock, late_seconds
        self.shows_from = 0.0

    async def ask(
        self, command: Command, _body: Mapping[str, object], *, family: Family | None = None
    ) -> Mapping[str, object]:
        """Add, or show what is to be seen by now."""
        assert family is None
        if command is Command.ADD_TAGS:
            self.shows_from = self.clock.now + self.late_seconds
            return OK.fields
        return tags(alice=[tag(1)] if self.clock.now >= self.shows_from else []).fields


async def asked(late_seconds: float) -> Caller:
    clock = FakeClock()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    caller = Caller(LateApp(clock, late_seconds), calls_per_second=1000, now=clock, sleep=sleep)
    await FRESHNESS.ask(Interview(caller, FRESHNESS.name, most_calls=FRESHNESS.most_calls), GIVEN)
    return caller


@pytest.mark.parametrize(("late_seconds", "waits_seconds"), [(0, 0), (0.5, 2), (2.5, 6), (4.9, 10)])
async def test_reads_wait_twice_as_long_as_a_tag_took_to_show(
    late_seconds: float, waits_seconds: float
) -> None:
    """Once it took so long, it may take longer."""
    assert (await asked(late_seconds)).reading_waits_seconds == waits_seconds


async def test_an_app_that_does_not_show_what_was_written_is_asked_nothing() -> None:
    """Whatever it answered, nobody could say what it did."""
    with pytest.raises(StoppedError, match="could not be read"):
        await asked(60.0)
