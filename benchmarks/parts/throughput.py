"""Events a second and CPU an event, ours divided by the ceiling's: the whole path, from Kafka to committed.

Topics are full before anybody starts, and written anew for each turn: of events that are older than the longest
wait every user would be ready at once, and later turns would have more to send than the first. Ours reads, folds,
sends to the stub until everything is confirmed, and commits until everything is committed; the ceiling reads,
decodes and commits. They take turns.

Twice: the yardstick with settings that send soon, for events a second, since the default settings wait for two
quiet seconds on purpose; and a million events with the default settings, for CPU time.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from benchmarks.contestants.ceiling import Ceiling
from benchmarks.contestants.ours import Ours
from benchmarks.measuring import Spread, spread
from benchmarks.parts.size import Size
from benchmarks.parts.told import told
from benchmarks.rig import Outcome, Rig
from benchmarks.workloads import MILLION, YARDSTICK, Made, made
from benchmarks.workloads import Spread as Users

QUICK: Final = msgspec.structs.replace(YARDSTICK, name="quick", events=5_000, users=2_000, spread=Users.ZIPF)

SOON: Final = {
    "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.2",
    "AUDIENCE_SYNC_KAFKA__COMMIT_INTERVAL_SECONDS": "0.2",
}
"""What a backlog of seconds needs to be timed: the tail of waiting and of the last commit is short."""


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of both, in turns, and what came of them."""

    settings: dict[str, str]
    ours: list[Outcome]
    ceiling: list[Outcome]

    events_per_second: Spread
    ceiling_events_per_second: Spread
    share_of_the_ceiling: Spread
    """Events a second, ours ÷ the ceiling's, turn by turn. Higher is better."""

    microseconds_per_event: Spread
    ceiling_microseconds_per_event: Spread
    times_the_ceilings_cpu: Spread
    """CPU an event, ours ÷ the ceiling's, turn by turn. Lower is better."""

    users_out_of_step: int
    requests_per_fewest: Spread


class Figures(msgspec.Struct, frozen=True):
    """Both."""

    soon: Turns
    by_default: Turns
    contestants: dict[str, str]
    """{name: how it is configured}."""


def measure(rig: Rig, size: Size) -> Figures:
    """Let both work in turns."""
    yardstick = made(size.of(YARDSTICK, quick=QUICK))
    soon = in_turns(rig, yardstick, turns=size.of(2, quick=1), settings=SOON, size=size)
    million = made(size.of(MILLION, quick=msgspec.structs.replace(QUICK, name="quick-million", seed=2)))
    by_default = in_turns(rig, million, turns=size.of(2, quick=1), settings={}, size=size)
    return Figures(soon, by_default, {each.name: each.configuration for each in (Ours(), Ceiling())})


def in_turns(rig: Rig, work: Made, *, turns: int, settings: Mapping[str, str], size: Size) -> Turns:
    """Ours, the ceiling, ours, the ceiling ..."""
    ours, ceiling = [], []
    for number in range(turns):
        profile = size.profile_folder
        file = None if profile is None else profile / f"throughput-{work.workload.name}-{number}.pyisession"
        with rig.written_anew(work) as young:
            ours.append(told(rig.through(Ours(profile=file), young, settings=settings)))
            ceiling.append(told(rig.through(Ceiling(), young, settings=settings)))
    pairs = list(zip(ours, ceiling, strict=True))
    return Turns(
        settings=dict(settings),
        ours=ours,
        ceiling=ceiling,
        events_per_second=spread([each.events_per_second for each in ours]),
        ceiling_events_per_second=spread([each.events_per_second for each in ceiling]),
        share_of_the_ceiling=spread([one.events_per_second / top.events_per_second for one, top in pairs]),
        microseconds_per_event=spread([each.microseconds_per_event for each in ours]),
        ceiling_microseconds_per_event=spread([each.microseconds_per_event for each in ceiling]),
        times_the_ceilings_cpu=spread(
            [one.microseconds_per_event / top.microseconds_per_event for one, top in pairs]
        ),
        users_out_of_step=sum(each.out_of_step or 0 for each in ours),
        requests_per_fewest=spread([each.requests / each.fewest_requests for each in ours]),
    )
