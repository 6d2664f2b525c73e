"""Each peer in Python does its work, and none of it wrong; what is compared is then worth something."""

import pytest

from benchmarks.contestants.one_call_per_event import OneCallPerEvent
from benchmarks.contestants.ours import Ours
from benchmarks.contestants.peer import CannotBeHadError, Peer
from benchmarks.contestants.plain_faststream import PlainFastStream
from benchmarks.contestants.quix import Quix
from benchmarks.parts.peers import strangers_of
from benchmarks.rig import Data, Rig
from benchmarks.workloads import Spread, Workload

pytestmark = pytest.mark.broker

WORKLOAD = Workload(name="small", events=600, users=300, spread=Spread.ZIPF)


@pytest.fixture(scope="module")
def rig(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return Rig(broker, tmp_path_factory.mktemp("rig"))


@pytest.fixture(scope="module")
def data(rig: Rig) -> Data:
    return rig.data(WORKLOAD)


@pytest.mark.parametrize("peer", [OneCallPerEvent(), PlainFastStream(), Quix(1)], ids=lambda peer: peer.name)
def test_everybody_is_in_step_when_all_is_committed(rig: Rig, data: Data, peer: Peer) -> None:
    try:
        peer.prepare(patient=False)
    except CannotBeHadError as error:
        pytest.skip(f"{peer.name}: {error}")
    outcome = rig.through(peer, data)
    assert (outcome.out_of_step, outcome.counters.refused) == (0, {})
    assert outcome.requests >= outcome.fewest_requests
    assert outcome.used.cpu_seconds > 0
    assert outcome.memory.peak_resident > 0


def test_strangers_refuse_the_requests_they_are_in(rig: Rig, data: Data) -> None:
    strangers = strangers_of(data.made, 3)
    plain = rig.through(PlainFastStream(), data, strangers=strangers)
    assert plain.counters.refused
    assert plain.out_of_step  # those who shared a request with them

    ours = rig.through(Ours(), data, strangers=strangers)
    assert ours.counters.refused
    assert ours.out_of_step == 0
