"""Ours under different events and before different APIs: what it costs, how full its requests are, who is in step.

Default settings; topics are full before it starts. The first mix is what the others are compared with: it runs again
at the end, and what the two runs differ by is what chance does.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from benchmarks.contestants.ours import Ours
from benchmarks.parts.size import Size
from benchmarks.parts.told import told
from benchmarks.rig import Outcome, Rig
from benchmarks.stub import Behaviour
from benchmarks.workloads import CITY, Spread, Workload

EVENTS: Final = 40_000
USERS: Final = 8_000
LIMIT: Final = 100.0
"""Calls a second for each endpoint, as documented."""


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Events, and how the API behaves."""

    workload: Workload
    meaning: str
    behaviour: Behaviour = msgspec.field(default_factory=Behaviour)
    settings: Mapping[str, str] = {}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one mix."""

    name: str
    meaning: str
    events: int
    users: int
    events_per_second: float
    """Two seconds of quiet and the last commit are in it."""

    microseconds_per_event: float
    times_the_first: float
    """CPU an event ÷ that of the first mix."""

    requests_per_fewest: float
    """Requests ÷ those that would carry it all if each user were folded into one and all were full."""

    users_per_request: float
    most_calls_in_a_second: int
    """Of any endpoint, in any window of a second."""

    refused: int
    users_out_of_step: int
    outcome: Outcome


class Figures(msgspec.Struct, frozen=True):
    """All mixes."""

    mixes: list[Seen]
    users_out_of_step: int


def mixes(events: int, users: int) -> list[Mix]:
    """What is tried."""

    def workload(name: str, spread: Spread = Spread.ZIPF, **other: object) -> Workload:
        return msgspec.convert(
            {"name": name, "events": events, "users": users, "spread": spread, **other}, Workload
        )

    return [
        Mix(workload=workload("zipf"), meaning="few users have most events, many have one"),
        Mix(workload=workload("uniform", Spread.UNIFORM), meaning="every user is as likely as any other"),
        Mix(
            workload=workload("sale", Spread.SALE),
            meaning="a flash sale: users come, do three things, and are gone",
        ),
        Mix(workload=workload("storm", Spread.STORM), meaning="nine events of ten are one user's"),
        Mix(workload=workload("one-kind", kinds=(CITY,)), meaning="one kind of event, the smallest"),
        Mix(
            workload=workload("large", events=max(1, events // 4), event_bytes=4096), meaning="events of 4 KB"
        ),
        Mix(
            workload=workload("catch-up", age_seconds=3600.0),
            meaning="an hour of outage is caught up with: all is ready at once",
        ),
        Mix(
            workload=workload("slow-api"),
            meaning="the API takes 200 ms to answer",
            behaviour=Behaviour(answer_seconds=0.2),
        ),
        Mix(
            workload=workload("limited-api"),
            meaning="the API takes 100 calls a second for each endpoint, and refuses more",
            behaviour=Behaviour(calls_per_second=LIMIT),
            settings={"AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": f"{LIMIT:g}"},
        ),
    ]


def measure(rig: Rig, size: Size) -> Figures:
    """One run each, and the first one again."""
    tried = mixes(*size.of((EVENTS, USERS), quick=(2_000, 1_000)))
    runs = [(mix, run(rig, mix)) for mix in (*tried, tried[0])]
    for mix in tried:
        rig.forget(rig.data(mix.workload))
    first = runs[0][1].microseconds_per_event
    found = [seen(mix, outcome, first) for mix, outcome in runs]
    return Figures(found, sum(each.users_out_of_step for each in found))


def run(rig: Rig, mix: Mix) -> Outcome:
    """One mix through ours."""
    data = rig.data(mix.workload)
    return told(rig.through(Ours(), data, behaviour=mix.behaviour, settings=mix.settings))


def seen(mix: Mix, outcome: Outcome, first: float) -> Seen:
    """The figures of one mix."""
    return Seen(
        name=mix.workload.name,
        meaning=mix.meaning,
        events=outcome.events,
        users=outcome.users,
        events_per_second=outcome.events_per_second,
        microseconds_per_event=outcome.microseconds_per_event,
        times_the_first=outcome.microseconds_per_event / first,
        requests_per_fewest=outcome.requests / outcome.fewest_requests,
        users_per_request=outcome.counters.parts / outcome.requests,
        most_calls_in_a_second=outcome.counters.most_in_a_second,
        refused=sum(outcome.counters.refused.values()),
        users_out_of_step=outcome.out_of_step or 0,
        outcome=outcome,
    )
