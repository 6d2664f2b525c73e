"""How soon everybody is in step again when the API was away for half a minute under load.

Nothing listens at its address meanwhile, as when a gateway is restarted. The stream goes on all the time and ends
with the outage; what is left by then is what the backlog holds. The ideal is the backlog at the pace, and the time
that the API takes to come back is not in it.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

import msgspec

from audience_sync.core.pace import HEADROOM
from benchmarks.live import produced, stream_of, until_settled, working
from benchmarks.parts.size import Size
from benchmarks.producer import events_of
from benchmarks.rig import Rig
from benchmarks.stub import Behaviour
from benchmarks.workloads import CITY, Spread, Workload, out_of_step
from tests.support.relay import relay_to

CALLS_PER_SECOND: Final = 50.0
EVENTS_PER_SECOND: Final = 2_000.0
BEFORE_SECONDS: Final = 5.0
AWAY_SECONDS: Final = 30.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, unless they say otherwise."""

    away_seconds: float
    events: int
    backlog_users: int
    """Who was not confirmed when the API came back."""

    ideal_seconds: float
    """The backlog at the pace, all requests full."""

    to_first_confirmation: float
    """From the API's return to the first confirmation."""

    to_in_step: float
    """From the API's return to the last."""

    times_the_ideal: float
    out_of_step: int


def measure(rig: Rig, size: Size) -> Figures:
    """Once, with the default settings."""
    before, away = size.of((BEFORE_SECONDS, AWAY_SECONDS), quick=(1.0, 2.0))
    rate = size.of(EVENTS_PER_SECOND, quick=500.0)
    count = round(rate * (before + away))
    workload = Workload(name="outage", events=count, users=count, spread=Spread.ONCE, kinds=(CITY,))
    settings = {"AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": str(CALLS_PER_SECOND)}
    with rig.chat(Behaviour(calls_per_second=CALLS_PER_SECOND, keeps_moments=True)) as chat:
        with relay_to(chat.url) as relay:
            way = {"AUDIENCE_SYNC_CHAT__BASE_URL": relay.url}
            port = urlsplit(relay.url).port
            assert port is not None
            with (
                working(rig, chat, settings=settings | way) as (task, process),
                ThreadPoolExecutor(1) as aside,
            ):
                stream = stream_of(rig, task, workload, events_per_second=rate)
                producing = aside.submit(produced, rig, stream)
                _sleep_until(stream.begins_at + before)
                relay.close()
                _sleep_until(stream.begins_at + before + away)
                with relay_to(chat.url, port=port):
                    back_at = time.time()
                    producing.result()
                    until_settled(rig, task, process, most_seconds=300)
        _, truth = events_of(stream)
        after = sorted(confirmed - back_at for confirmed, _ in chat.moments() if confirmed >= back_at)
        ideal = len(after) / 100 / (HEADROOM * CALLS_PER_SECOND)
        figures = Figures(
            away_seconds=away,
            events=count,
            backlog_users=len(after),
            ideal_seconds=ideal,
            to_first_confirmation=after[0],
            to_in_step=after[-1],
            times_the_ideal=after[-1] / ideal,
            out_of_step=out_of_step(truth, chat.state()),
        )
    print(
        f"  away for {away:g} s, {figures.backlog_users:,} users behind: the first confirmed after "
        f"{figures.to_first_confirmation:.1f} s, all in step after {figures.to_in_step:.1f} s (ideal {ideal:.1f} s), "
        f"{figures.out_of_step} users out of step",
        flush=True,
    )
    return figures


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
