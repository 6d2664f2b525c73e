"""Two processes of a group do the benchmark's work together: each a part of it, and nobody ends out of step."""

import pytest

from benchmarks.parts.growth import SOON, shared
from benchmarks.rig import Rig
from benchmarks.stub import Behaviour
from benchmarks.workloads import Spread, Workload, made

pytestmark = pytest.mark.broker

LIMIT = 20.0
WORK = made(Workload(name="small", events=3_000, users=1_500, spread=Spread.UNIFORM))


def test_two_processes_share_the_work_and_the_limit(
    broker: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Both have used CPU for it, and no call was refused."""
    rig = Rig(broker, tmp_path_factory.mktemp("rig"))
    settings = SOON | {"AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": f"{LIMIT:g}"}

    run = shared(rig, WORK, 2, Behaviour(calls_per_second=LIMIT), settings)

    assert (run.processes, run.events, run.users) == (2, 3_000, len(WORK.truth))
    assert (run.out_of_step, run.refused) == (0, 0)
    assert all(member.cpu_seconds > 0 and member.peak_resident > 0 for member in run.members)
    assert len(run.members) == 2
    assert sum(run.requests.values()) >= run.fewest_requests
    assert run.most_calls_in_a_second <= LIMIT
