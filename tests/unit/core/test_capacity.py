"""What a load takes, against the service's own planner on made-up events, and against itself."""

import math
import random
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from audience_sync.core.activity import zipf
from audience_sync.core.capacity import (
    MEASURED,
    Load,
    Service,
    capacity,
    catching_up,
    late_seconds,
    most_users_per_second,
    quiet_seconds_that_suffice,
    users_per_second,
)
from audience_sync.core.changes import AddTag, Change, Endpoint, SetAttribute, UserId
from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.event import Translated
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.plan_figures import Figures
from audience_sync.core.planner import Arrival, Assumed, Planner

TIMES: Final = DebounceTimes(quiet_seconds=2.0, longest_wait_seconds=30.0, fill_seconds=0.1)
SERVICE: Final = Service(
    times=TIMES,
    calls_per_second=100.0,
    max_waiting_users=1_000_000,
    max_unsettled_records=100_000,
    answer_seconds=0.1,
)
TOUCHED: Final = {Endpoint.SET_ATTRIBUTES: 0.7, Endpoint.ADD_TAGS: 0.3}


def load(users: int, events_per_second: float, exponent: float = 0.0) -> Load:
    """Seven events of ten set an attribute, three add a tag."""
    return Load(
        activity=zipf(users, events_per_second, exponent),
        events_per_second=events_per_second,
        touched=TOUCHED,
    )


def service(**changed: Any) -> Service:
    """As it is by default, but for some things."""
    return msgspec.structs.replace(SERVICE, **changed)


class FromSomeTimeOn(Figures):
    """Counts once the first users have been waiting for long enough: users a second, and delays."""

    def __init__(self, begin: float) -> None:
        super().__init__()
        self._begin = begin
        self.users: dict[Endpoint, int] = dict.fromkeys(TOUCHED, 0)

    def cut(self, request: Any, *, at: float, ready: int) -> None:
        """A request would leave."""
        super().cut(request, at=at, ready=ready)
        if at >= self._begin:
            self.users[request.endpoint] += len(request.parts)

    def settled(self, ended: Any, *, at: float) -> None:
        """A user's round would be confirmed."""
        if at >= self._begin:
            super().settled(ended, at=at)


def planned(
    users: int,
    events_per_second: float,
    exponent: float,
    *,
    seconds: float,
    calls_per_second: float,
    attributes: float = 0.7,
) -> FromSomeTimeOn:
    """What the planner does with such events, made by chance; counted in the second half."""
    figures = FromSomeTimeOn(seconds / 2)
    planner = Planner(
        Assumed(
            times=TIMES,
            calls_per_second=calls_per_second,
            most_in_flight=32,
            dead_letters_per_minute=1000,
            answer_seconds=0.1,
        ),
        watch=figures,
    )
    for arrival in arrivals(users, events_per_second, exponent, seconds, attributes):
        planner.take(arrival)
    planner.run_until(seconds)
    return figures


def arrivals(
    users: int, events_per_second: float, exponent: float, seconds: float, attributes: float
) -> Iterator[Arrival]:
    """Events at random moments, of users by their weights."""
    chance = random.Random(11)
    weights = [rank**-exponent for rank in range(1, users + 1)]
    number = int(events_per_second * seconds)
    whose = chance.choices(range(users), weights, k=number)
    moments = sorted(chance.uniform(0, seconds) for _ in range(number))
    for position, (user, at) in enumerate(zip(whose, moments, strict=True)):
        change: Change = (
            SetAttribute("city", "Shenzhen") if chance.random() < attributes else AddTag("stock:1")
        )
        yield Arrival(
            at=at,
            partition=PartitionKey("t", 0),
            position=position,
            stamped=at,
            came=Translated(UserId(f"user-{user}"), (change,), False, None),
        )


@pytest.mark.parametrize(
    ("users", "rate", "exponent"), [(2000, 200.0, 0.0), (2000, 400.0, 1.0), (300, 300.0, 0.8)]
)
def test_as_many_users_are_sent_as_by_the_planner(users: int, rate: float, exponent: float) -> None:
    """Without a limit: what folding leaves, an endpoint."""
    seconds = 120.0
    found = planned(users, rate, exponent, seconds=seconds, calls_per_second=100.0)

    for endpoint in TOUCHED:
        expected = users_per_second(load(users, rate, exponent), SERVICE, endpoint)
        assert found.users[endpoint] / (seconds / 2) == pytest.approx(expected, rel=0.1), endpoint


def test_users_are_as_late_as_by_the_planner() -> None:
    """Where the limit does not suffice: half of what is wanted."""
    incoming = msgspec.structs.replace(load(4000, 400.0), touched={Endpoint.SET_ATTRIBUTES: 1.0})
    found = planned(4000, 400.0, 0.0, seconds=400.0, calls_per_second=1.0, attributes=1.0)

    late = late_seconds(incoming, service(calls_per_second=1.0))
    [half] = found.delay_at(0.5)
    assert late > 10.0
    assert late + TIMES.quiet_seconds == pytest.approx(half, rel=0.1)


def test_a_limit_that_suffices_delays_nobody() -> None:
    """And each endpoint has room."""
    found = capacity(load(100_000, 1000.0), SERVICE, MEASURED)

    assert found.late_seconds == 0
    assert all(traffic.suffices for traffic in found.traffic.values())
    assert found.replicas == found.wanted_replicas == 1
    assert found.bytes_per_replica == pytest.approx(
        MEASURED.idle_bytes + found.waiting_users * MEASURED.user_bytes
    )


def test_users_are_late_until_what_is_sent_is_what_the_limit_allows() -> None:
    """No more and no less."""
    incoming = load(10_000_000, 100_000.0)

    late = late_seconds(incoming, SERVICE)
    sent = max(users_per_second(incoming, SERVICE, endpoint, late) for endpoint in TOUCHED)

    assert sent == pytest.approx(most_users_per_second(SERVICE), rel=0.001)


def test_too_few_partitions_make_users_ever_later() -> None:
    """Reading stops before enough is folded; with as many as it takes it does not."""
    incoming = load(10_000_000, 100_000.0)
    enough = capacity(incoming, SERVICE, MEASURED).partitions

    assert capacity(incoming, service(partitions=24), MEASURED).late_seconds == math.inf
    assert capacity(incoming, service(partitions=enough), MEASURED).late_seconds < math.inf


def test_the_limit_of_the_whole_app_counts_too() -> None:
    """Each endpoint has room, and all together have none."""
    incoming = load(1_000_000, 10_000.0)

    assert late_seconds(incoming, SERVICE) == 0
    assert late_seconds(incoming, service(calls_per_second_of_app=80.0)) > 0


def test_a_longer_quiet_time_helps_where_users_come_again() -> None:
    """As much as is told, and no less."""
    incoming = load(50_000, 50_000.0)
    limited = service(calls_per_second=20.0)
    quiet = quiet_seconds_that_suffice(incoming, limited, 600.0)
    assert quiet is not None
    assert quiet > TIMES.quiet_seconds

    def late(seconds: float) -> float:
        times = DebounceTimes(
            quiet_seconds=seconds, longest_wait_seconds=max(30.0, seconds), fill_seconds=0.1
        )
        return late_seconds(incoming, msgspec.structs.replace(limited, times=times))

    assert late(quiet * 1.01) == 0
    assert late(quiet * 0.9) > 0


def test_no_quiet_time_helps_where_there_are_too_many_users() -> None:
    """A hundred million take three hours, however long each is gathered for."""
    assert quiet_seconds_that_suffice(load(10**8, 1e6), SERVICE, 600.0) is None


@pytest.mark.parametrize("factor", [2, 10])
def test_more_events_take_more_replicas(factor: int) -> None:
    """In proportion to CPU, where nothing else counts."""
    few = capacity(load(10_000, 100_000.0, 1.0), SERVICE, MEASURED)
    many = capacity(load(10_000, 100_000.0 * factor, 1.0), SERVICE, MEASURED)

    assert many.cores > 0.8 * factor * few.cores
    assert many.wanted_replicas == math.ceil(many.cores / 0.7)


def test_more_waiting_users_than_a_replica_takes_are_shared() -> None:
    """By the setting that bounds them."""
    found = capacity(load(10_000_000, 100_000.0), SERVICE, MEASURED)

    assert found.waiting_users > 5_000_000
    assert found.replicas >= math.ceil(found.waiting_users / SERVICE.max_waiting_users)


def test_an_outage_is_made_good_sooner_the_more_can_be_folded() -> None:
    """Partitions are what bounds how much is unsettled at once."""
    incoming = load(1_000_000, 10_000.0)

    def seconds(partitions: int, minutes: float) -> float:
        found = catching_up(
            incoming, SERVICE, MEASURED, outage_seconds=60 * minutes, replicas=2, partitions=partitions
        )
        assert found is not None
        return found.sending_seconds

    assert seconds(240, 30.0) < seconds(24, 30.0)
    assert seconds(24, 60.0) == pytest.approx(2 * seconds(24, 30.0), rel=0.01)
    everybody = incoming.activity.distinct(1800.0, 0.7) / most_users_per_second(SERVICE)
    assert seconds(240, 30.0) == pytest.approx(everybody, rel=0.1)


def test_an_outage_is_never_made_good_where_nothing_is_left() -> None:
    """By the API, or by the machine."""
    args: dict[str, Any] = {"outage_seconds": 600.0, "partitions": 1000}
    assert catching_up(load(10**7, 1e5), SERVICE, MEASURED, replicas=100, **args) is None
    assert catching_up(load(1000, 1e6, 1.0), SERVICE, MEASURED, replicas=1, **args) is None
