"""Ours under different events and before different APIs: what it costs, how full its requests are, who is in step.

Default settings; topics are full before it starts. All mixes take turns, twice.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from benchmarks.contestants.ours import Ours
from benchmarks.measuring import Spread, spread
from benchmarks.parts.size import Size
from benchmarks.parts.told import told
from benchmarks.rig import Outcome, Rig
from benchmarks.stub import Behaviour
from benchmarks.workloads import CITY, Workload
from benchmarks.workloads import Spread as Users

EVENTS: Final = 100_000
USERS: Final = 20_000
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

    meaning: str
    events: int
    users: int
    events_per_second: Spread
    microseconds_per_event: Spread
    requests_per_fewest: Spread
    """Requests ÷ those that would carry it all if each user were folded into one and all were full."""

    users_per_request: Spread
    most_calls_in_a_second: int
    """Of any endpoint, in any window of a second."""

    refused: int
    users_out_of_step: int
    outcomes: list[Outcome]


class Figures(msgspec.Struct, frozen=True):
    """All mixes."""

    mixes: dict[str, Seen]
    users_out_of_step: int


def mixes(events: int, users: int) -> list[Mix]:
    """What is tried."""

    def workload(name: str, spread: Users = Users.ZIPF, **other: object) -> Workload:
        return msgspec.convert(
            {"name": name, "events": events, "users": users, "spread": spread, **other}, Workload
        )

    return [
        Mix(workload=workload("zipf"), meaning="few users have most events, many have one"),
        Mix(workload=workload("uniform", Users.UNIFORM), meaning="every user is as likely as any other"),
        Mix(
            workload=workload("sale", Users.SALE),
            meaning="a flash sale: users come, do three things, and are gone",
        ),
        Mix(workload=workload("storm", Users.STORM), meaning="nine events of ten are one user's"),
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
    """All mixes in turns."""
    tried = mixes(*size.of((EVENTS, USERS), quick=(2_000, 1_000)))
    outcomes: dict[str, list[Outcome]] = {mix.workload.name: [] for mix in tried}
    for _ in range(size.of(2, quick=1)):
        for mix in tried:
            # the same events before another API are the same data, by another name
            data = rig.data(mix.workload)
            outcome = rig.through(Ours(), data, behaviour=mix.behaviour, settings=mix.settings)
            outcomes[mix.workload.name].append(told(outcome))
    for mix in tried:
        rig.forget(rig.data(mix.workload))
    found = {mix.workload.name: seen(mix, outcomes[mix.workload.name]) for mix in tried}
    return Figures(found, sum(each.users_out_of_step for each in found.values()))


def seen(mix: Mix, outcomes: list[Outcome]) -> Seen:
    """The figures of one mix."""
    return Seen(
        meaning=mix.meaning,
        events=mix.workload.events,
        users=outcomes[0].users,
        events_per_second=spread([each.events_per_second for each in outcomes]),
        microseconds_per_event=spread([each.microseconds_per_event for each in outcomes]),
        requests_per_fewest=spread([each.requests / each.fewest_requests for each in outcomes]),
        users_per_request=spread([each.counters.parts / each.requests for each in outcomes]),
        most_calls_in_a_second=max(each.counters.most_in_a_second for each in outcomes),
        refused=sum(sum(each.counters.refused.values()) for each in outcomes),
        users_out_of_step=sum(each.out_of_step or 0 for each in outcomes),
        outcomes=outcomes,
    )
