"""The API is the bottleneck: how well the service uses the calls it has.

Two runs. In the first a backlog of users who all have to be sent meets the documented limit, so every call counts
for its pace and how full it is. In the second a stream brings more than a lower limit carries, on attributes and
tags, and what is sent is compared with the offline model of the same debounce (`benchmarks.ideal`).
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

import msgspec

from audience_sync.core.pace import HEADROOM
from benchmarks.contestants.ours import Ours
from benchmarks.ideal import Debounce, Happening, Ideal, Kind, Sent, Word
from benchmarks.live import looked_at, produced, stream_of, until_settled, working
from benchmarks.parts.size import Size
from benchmarks.producer import Due, events_of
from benchmarks.rig import Chat, Rig
from benchmarks.stub import Behaviour, Counters
from benchmarks.workloads import CITY, MEMBERSHIP, Spread, Workload, out_of_step

CALLS: Final = "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND"
QUIET_SECONDS: Final = 2.0
LONGEST_WAIT_SECONDS: Final = 30.0
FILL_SECONDS: Final = 0.1
"""The settings' defaults; given by name, so that they and the model are the same."""

SETTINGS: Final = {
    "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": str(QUIET_SECONDS),
    "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": str(LONGEST_WAIT_SECONDS),
    "AUDIENCE_SYNC_DEBOUNCE__FILL_SECONDS": str(FILL_SECONDS),
}
OF_KIND: Final = {
    Kind.REMOVE_TAGS: "im_remove_tag",
    Kind.ADD_TAGS: "im_add_tag",
    Kind.SET_ATTRIBUTES: "im_set_attr",
}

BACKLOG: Final = Workload(
    name="backlog",
    events=120_000,
    users=120_000,
    spread=Spread.ONCE,
    kinds=(MEMBERSHIP, CITY),
    age_seconds=60.0,
)
CROWD: Final = Workload(name="crowd", events=60_000, users=20_000, spread=Spread.UNIFORM)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What one endpoint got."""

    calls: int
    parts: int
    """Users in its calls, each as often as he was named."""

    fewest_calls: int
    """If each had carried 100 users."""

    ideal_parts: int | None
    """What the model sends; None where there is no model."""

    ideal_calls: int | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    workload: str
    events: int
    users: int
    calls_per_second: float
    """The API's limit for each endpoint, as the service was told it."""

    endpoints: dict[str, Endpoint]
    requests_over_fewest: float
    users_per_request: float
    refused_share: float
    """Calls refused for their rate ÷ calls."""

    pace_used: float
    """Of the endpoint with the most calls: calls a second ÷ the configured pace (0.97 of the limit), between the
    first tenth of its calls and the last."""

    parts_over_ideal: float | None
    requests_over_ideal: float | None
    """The same of calls. The model's are not all full: who is in line for a second kind of call comes from the first,
    no faster than that one is made."""

    most_in_a_second: int
    out_of_step: int
    seconds: float
    """From the first confirmation to the last."""

    cpu_seconds: float
    """Of our process; as much as `seconds`, and the processor was the bottleneck."""

    late_seconds: float | None = None
    """By how much the latest event of a stream was late: much more than a second, and the machine was too slow."""


class Figures(msgspec.Struct, frozen=True):
    """Both."""

    backlog: Run
    crowd: Run


def measure(rig: Rig, size: Size) -> Figures:
    """One after the other."""
    return Figures(
        backlog=told(_backlog(rig, size.of(BACKLOG, quick=_less(BACKLOG)), calls_per_second=100.0)),
        crowd=told(
            _crowd(
                rig,
                size.of(CROWD, quick=_less(CROWD)),
                events_per_second=size.of(5_000.0, quick=1_000.0),
                calls_per_second=size.of(10.0, quick=2.0),
            )
        ),
    )


def _less(workload: Workload) -> Workload:
    return msgspec.structs.replace(workload, events=3_000, users=min(workload.users, 1_000))


def _backlog(rig: Rig, workload: Workload, *, calls_per_second: float) -> Run:
    data = rig.data(workload)
    with rig.chat(Behaviour(calls_per_second=calls_per_second)) as chat:
        task = rig.task(data.topics, chat, SETTINGS | {CALLS: str(calls_per_second)})
        ours = Ours()
        with looked_at(lambda: chat.counters().requests) as seen, rig.started(ours, task) as process:
            rig.when_it_begins(ours, task, process)
            until_settled(rig, task, process, most_seconds=300)
            cpu = process.used().cpu_seconds
        run = _run(workload, chat, seen, data.made.truth, None, calls_per_second, cpu)
    rig.forget(data)
    return run


def _crowd(rig: Rig, workload: Workload, *, events_per_second: float, calls_per_second: float) -> Run:
    settings = SETTINGS | {CALLS: str(calls_per_second)}
    with (
        rig.chat(Behaviour(calls_per_second=calls_per_second)) as chat,
        working(rig, chat, settings=settings) as (task, process),
        looked_at(lambda: chat.counters().requests) as seen,
    ):
        stream = stream_of(rig, task, workload, events_per_second=events_per_second)
        late = produced(rig, stream).late_seconds
        until_settled(rig, task, process, most_seconds=300)
        cpu = process.used().cpu_seconds
        events, truth = events_of(stream)
        run = _run(workload, chat, seen, truth, ideal(events, calls_per_second), calls_per_second, cpu)
        return msgspec.structs.replace(run, late_seconds=late)


def ideal(events: Sequence[Due], calls_per_second: float) -> dict[Kind, Sent]:
    """What the model sends, at the pace that the service is set to."""
    times = Debounce(QUIET_SECONDS, LONGEST_WAIT_SECONDS, FILL_SECONDS, HEADROOM * calls_per_second)
    return Ideal(times).sent(
        Happening(at, key.decode(), words_of(kind, value)) for at, (kind, key, value) in events
    )


def words_of(kind: str, value: bytes) -> dict[str, Word]:
    """What an event of the workload says of its user, read from its bytes."""
    event = msgspec.json.decode(value)
    if kind == CITY:
        return {"city": event["city"]}
    if kind == MEMBERSHIP:
        return {"membership": event["data"]["tier"]}
    return {f"stock:{event['data']['symbol']}": event["type"].endswith(".followed")}


def _run(
    workload: Workload,
    chat: Chat,
    seen: Sequence[tuple[float, Mapping[str, int]]],
    truth: Mapping[str, Any],
    model: Mapping[Kind, Sent] | None,
    calls_per_second: float,
    cpu_seconds: float,
) -> Run:
    counters, state = chat.counters(), chat.state()
    endpoints = {
        name: _endpoint(counters, name, None if model is None else model[kind])
        for kind, name in OF_KIND.items()
    }
    calls = sum(each.calls for each in endpoints.values())
    parts = sum(each.parts for each in endpoints.values())
    busiest = max(endpoints, key=lambda name: endpoints[name].calls)
    assert counters.first_at is not None
    assert counters.last_at is not None
    return Run(
        workload=workload.name,
        events=workload.events,
        users=len(truth),
        calls_per_second=calls_per_second,
        endpoints=endpoints,
        requests_over_fewest=calls / sum(each.fewest_calls for each in endpoints.values()),
        users_per_request=parts / calls,
        refused_share=sum(counters.refused.values()) / calls,
        pace_used=pace_used([(at, requests.get(busiest, 0)) for at, requests in seen])
        / (HEADROOM * calls_per_second),
        parts_over_ideal=None if model is None else parts / sum(each.parts for each in model.values()),
        requests_over_ideal=None if model is None else calls / sum(each.calls for each in model.values()),
        cpu_seconds=cpu_seconds,
        most_in_a_second=counters.most_in_a_second,
        out_of_step=out_of_step(truth, state),
        seconds=counters.last_at - counters.first_at,
    )


def _endpoint(counters: Counters, name: str, model: Sent | None) -> Endpoint:
    parts = sum(users * calls for users, calls in counters.users_per_request.get(name, {}).items())
    return Endpoint(
        calls=counters.requests.get(name, 0),
        parts=parts,
        fewest_calls=ceil(parts / 100),
        ideal_parts=None if model is None else model.parts,
        ideal_calls=None if model is None else model.calls,
    )


def pace_used(seen: Sequence[tuple[float, int]]) -> float:
    """Calls a second, between the first tenth of all calls and the last: (moment, calls so far), oldest first."""
    most = seen[-1][1]
    inside = [(at, calls) for at, calls in seen if 0.1 * most <= calls <= 0.9 * most]
    if len(inside) < 2:
        return 0.0
    (began, first), (ended, last) = inside[0], inside[-1]
    return (last - first) / (ended - began)


def told(run: Run) -> Run:
    """The run, printed in a line."""
    model = (
        ""
        if run.parts_over_ideal is None
        else f"of the model's parts {run.parts_over_ideal:.3f} and calls {run.requests_over_ideal:.3f}, "
    )
    print(
        f"  {run.workload:8} requests ÷ fewest {run.requests_over_fewest:.3f}, {run.users_per_request:.1f} users a "
        f"request, refused {run.refused_share:.2%}, pace used {run.pace_used:.3f}, {model}"
        f"{run.out_of_step} users out of step, {run.seconds:.1f} s",
        flush=True,
    )
    return run
