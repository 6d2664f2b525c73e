"""The real loop with made-up events and answers: everybody is in step in the end, and nobody waits for ever."""

import asyncio
from typing import Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.core.changes import Change, Request, UserId
from audience_sync.core.folding import changes_of
from audience_sync.core.verdicts import Outcome, Refusal, Verdict
from tests.properties.histories import State, changes
from tests.support.clock import on_virtual_time
from tests.support.deliveries import NO_ANSWER, OK, SLOW_DOWN, STOPPED, Answer, Deliveries
from tests.support.tenures import KEY

LATER: Final = Refusal(code=60008, info="busy", again=True)


class Told(msgspec.Struct, frozen=True):
    """An event, and the pause after it."""

    user: int
    changes: tuple[Change, ...]
    urgent: bool
    pause: float


class Answered(msgspec.Struct, frozen=True):
    """How a request ends, and whether the API has applied it if that is not told."""

    verdict: Verdict
    applied: bool


events = st.lists(
    st.builds(
        Told,
        st.integers(0, 3),
        st.lists(changes, min_size=1, max_size=5).map(tuple),
        st.booleans(),
        st.floats(0.0, 1.0),
    ),
    max_size=25,
)
answers = st.lists(
    st.builds(Answered, st.sampled_from([OK, OK, NO_ANSWER, SLOW_DOWN, STOPPED]), st.booleans())
    | st.builds(
        Answered,
        st.just(Verdict(outcome=Outcome.CONFIRMED, refused={UserId("user-0"): LATER})),
        st.just(True),
    ),
    max_size=12,
)


def answering(api: dict[UserId, State], answered: list[Answered]) -> Answer:
    """An API that ends requests as *answered* says, and then well; *api* is what it has applied."""
    left = iter(answered)

    def verdict(request: Request) -> Verdict:
        end = next(left, Answered(OK, applied=True))
        confirmed = end.verdict.outcome is Outcome.CONFIRMED
        for user, part in request.parts.items():
            refused = user in end.verdict.refused
            if (confirmed and not refused) or (end.verdict.ambiguous and end.applied):
                api.setdefault(user, State()).apply(changes_of(request.endpoint, part))
        return end.verdict

    return verdict


@given(events, answers)
@settings(max_examples=100, deadline=None)
def test_whatever_is_answered_everybody_is_in_step_in_the_end(
    told: list[Told], answered: list[Answered]
) -> None:
    """Once answers are good again; until then nothing is dropped, and no user is in two requests."""

    async def main() -> None:
        api, expected = dict[UserId, State](), dict[UserId, State]()
        deliveries = Deliveries(answering(api, answered))
        async with deliveries.running():
            for event in told:
                user = UserId(f"user-{event.user}")
                deliveries.tell(user, *event.changes, urgent=event.urgent)
                expected.setdefault(user, State()).apply(event.changes)
                await asyncio.sleep(event.pause)
            await asyncio.sleep(900)

        assert api == expected
        assert deliveries.settled
        assert not deliveries.halt
        assert all(pace.in_flight == 0 for pace in deliveries.paces.values())
        ledger = deliveries.tenure.ownership.partitions[KEY].ledger
        assert ledger.settled_position == len(told)

    on_virtual_time(main())
