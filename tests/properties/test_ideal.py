"""The service's decisions on virtual time send what the offline model of the same debounce sends."""

import random
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.core.changes import AddTag, Change, Endpoint, RemoveTag, Request, SetAttribute, UserId
from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.ledger import Ledger
from audience_sync.core.pace import HEADROOM, Call, Pace
from benchmarks.ideal import Debounce, Happening, Ideal, Word

TIMES = DebounceTimes(quiet_seconds=2.0, longest_wait_seconds=10.0, fill_seconds=0.1)
ANSWER_SECONDS = 0.005
EVENTS = 1_500


def change(name: str, word: Word) -> Change:
    """The word as the service has it."""
    if isinstance(word, str):
        return SetAttribute(name, word)
    return AddTag(name) if word else RemoveTag(name)


def made(seed: int, *, users: int, events_per_second: int) -> list[Happening]:
    """Events at a steady rate: a third about tags, the others about two attributes."""
    chance, events = random.Random(seed), []
    for number in range(EVENTS):
        user = f"user {int(users * chance.random() ** 2)}"  # some are busier than others
        words: dict[str, Word]
        if chance.random() < 0.33:
            words = {f"tag {chance.randrange(20)}": chance.random() < 0.6}
        else:
            words = {chance.choice(("city", "tier")): str(number)}
        events.append(Happening(1000.0 + number / events_per_second, user, words))
    return events


def parts_sent(events: Sequence[Happening], *, calls_per_second: float) -> int:
    """What the debouncer and the paces let out: users in requests, each as often as he is named."""
    debouncer = Debouncer(TIMES, may_send=lambda _: True)
    paces = {endpoint: Pace(calls_per_second=calls_per_second, most_in_flight=32) for endpoint in Endpoint}
    ledger, ties, parts, now = Ledger("events", 0, 0), count(), 0, events[0].at
    ends: list[tuple[float, int, Pace, Call, Request]] = []
    coming = list(reversed(events))
    while True:
        debouncer.advance(now)
        moments = [] if debouncer.next_ready_at is None else [debouncer.next_ready_at]
        for endpoint, pace in paces.items():
            while (worth := debouncer.ready.worth_cutting_at(endpoint)) is not None:
                permit = pace.permit_at()
                if permit is None or max(permit, worth) > now:
                    moments += [] if permit is None else [max(permit, worth)]
                    break
                request = debouncer.cut(endpoint)
                parts += len(request.parts)
                heappush(ends, (now + ANSWER_SECONDS, next(ties), pace, pace.start(now), request))
        moments += [coming[-1].at] if coming else []
        moments += [ends[0][0]] if ends else []
        if not moments:
            return parts
        now = max(now, min(moments))
        while coming and coming[-1].at <= now:
            event = coming.pop()
            position = ledger.read_position
            changes = [change(*each) for each in event.words.items()]
            debouncer.add(UserId(event.user), changes, ledger=ledger, position=position, at=event.at, now=now)
            ledger.read_up_to(position + 1)
        while ends and ends[0][0] <= now:
            _, _, pace, call, request = heappop(ends)
            pace.ended(call, now)
            pace.confirmed(call)
            for user_id in request.parts:
                debouncer.settle(user_id, now)


@given(
    st.integers(0, 10**9),
    st.sampled_from([20, 200, 1000]),
    st.sampled_from([50, 300, 1000]),
    st.sampled_from([1.0, 3.0, 20.0]),
)
@settings(max_examples=25, deadline=None)
def test_no_more_is_sent_than_an_ideal_sender_with_the_same_debounce_would_send(
    seed: int, users: int, events_per_second: int, calls_per_second: float
) -> None:
    """Within two in a hundred, from a stream that the API carries easily to one that is far too much for it."""
    events = made(seed, users=users, events_per_second=events_per_second)
    times = Debounce(
        TIMES.quiet_seconds,
        TIMES.longest_wait_seconds,
        TIMES.fill_seconds,
        HEADROOM * calls_per_second,
    )

    ideal = sum(each.parts for each in Ideal(times).sent(events).values())

    assert ideal >= len({event.user for event in events})
    assert parts_sent(events, calls_per_second=calls_per_second) <= 1.02 * ideal + 2
