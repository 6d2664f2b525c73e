"""From an event to its confirmation, at parts of one endpoint's limit, with the default settings.

Events come at a steady rate from a process of their own, each of another user and each with one attribute, so that
nothing is folded and every event is confirmed by itself. Each carries the moment at which it was due; the stub notes
when it has confirmed it. Nothing is left out: neither the first second nor what the producer was late by.
"""

from collections.abc import Sequence
from math import ceil
from typing import Final

import msgspec

from benchmarks.live import produced, stream_of, until_settled, working
from benchmarks.parts.size import Size
from benchmarks.producer import events_of
from benchmarks.rig import BenchmarkError, Rig
from benchmarks.stub import Behaviour
from benchmarks.workloads import CITY, Spread, Workload, out_of_step

CALLS_PER_SECOND: Final = 100.0
USERS_PER_SECOND: Final = CALLS_PER_SECOND * 100
LEVELS: Final = (0.1, 0.5, 0.9)
SECONDS: Final = 12.0

QUIET_SECONDS: Final = 2.0
FILL_SECONDS: Final = 0.1
"""The settings' defaults, given by name."""

GOAL_SECONDS: Final = QUIET_SECONDS + FILL_SECONDS + 0.25
"""What 99 of a hundred events are to stay below at half of the limit."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One rate. Delays are in seconds, from the moment at which an event was due."""

    share_of_the_limit: float
    events_per_second: float
    events: int
    confirmed: int
    p50: float
    p90: float
    p99: float
    longest: float
    beyond_the_wait_p50: float
    """What the median has above the quiet time, which is waited on purpose."""

    beyond_the_wait_p99: float
    users_per_request: float
    refused: int
    out_of_step: int
    producer_late_seconds: float
    """By how much the latest event was late at the producer: part of the delays, and not ours."""

    cpu_share: float
    """Our process: CPU seconds a second of the stream."""


class Figures(msgspec.Struct, frozen=True):
    """All levels, and what the one in the middle is to stay below."""

    quiet_seconds: float
    fill_seconds: float
    goal_p99_at_half: float
    levels: list[Level]


def measure(rig: Rig, size: Size) -> Figures:
    """One level after the other, each with a service of its own."""
    seconds = size.of(SECONDS, quick=1.0)
    levels = [told(_level(rig, share, seconds)) for share in size.of(LEVELS, quick=LEVELS[:1])]
    return Figures(QUIET_SECONDS, FILL_SECONDS, GOAL_SECONDS, levels)


def _level(rig: Rig, share: float, seconds: float) -> Level:
    rate = share * USERS_PER_SECOND
    count = round(rate * seconds)
    workload = Workload(name="steady", events=count, users=count, spread=Spread.ONCE, kinds=(CITY,))
    settings = {
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": str(QUIET_SECONDS),
        "AUDIENCE_SYNC_DEBOUNCE__FILL_SECONDS": str(FILL_SECONDS),
        "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": str(CALLS_PER_SECOND),
    }
    behaviour = Behaviour(calls_per_second=CALLS_PER_SECOND, keeps_moments=True)
    with rig.chat(behaviour) as chat, working(rig, chat, settings=settings) as (task, process):
        stream = stream_of(rig, task, workload, events_per_second=rate)
        before = process.used()
        late = produced(rig, stream).late_seconds
        until_settled(rig, task, process, most_seconds=120)
        cpu = (process.used() - before).cpu_seconds
        _, truth = events_of(stream)
        delays = sorted(confirmed - at for confirmed, at in chat.moments())
        if not delays:
            raise BenchmarkError("no event was confirmed")
        counters = chat.counters()
        calls = sum(number for each in counters.users_per_request.values() for number in each.values())
        return Level(
            share_of_the_limit=share,
            events_per_second=rate,
            events=count,
            confirmed=len(delays),
            p50=percentile(delays, 0.5),
            p90=percentile(delays, 0.9),
            p99=percentile(delays, 0.99),
            longest=delays[-1],
            beyond_the_wait_p50=percentile(delays, 0.5) - QUIET_SECONDS,
            beyond_the_wait_p99=percentile(delays, 0.99) - QUIET_SECONDS,
            users_per_request=counters.parts / calls,
            refused=sum(counters.refused.values()),
            out_of_step=out_of_step(truth, chat.state()),
            producer_late_seconds=late,
            cpu_share=cpu / seconds,
        )


def percentile(values: Sequence[float], part: float) -> float:
    """What so much of the *values*, which are sorted, does not exceed."""
    return values[max(0, ceil(part * len(values)) - 1)]


def told(level: Level) -> Level:
    """The level, printed in a line."""
    print(
        f"  {level.share_of_the_limit:4.0%} of the limit ({level.events_per_second:,.0f}/s)  p50 {level.p50:.3f} s  "
        f"p99 {level.p99:.3f} s  longest {level.longest:.3f} s  {level.users_per_request:.1f} users a request, "
        f"{level.out_of_step} users out of step; producer late by {level.producer_late_seconds:.3f} s at most",
        flush=True,
    )
    return level
