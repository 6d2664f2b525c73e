"""What would be sent for events at given moments, and what it comes to."""

import pytest

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.event import Cause, Ignored, Translated, Unusable
from audience_sync.core.limits import TAGS_PER_USER
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import HEADROOM
from audience_sync.core.plan_figures import EXAMPLES, Figures
from audience_sync.core.planner import Arrival, Assumed, Planner, calls_alone, in_order
from tests.support.clock import START
from tests.support.tenures import TIMES

FIRST, SECOND = PartitionKey("events", 0), PartitionKey("events", 1)


class Plan:
    """A planner and its figures; events of one partition."""

    def __init__(
        self,
        *,
        calls_per_second: float = 100,
        of_app: float | None = None,
        reading: float = 0.0,
        confirmed_seconds: float = 0.0,
    ) -> None:
        self.figures = Figures(shown=100)
        assumed = Assumed(
            times=TIMES,
            calls_per_second=calls_per_second,
            calls_per_second_of_app=of_app,
            most_in_flight=32,
            dead_letters_per_minute=10,
            answer_seconds=0.5,
            reading_seconds=reading,
            confirmed_seconds=confirmed_seconds,
            confirmed_names=1000,
        )
        self.planner = Planner(assumed, watch=self.figures)
        self._position = 0

    def event(self, at: float, user: str, *changes: Change, urgent: bool = False) -> None:
        """An event, so many seconds after the start."""
        self.comes(at, Translated(UserId(user), changes, urgent, None))

    def comes(self, at: float, what: Translated | Ignored | Unusable) -> None:
        """A record."""
        self.planner.take(Arrival(START + at, FIRST, self._position, START + at, what))
        self._position += 1

    @property
    def sent(self) -> list[tuple[float, Endpoint, int]]:
        """After how many seconds what leaves, with how many users."""
        self.planner.finish()
        return [
            (round(sent.at - START, 3), sent.request.endpoint, len(sent.request.parts))
            for sent in self.figures.first_requests
        ]


def city(value: str) -> SetAttribute:
    """The attribute that these users have."""
    return SetAttribute("city", value)


def test_a_user_is_sent_once_he_is_quiet_and_the_request_has_waited_for_others() -> None:
    """Two changes of one attribute become one, as in the service."""
    plan = Plan()
    plan.event(0.0, "alice", city("Beijing"))
    plan.event(1.0, "alice", city("Shenzhen"))

    assert plan.sent == [(3.1, Endpoint.SET_ATTRIBUTES, 1)]
    assert plan.figures.first_requests[0].request.parts == {"alice": {"city": "Shenzhen"}}
    assert list(plan.figures.delay_at(1.0)) == pytest.approx([3.6])


def test_a_restless_user_is_sent_after_the_longest_wait() -> None:
    plan = Plan()
    for second in range(15):
        plan.event(float(second), "alice", city(str(second)))

    assert [at for at, _, _ in plan.sent] == [10.1, 16.1]


def test_what_arrives_during_a_request_waits_for_its_answer() -> None:
    """No user is in two requests at once, so an answer that is assumed to be late delays him."""
    plan = Plan()
    plan.event(0.0, "alice", city("Beijing"), urgent=True)
    plan.event(0.2, "alice", city("Shenzhen"), urgent=True)

    assert [at for at, _, _ in plan.sent] == [0.1, 0.7]


def test_a_hundred_users_fill_a_request_and_the_pace_spaces_them() -> None:
    """At four calls a second the third request leaves half a second after the first."""
    plan = Plan(calls_per_second=4)
    for number in range(300):
        plan.event(0.0, f"user-{number}", city("Shenzhen"))

    moments = [at for at, _, users in plan.sent if users == 100]
    interval = 1 / (4 * HEADROOM)
    assert moments == pytest.approx([2.0, 2.0 + interval, 2.0 + 2 * interval], abs=0.03)


def test_a_limit_of_the_app_holds_over_all_endpoints() -> None:
    """The second leaves a second after the first's answer: when it was counted until then, nobody knows yet."""
    plan = Plan(calls_per_second=100, of_app=1)
    plan.event(0.0, "alice", city("Shenzhen"))
    plan.event(0.0, "bob", AddTag("vip"))

    (first, *_), (second, *_) = plan.sent
    assert second - first == pytest.approx(1.5, abs=0.03)


def test_records_that_come_together_are_taken_in_together() -> None:
    """So that they are ready together: as a consumer that polls finds them."""
    plan = Plan(reading=0.05)
    plan.event(0.0, "alice", city("Shenzhen"))
    plan.event(0.04, "bob", city("Shenzhen"))

    assert [users for _, _, users in plan.sent] == [2]


@pytest.mark.parametrize(("confirmed_seconds", "calls"), [(0.0, 2), (60.0, 1)], ids=["off", "on"])
def test_repeats_are_skipped_where_the_service_skips_them(confirmed_seconds: float, calls: int) -> None:
    """Or the plan would count calls that are not made."""
    plan = Plan(confirmed_seconds=confirmed_seconds)
    plan.event(0.0, "alice", city("Shenzhen"))
    plan.event(20.0, "alice", city("Shenzhen"))

    assert len(plan.sent) == calls
    assert plan.figures.skipped == 2 - calls
    assert len(plan.figures.delays) == 2


def test_the_order_of_a_partition_is_never_turned_round() -> None:
    """A time stamp that goes back came with the record before it; other partitions are put between by their time."""
    ignored = Ignored("")
    given = [
        Arrival(5.0, FIRST, 0, 5.0, ignored),
        Arrival(1.0, FIRST, 1, 1.0, ignored),
        Arrival(7.0, FIRST, 2, 7.0, ignored),
        Arrival(6.0, SECOND, 0, 6.0, ignored),
    ]

    found = [
        (arrival.partition.number, arrival.position, arrival.at, arrival.stamped)
        for arrival in in_order(given)
    ]
    assert found == [(0, 0, 5.0, 5.0), (0, 1, 5.0, 1.0), (1, 0, 6.0, 6.0), (0, 2, 7.0, 7.0)]


@pytest.mark.parametrize(
    ("changes", "calls"),
    [
        ((city("A"),), 1),
        ((city("A"), SetAttribute("tier", "gold")), 1),
        ((city("A"), AddTag("vip")), 2),
        ((AddTag("a"), RemoveTag("b"), RemoveAllTags()), 1),
        (tuple(AddTag(str(number)) for number in range(11)), 2),
    ],
    ids=["one", "attributes travel together", "two endpoints", "all tags go first", "ten tags a call"],
)
def test_calls_without_us_are_those_of_each_event_alone(changes: tuple[Change, ...], calls: int) -> None:
    """What the savings are measured against: a program that makes each event's calls at once."""
    assert calls_alone(changes) == calls


def test_every_record_is_counted_by_what_becomes_of_it() -> None:
    """Dead letters with some examples, not with all."""
    plan = Plan()
    plan.event(0.0, "alice", city("Shenzhen"), AddTag("vip"))
    plan.comes(1.0, Ignored("no rule"))
    for number in range(EXAMPLES + 2):
        plan.comes(1.0, Unusable(Cause.MISSING_FIELD, f"field {number} is missing"))
    figures = plan.figures

    assert (figures.records, figures.translated, figures.one_by_one) == (2 + EXAMPLES + 2, 1, 2)
    assert figures.ignored == {"no rule": 1}
    assert figures.unusable == {Cause.MISSING_FIELD: EXAMPLES + 2}
    assert [lost.position for lost in figures.examples[Cause.MISSING_FIELD]] == [2, 3, 4]
    assert figures.changes == {SetAttribute: 1, AddTag: 1}


def test_a_flood_of_dead_letters_is_told_once() -> None:
    """The service would stop reading; the plan reads on, to show the rest."""
    plan = Plan()
    for _ in range(20):
        plan.comes(3.0, Unusable(Cause.UNREADABLE, ""))
    plan.event(4.0, "alice", city("Shenzhen"))

    assert [round(at - START, 1) for at, _ in plan.figures.stops] == [3.0]
    assert plan.sent


def test_users_with_more_tags_than_the_api_stores_are_named() -> None:
    """Tags that were removed again do not count."""
    plan = Plan()
    for number in range(TAGS_PER_USER):
        plan.event(0.0, "alice", AddTag(f"a{number}"))
        plan.event(0.0, "bob", AddTag(f"a{number}"))
    plan.event(0.0, "alice", RemoveTag("a0"), AddTag("b"))
    plan.event(0.0, "bob", AddTag("b"))

    assert plan.figures.users_with_too_many_tags == {"bob"}
