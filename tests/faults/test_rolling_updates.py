"""A rolling update as the chart makes it: three replicas are replaced one by one while events go on."""

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.support.fleet import Fleet, Replica, eventually
from tests.support.helm import CHART
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.waits import TimedProduct, Writes

pytestmark = pytest.mark.broker

PODS: Final = 3
VALUES: Final[dict[str, Any]] = YAML(typ="safe").load(CHART / "values.yaml")
LONGEST_WAIT_SECONDS: Final = float(VALUES["debounce"]["longestWaitSeconds"])
DRAIN_SECONDS: Final = float(VALUES["drainSeconds"])
MIN_READY_SECONDS: Final = float(VALUES["rollout"]["minReadySeconds"]) if FULL else 1.0
"""The chart's own values; in small size the next pod goes sooner."""

EVENTS_A_SECOND: Final = 300


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the emulator writes down what it has applied."""
    return tmp_path / "state"


@pytest.fixture
def emulator_options(state: Path) -> Sequence[str]:
    """It writes down everything."""
    return ("--state", str(state))


@pytest.fixture
def settings() -> dict[str, str]:
    """Of the chart; a static member's pod is back in time."""
    return {
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": str(VALUES["debounce"]["quietSeconds"]),
        "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": str(LONGEST_WAIT_SECONDS),
        "AUDIENCE_SYNC_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "AUDIENCE_SYNC_KAFKA__SESSION_TIMEOUT_SECONDS": "30",
    }


class Controller:
    """Replaces pods in the order of Kubernetes' own controllers, with the chart's strategy."""

    def __init__(self, fleet: Fleet, workload: str) -> None:
        self._fleet = fleet
        self._is_stateful = workload == "StatefulSet"
        self.pods = [self._pod(number) for number in range(PODS)]

    def _pod(self, number: int) -> Replica:
        named = {"AUDIENCE_SYNC_KAFKA__INSTANCE_ID": f"pod-{number}"} if self._is_stateful else {}
        return self._fleet.start(**named)

    def roll_out(self) -> Iterator[Replica]:
        """Replace all, and give each that has left; the last pod of a StatefulSet is the first to go.

        `maxSurge: 0, maxUnavailable: 1`: the controller of a Deployment makes the new pod as soon as the old one is
        told to stop. That of a StatefulSet waits until it is gone, for the new one has its name.
        """
        for number in reversed(range(PODS)):
            old = self.pods[number]
            old.signal(signal.SIGTERM)
            if self._is_stateful:
                old.wait()
            self.pods[number] = self._pod(number)
            self.all_are_available()
            yield old

    def all_are_available(self) -> None:
        """Return when each has been ready for so long without a break that the next one may go."""
        since = time.monotonic()

        def look() -> bool:
            nonlocal since
            if not all(pod.ready() for pod in self.pods):
                since = time.monotonic()
            return time.monotonic() - since >= MIN_READY_SECONDS

        eventually(look, "all pods are available", 120)


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
def test_a_rolling_update_lets_nobody_wait_longer_than_the_longest_wait_and_the_drain(
    workload: str, fleet: Fleet, topics: str, sources: list[str], broker: str, state: Path
) -> None:
    """Three replicas were sending under load, as a Deployment's pods or a StatefulSet's.

    Each got SIGTERM and was replaced, in the controller's order; the next one when all were ready for a while.
    Each left in order; nobody waited for an attribute longer than the longest wait and the drain, every user was in
    step, every partition was settled to its end, and no value had gone back.
    """
    product = TimedProduct(users=2_000, seed=20261122, topics=topics)
    controller, writes = Controller(fleet, workload), Writes(state)
    controller.all_are_available()
    with writes.watched():
        with under_load(product, broker, events_a_second=EVENTS_A_SECOND) as events:
            left = [replica.wait() for replica in controller.roll_out()]
        all_in_step(product.truth, fleet.chat, seconds=300)
    all_settled(broker, topics, sources)

    waits = sorted(writes.waits(product))
    show(
        f"rolling update of a {workload}",
        events=events(),
        waits_measured=len(waits),
        longest_wait_seconds=LONGEST_WAIT_SECONDS,
        drain_seconds=DRAIN_SECONDS,
        waited_seconds_at_most=round(waits[-1], 2),
        waited_seconds_of_99_in_100=round(waits[len(waits) * 99 // 100], 2),
        assignments=sum(line["action"] == "assigned" for replica in fleet.all for line in replica.lines()),
        went_back=fleet.chat.counters()["went_back_count"],
    )
    assert left == [0] * PODS
    assert waits[-1] <= LONGEST_WAIT_SECONDS + DRAIN_SECONDS
