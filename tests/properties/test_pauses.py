"""Whatever is paused and resumed: nothing is lost, nothing goes back, and nothing leaves that is paused."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.core.changes import AddTag, Change, Endpoint, UserId
from audience_sync.core.event import Translated
from audience_sync.core.guard import Guard
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pauses import Pauses
from audience_sync.core.tenure import Tenure
from audience_sync.events.intake import Intake, Watch
from tests.properties.histories import State, changes
from tests.properties.test_delivery import Answered, answering, answers
from tests.support.clock import FakeClock, on_virtual_time
from tests.support.deliveries import Deliveries
from tests.support.kafka_client import Record
from tests.support.tenures import BOUNDS, FROM_THE_BEGINNING, KEY, TIMES, an_ownership, opened

TOPICS: Final = ("a", "b")
PAUSABLE: Final = ("all", *(f"endpoint:{endpoint}" for endpoint in Endpoint), "rule:a", "rule:b")


class Told(msgspec.Struct, frozen=True):
    """An event, what is paused and resumed then, and the time that passes."""

    user: int
    changes: tuple[Change, ...]
    paused: tuple[str, ...]
    resumed: tuple[str, ...]
    seconds: float


some = st.lists(st.sampled_from(PAUSABLE), max_size=3).map(tuple)
histories = st.lists(
    st.builds(
        Told,
        st.integers(0, 3),
        st.lists(changes, min_size=1, max_size=4).map(tuple),
        some,
        some,
        st.floats(0.0, 20.0),
    ),
    max_size=15,
)


def rules() -> Pauses:
    """A rule a topic."""
    return Pauses({topic: (topic,) for topic in TOPICS})


def act(pauses: Pauses, told: Told, now: float) -> None:
    """What the person does."""
    for what in told.paused:
        pauses.pause(what, now)
    for what in told.resumed:
        pauses.resume(what)


@given(histories, answers)
@settings(max_examples=150, deadline=None)
def test_who_waits_for_a_paused_endpoint_is_in_step_once_it_is_resumed(
    histories: list[Told], answered: list[Answered]
) -> None:
    """However requests end meanwhile; and no position is settled before."""

    async def main() -> None:
        api, expected = dict[UserId, State](), dict[UserId, State]()
        pauses = rules()
        deliveries = Deliveries(
            answering(api, answered), paused=lambda endpoint: not pauses.sends_to(endpoint)
        )
        async with deliveries.running():
            for told in histories:
                user = UserId(f"user-{told.user}")
                deliveries.tell(user, *told.changes)
                expected.setdefault(user, State()).apply(told.changes)
                act(pauses, told, 0.0)
                deliveries.delivery.resumed()
                sent = len(deliveries.sent)
                await asyncio.sleep(told.seconds)
                assert all(pauses.sends_to(request.endpoint) for _, request in deliveries.sent[sent:])
                ledger = deliveries.tenure.ownership.partitions[KEY].ledger
                if len(deliveries.tenure.debouncer):
                    assert ledger.settled_position < ledger.read_position
            for pause in list(pauses):
                pauses.resume(pause.what)
            deliveries.delivery.resumed()
            await asyncio.sleep(900)

        assert api == expected
        assert deliveries.settled

    on_virtual_time(main())


@given(histories)
@settings(max_examples=100, deadline=None)
def test_events_of_a_paused_rule_wait_in_their_topic(histories: list[Told]) -> None:
    """No position passes them; once the rule is resumed each is taken in once, in its order."""
    clock, pauses, seen = FakeClock(), rules(), dict[str, list[int]]({topic: [] for topic in TOPICS})
    keys = [PartitionKey(topic, 0) for topic in TOPICS]
    starts = dict.fromkeys(keys, FROM_THE_BEGINNING)
    ownership = opened(an_ownership(starts, topics=TOPICS, bounds=BOUNDS, now=clock()), clock())
    tenure = Tenure(ownership, TIMES)
    logs: dict[PartitionKey, list[Record]] = {key: [] for key in keys}

    def translate(topic: str, record: object) -> Translated:
        assert isinstance(record, Record)
        seen[topic].append(record.offset)
        return Translated(UserId("alice"), (AddTag("a"),), urgent=False, event_seconds=None)

    intake = Intake(
        translation=lambda topic: partial(translate, topic),
        by_event_time=lambda _: False,
        want=lambda _: None,
        bury=lambda *_: None,
        stopped=lambda: False,
        guard=Guard(most_per_minute=10),
        max_waiting_users=10,
        clock=clock,
        watch=cast("Watch", _Nobody()),
        paused=lambda topic: not pauses.reads(topic),
    )

    def read(key: PartitionKey) -> Sequence[int]:
        before = list(seen[key.topic])
        unread = logs[key][ownership.partitions[key].ledger.read_position :]
        assert intake.take(tenure, key, unread) == len(seen[key.topic]) - len(before)
        return seen[key.topic][len(before) :]

    for told in histories:
        key = keys[told.user % len(keys)]
        logs[key].append(Record(*key, len(logs[key]), b"x", None, 0))
        act(pauses, told, clock())
        for each in keys:
            if not pauses.reads(each.topic):
                assert read(each) == []
            else:
                read(each)
            assert ownership.partitions[each].ledger.settled_position <= len(seen[each.topic])
    for pause in list(pauses):
        pauses.resume(pause.what)
    for each in keys:
        read(each)
        assert seen[each.topic] == list(range(len(logs[each])))


class _Nobody:
    """Sees nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None
