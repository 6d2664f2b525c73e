"""What `audience-sync capacity` reckons, against what the run of docs/performance.json has measured.

The tolerances are those that docs/scale.md states. A part that has not run says nothing.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import pytest

from audience_sync.core.activity import zipf
from audience_sync.core.capacity import MEASURED, Costs, Load, Service, capacity, catching_up
from audience_sync.core.changes import Endpoint
from audience_sync.core.debouncer import DebounceTimes
from benchmarks.document import read
from benchmarks.parts import growth, latency, limited, memory, outage, sizes, throughput

DOCUMENT: Final = read()
T = TypeVar("T")


def figures(name: str, of: type[T]) -> T:
    """What the part has found."""
    if name not in DOCUMENT.parts:
        pytest.skip(f"{name} is not in docs/performance.json")
    return msgspec.convert(DOCUMENT.parts[name], of, str_keys=True)


def times_of_the_wall_count() -> None:
    """Where others used the machine too, only CPU, memory and counts are compared."""
    if not DOCUMENT.machine.quiet:
        pytest.skip(f"others used {DOCUMENT.machine.busy_before:.0%} of the machine when the run began")


def service(*, quiet_seconds: float = 2.0, calls_per_second: float = 100.0, **changed: Any) -> Service:
    """As the benchmark has set it up."""
    given: dict[str, Any] = {
        "times": DebounceTimes(quiet_seconds=quiet_seconds, longest_wait_seconds=30.0, fill_seconds=0.1),
        "calls_per_second": calls_per_second,
        "max_waiting_users": 1_000_000,
        "max_unsettled_records": 100_000,
        "answer_seconds": 0.01,
    }
    return Service(**given | changed)


def of_attributes(users: int, events_per_second: float) -> Load:
    """Each event sets an attribute; users are all alike."""
    return Load(
        activity=zipf(users, events_per_second, 0.0),
        events_per_second=events_per_second,
        touched={Endpoint.SET_ATTRIBUTES: 1.0},
    )


def within(part: float) -> Callable[[float], Any]:
    """Of what is expected, so much more or less."""
    return lambda expected: pytest.approx(expected, rel=part)


def test_an_event_costs_what_is_reckoned_with() -> None:
    """A million events, of which most are folded."""
    measured = figures("throughput", throughput.Figures).by_default
    run = measured.ours[0]
    parts = run.counters.parts / run.events

    expected = (MEASURED.event_seconds + parts * MEASURED.part_seconds) * 1e6
    assert 0.5 * expected <= measured.microseconds_per_event.median <= 2 * expected


def test_a_user_who_is_sent_costs_what_is_reckoned_with() -> None:
    """Each user has one event, and nothing is folded."""
    for one in figures("sizes", sizes.Figures).unfolded:
        parts = one.outcome.counters.parts / one.events
        expected = (MEASURED.event_seconds + parts * MEASURED.part_seconds) * 1e6
        assert 0.5 * expected <= one.microseconds_per_event <= 2 * expected, one.users


def test_users_take_the_memory_that_is_reckoned_with() -> None:
    """All of them waiting, in the whole service."""
    measured = figures("memory", memory.Figures)

    expected = MEASURED.idle_bytes + measured.users * MEASURED.user_bytes
    assert measured.waiting_bytes == within(0.33)(expected)


def test_a_backlog_is_sent_in_the_time_that_is_reckoned() -> None:
    """The documented limit, and every user once: as after an outage."""
    measured = figures("limited", limited.Figures).backlog
    times_of_the_wall_count()
    seconds = 60.0
    load = of_attributes(10**9, measured.users / seconds)  # so many users that none comes twice
    found = catching_up(
        load,
        service(calls_per_second=measured.calls_per_second),
        Costs(event_seconds=1e-9, part_seconds=0.0, idle_bytes=0.0, user_bytes=0.0),
        outage_seconds=seconds,
        replicas=1,
        partitions=24,
    )
    assert found is not None

    # the formula lets events go on meanwhile, and the benchmark does not
    live = load.events_per_second / (97 * measured.calls_per_second)
    assert measured.seconds == within(0.15)(found.sending_seconds * (1 - live))


def test_calls_are_as_full_and_as_many_as_is_reckoned() -> None:
    """A steady stream of users at parts of the limit."""
    for level in figures("latency", latency.Figures).levels:
        traffic = capacity(of_attributes(10**9, level.events_per_second), service(), MEASURED).traffic[
            Endpoint.SET_ATTRIBUTES
        ]
        assert level.users_per_request == within(0.25)(traffic.per_call), level.share_of_the_limit


def test_a_user_is_in_step_after_the_delay_that_is_reckoned() -> None:
    """Half of the users, while the limit suffices."""
    measured = figures("latency", latency.Figures)
    times_of_the_wall_count()
    for level in measured.levels:
        found = capacity(of_attributes(10**9, level.events_per_second), service(), MEASURED)
        assert found.late_seconds == 0
        assert level.p50 == pytest.approx(measured.quiet_seconds + measured.fill_seconds, abs=0.25)


def test_more_processes_share_the_work_and_the_limit() -> None:
    """The reckoning has CPU an event be the same for any number of replicas, and one limit for all of them."""
    measured = figures("growth", growth.Figures)
    alone = min(run.microseconds_per_event for run in measured.unlimited if run.processes == 1)
    for run in measured.unlimited:
        assert run.microseconds_per_event <= 1.6 * alone, run.processes
    for run in measured.limited:
        assert run.refused == 0
        # a replica does not know yet how quick the API is, and may hide a call on its way in its first second
        assert run.most_calls_in_a_second <= measured.limit + run.processes
    times_of_the_wall_count()
    for run in measured.limited:
        assert run.calls_per_second == within(0.1)(0.97 * measured.limit), run.processes


def test_an_outage_is_made_good_in_the_time_that_is_reckoned_and_the_rest_between_two_tries() -> None:
    """What is reckoned begins when the API is back; the service may rest for some seconds before it sees that."""
    measured = figures("outage", outage.Figures)
    times_of_the_wall_count()
    seconds, users = measured.away_seconds, measured.backlog_users
    found = catching_up(
        of_attributes(10**9, users / seconds),
        service(calls_per_second=outage.CALLS_PER_SECOND),
        MEASURED,
        outage_seconds=seconds,
        replicas=1,
        partitions=24,
    )
    assert found is not None

    alone = found.seconds * (1 - users / seconds / (97 * outage.CALLS_PER_SECOND))  # nothing comes meanwhile
    assert 0.95 * alone <= measured.to_in_step <= alone + 35
