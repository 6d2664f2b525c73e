"""How many replicas and partitions a load takes, whether the API's limit suffices, and how late users are if not.

All of it is arithmetic on means; `docs/scale.md` derives it. Nothing here knows a clock or a network.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from audience_sync.core.activity import Activity, gathering_seconds
from audience_sync.core.changes import Endpoint
from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.pace import HEADROOM

BUSY: Final = 0.7
"""So much of its core a replica is planned to use. Ours: what is left is for rebalances, and for catching up."""


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What the work takes of a machine, as it was measured on one."""

    event_seconds: float
    """CPU to read, decode, fold and settle an event."""

    part_seconds: float
    """CPU to send one user's part of a request."""

    idle_bytes: float
    """Memory of a replica for whom nobody waits."""

    user_bytes: float
    """Memory of a waiting user."""


MEASURED: Final = Costs(event_seconds=15e-6, part_seconds=28e-6, idle_bytes=110e6, user_bytes=750.0)
"""On one core of a small machine, as in docs/performance.json: see `tests/docs/test_capacity_measured.py`."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """How the service and its topics are set up. partitions: of all topics together; None: as many as it takes."""

    times: DebounceTimes
    calls_per_second: float
    calls_per_second_of_app: float | None = None
    max_waiting_users: int
    max_unsettled_records: int
    answer_seconds: float = 0.1
    partitions: int | None = None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What comes in. touched: of each endpoint, the part of the events that change something there."""

    activity: Activity
    events_per_second: float
    touched: Mapping[Endpoint, float]


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """What one endpoint gets. users_per_second: how many users' parts; per_call: how many of them a request."""

    users_per_second: float
    calls_per_second: float
    per_call: float
    suffices: bool
    """Whether its limit, and the one of the whole app, allow it without delay."""


class Catching(msgspec.Struct, frozen=True, kw_only=True):
    """How an outage is made good. Of the two times the longer one counts: reading and sending go on together."""

    reading_seconds: float
    sending_seconds: float
    bytes_per_replica: float

    @property
    def seconds(self) -> float:
        """From the end of the outage until everybody is in step."""
        return max(self.reading_seconds, self.sending_seconds)


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """What a load takes. Numbers of a service that keeps up, or that is late and stays as late as it is."""

    replicas: int
    """As many as are needed, or as partitions give work to."""

    wanted_replicas: int
    cores: float
    """CPU seconds a second, of all replicas."""

    partitions: int
    """Of all topics together: so that each replica has one, and that none reaches its bound."""

    late_seconds: float
    """How long a ready user waits for the API. 0: its limit suffices; infinity: ever longer."""

    traffic: Mapping[Endpoint, Traffic]
    waiting_users: float
    bytes_per_replica: float


def capacity(load: Load, service: Service, costs: Costs, *, busy: float = BUSY) -> Capacity:
    """What *load* takes. *busy*: how much of its core a replica may use."""
    late = late_seconds(load, service)
    bound = late if late < math.inf else _window_seconds(load, service)
    waiting = _waiting_users(load, service, bound)
    wanted = {endpoint: users_per_second(load, service, endpoint, bound) for endpoint in load.touched}
    sent = {endpoint: min(wanted[endpoint], most_users_per_second(service)) for endpoint in wanted}
    cores = load.events_per_second * costs.event_seconds + sum(sent.values()) * costs.part_seconds
    replicas = max(1, math.ceil(cores / busy), math.ceil(waiting / service.max_waiting_users))
    unsettled = unsettled_records(load, service, bound)
    partitions = service.partitions or max(replicas, math.ceil(unsettled / service.max_unsettled_records))
    return Capacity(
        replicas=min(replicas, partitions),
        wanted_replicas=replicas,
        cores=cores,
        partitions=partitions,
        late_seconds=late,
        traffic={endpoint: _traffic(service, load, endpoint, sent[endpoint], replicas) for endpoint in sent},
        waiting_users=waiting,
        bytes_per_replica=costs.idle_bytes + waiting / replicas * costs.user_bytes,
    )


def late_seconds(load: Load, service: Service) -> float:
    """How long users wait for the API beyond the gathering; 0 if its limit suffices, infinity if it never does.

    A user who waits goes on absorbing changes, so the longer users wait the less is sent. They wait for as long as it
    takes until what is sent is what the limit allows; unless reading must stop before, at its bounds.
    """
    if _fits(load, service, 0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not _fits(load, service, high):
        low, high = high, high * 2
        if high > 1e9:
            return math.inf
    late = _first(lambda seconds: _fits(load, service, seconds), low, high)
    return late if late <= _window_seconds(load, service) else math.inf


def users_per_second(load: Load, service: Service, endpoint: Endpoint, late: float = 0.0) -> float:
    """How many users' parts the endpoint gets, if a ready user waits for *late* seconds."""
    part, times = load.touched[endpoint], service.times
    total = 0.0
    for group in load.activity.groups:
        rate = group.events_per_second
        gathering = late + gathering_seconds(
            rate, quiet_seconds=times.quiet_seconds, longest_wait_seconds=times.longest_wait_seconds
        )
        touched = 1 - (1 - part) * math.exp(-rate * part * gathering)
        total += group.users * touched * rate / (1 + rate * gathering)
    return total


def unsettled_records(load: Load, service: Service, late: float) -> float:
    """How many records are read and not settled: a user's mark may be as old as the longest wait, and *late*."""
    return load.events_per_second * (service.times.longest_wait_seconds + late)


def most_users_per_second(service: Service) -> float:
    """What one endpoint's limit allows, in full requests."""
    return HEADROOM * service.calls_per_second * USERS_PER_REQUEST


def catching_up(
    load: Load, service: Service, costs: Costs, *, outage_seconds: float, replicas: int, partitions: int
) -> Catching | None:
    """How an outage of the service or of the API is made good; None: never, for nothing is left to do it with.

    What has piled up is folded as far as the bounds allow it to be unsettled at once. While it is sent, events go on.
    """
    backlog = load.events_per_second * outage_seconds
    at_once = min(outage_seconds, partitions * service.max_unsettled_records / load.events_per_second)
    most_users = replicas * service.max_waiting_users
    if load.activity.distinct(at_once) > most_users:
        at_once = _first(lambda seconds: load.activity.distinct(seconds) >= most_users, 0.0, at_once)
    # so many parts stand for a second of events, if events of such a time are folded together
    parts = [load.activity.distinct(at_once, part) / at_once for part in load.touched.values()]
    rates = [(each, most_users_per_second(service)) for each in parts]
    if service.calls_per_second_of_app is not None:
        rates.append((sum(parts), HEADROOM * service.calls_per_second_of_app * USERS_PER_REQUEST))
    event = costs.event_seconds + sum(parts) / load.events_per_second * costs.part_seconds
    spare = replicas / event - load.events_per_second
    if spare <= 0 or any(each >= most for each, most in rates) or not _fits(load, service, 0.0):
        return None
    return Catching(
        reading_seconds=backlog / spare,
        sending_seconds=max(outage_seconds * each / (most - each) for each, most in rates),
        bytes_per_replica=costs.idle_bytes + load.activity.distinct(at_once) / replicas * costs.user_bytes,
    )


def quiet_seconds_that_suffice(load: Load, service: Service, most: float) -> float | None:
    """The shortest quiet time that suffices, the longest wait not below it; None: none up to *most* seconds."""

    def suffices(quiet: float) -> bool:
        longest = max(quiet, service.times.longest_wait_seconds)
        times = msgspec.structs.replace(service.times, quiet_seconds=quiet, longest_wait_seconds=longest)
        return _fits(load, msgspec.structs.replace(service, times=times), 0.0)

    return _first(suffices, service.times.quiet_seconds, most) if suffices(most) else None


def _fits(load: Load, service: Service, late: float) -> bool:
    each = [users_per_second(load, service, endpoint, late) for endpoint in load.touched]
    of_app = service.calls_per_second_of_app
    return max(each, default=0.0) <= most_users_per_second(service) and (
        of_app is None or sum(each) <= HEADROOM * of_app * USERS_PER_REQUEST
    )


def _window_seconds(load: Load, service: Service) -> float:
    """How long a ready user may wait before reading stops at its bound; no partitions given: as long as he must."""
    if service.partitions is None:
        return math.inf
    unsettled = service.partitions * service.max_unsettled_records / load.events_per_second
    return max(0.0, unsettled - service.times.longest_wait_seconds)


def _waiting_users(load: Load, service: Service, late: float) -> float:
    total = 0.0
    for group in load.activity.groups:
        rate, times = group.events_per_second, service.times
        waits = (
            late
            + service.answer_seconds
            + gathering_seconds(
                rate, quiet_seconds=times.quiet_seconds, longest_wait_seconds=times.longest_wait_seconds
            )
        )
        total += group.users * rate * waits / (1 + rate * waits)
    return total


def _traffic(service: Service, load: Load, endpoint: Endpoint, users: float, replicas: int) -> Traffic:
    """Each replica fills requests of its own: for the fill time, or for as long as the pace makes them wait."""
    filled = min(USERS_PER_REQUEST, 1 + users / replicas * service.times.fill_seconds)
    calls = min(users / filled, HEADROOM * service.calls_per_second)
    return Traffic(
        users_per_second=users,
        calls_per_second=calls,
        per_call=users / calls if calls else 0.0,
        suffices=users_per_second(load, service, endpoint) <= most_users_per_second(service),
    )


def _first(holds: Callable[[float], bool], low: float, high: float) -> float:
    """About the smallest value from *low* to *high* for which it holds; it does for *high*, and for all above it."""
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
