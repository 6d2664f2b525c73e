"""What the real controllers do with our pods while a test says which of them are ready."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tests.support.fleet import eventually
from tests.support.helm import Object
from tests.support.kubernetes_api import Kubernetes
from tests.support.releases import MINIMAL, Release

pytestmark = [pytest.mark.kubernetes, pytest.mark.usefixtures("controllers")]

REPLICAS: Final = 3
OURS: Final = "app.kubernetes.io/name=audience-sync,app.kubernetes.io/instance=live"
VALUES: Final = {"replicas": str(REPLICAS), "rollout.minReadySeconds": "0"}


class Kubelet:
    """Makes pods ready as *is_ready* says, and counts how many there were at once."""

    def __init__(self, kubernetes: Kubernetes, namespace: str, is_ready: Callable[[Object], bool]) -> None:
        self._kubernetes, self._namespace, self._is_ready = kubernetes, namespace, is_ready
        self.counts: list[int] = []

    def pods(self) -> list[Object]:
        """The service's pods that are not being deleted."""
        found = self._kubernetes.every("Pod", self._namespace, labels=OURS)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def turn(self) -> None:
        """Look at all pods once."""
        pods = self.pods()
        self.counts.append(len(pods))
        for pod in pods:
            ready = "True" if self._is_ready(pod) else "False"
            if _condition(pod) != ready:
                status = {
                    "phase": "Running",
                    "conditions": [
                        {"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}
                    ],
                }
                name = pod["metadata"]["name"]
                self._kubernetes.merge("Pod", self._namespace, name, {"status": status}, part="/status")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Turn again and again for the block."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(0.2):
                self.turn()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _condition(pod: Object) -> str:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((each["status"] for each in conditions if each["type"] == "Ready"), "")


def _is_mended(pod: Object) -> bool:
    return bool(pod["metadata"].get("annotations", {}).get("state") == "mended")


def _all(kubelet: Kubelet, state: str) -> bool:
    states = [pod["metadata"].get("annotations", {}).get("state") for pod in kubelet.pods()]
    return states == [state] * REPLICAS and all(_condition(pod) for pod in kubelet.pods())


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
def test_pods_that_are_not_ready_do_not_block_what_mends_them(
    release: Release, kubernetes: Kubernetes, workload: str
) -> None:
    """Nobody is ready, a first try mends nothing, the second does: it comes through, one pod after the other."""
    kubelet = Kubelet(kubernetes, release.namespace, _is_mended)
    with kubelet.at_work():
        release.install(MINIMAL, workload=workload, **VALUES, **{"podAnnotations.state": "broken"})
        eventually(lambda: _all(kubelet, "broken"), "all pods are there, and none is ready", 120)
        kubelet.counts.clear()

        release.upgrade(MINIMAL, workload=workload, **VALUES, **{"podAnnotations.state": "still-broken"})
        eventually(
            lambda: any(
                pod["metadata"]["annotations"]["state"] == "still-broken" and _condition(pod) == "False"
                for pod in kubelet.pods()
            ),
            "the first try reaches a pod, and does not mend it",
            120,
        )
        release.upgrade(MINIMAL, workload=workload, **VALUES, **{"podAnnotations.state": "mended"})
        eventually(lambda: _all(kubelet, "mended"), "all pods are mended", 180)

    assert max(kubelet.counts) <= REPLICAS, "no pod came before another had gone"


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
def test_a_version_that_never_gets_ready_stops_at_the_first_pod(
    release: Release, kubernetes: Kubernetes, workload: str
) -> None:
    """The others work on, and a rollback puts it right."""
    kubelet = Kubelet(kubernetes, release.namespace, _is_mended)

    def working() -> int:
        return sum(_is_mended(pod) and _condition(pod) == "True" for pod in kubelet.pods())

    with kubelet.at_work():
        release.install(MINIMAL, workload=workload, **VALUES, **{"podAnnotations.state": "mended"})
        eventually(lambda: working() == REPLICAS, "all pods work", 120)
        release.upgrade(MINIMAL, workload=workload, **VALUES, **{"podAnnotations.state": "broken"})
        eventually(lambda: working() == REPLICAS - 1, "one pod was replaced", 120)
        turns = len(kubelet.counts)
        eventually(lambda: len(kubelet.counts) > turns + 25, "some seconds pass", 120)
        assert working() == REPLICAS - 1

        release.done("rollback", "live", "1")
        eventually(lambda: working() == REPLICAS, "all pods work again", 120)


def test_a_node_can_be_drained_of_pods_that_are_not_ready(release: Release, kubernetes: Kubernetes) -> None:
    """Of ready pods one may go at a time; one that is not ready may go in any case."""
    ready = True
    kubelet = Kubelet(kubernetes, release.namespace, lambda _: ready)

    def evict(pod: Object) -> int:
        return kubernetes.evict(release.namespace, pod["metadata"]["name"])

    def allowed() -> int:
        budget = kubernetes.find("PodDisruptionBudget", release.namespace, "live-audience-sync")
        count: int = (budget or {}).get("status", {}).get("disruptionsAllowed", 0)
        return count

    release.install(MINIMAL, **VALUES)
    eventually(lambda: len(kubelet.pods()) == REPLICAS, "the pods are made", 120)
    kubelet.turn()
    eventually(lambda: allowed() == 1, "the budget allows one", 120)
    first, second, _ = kubelet.pods()
    assert evict(first) == 201
    assert evict(second) == 429

    ready = False
    eventually(lambda: len(kubelet.pods()) == REPLICAS, "the evicted pod is replaced", 120)
    kubelet.turn()
    eventually(lambda: allowed() == 0, "the budget allows none", 120)
    assert [evict(pod) for pod in kubelet.pods()] == [201] * REPLICAS
