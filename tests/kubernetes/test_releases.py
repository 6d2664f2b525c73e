"""Every example on a real API server: installed, upgraded to, rolled back, removed, and read back each time."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.fleet import eventually
from tests.support.helm import CHART, EXAMPLES, Object, objects_in
from tests.support.kubernetes_api import Kubernetes
from tests.support.releases import MINIMAL, TLS_SASL, Release

pytestmark = pytest.mark.kubernetes

PAIRS: Final = [(EXAMPLES[index - 1], example) for index, example in enumerate(EXAMPLES)]
"""Each example, and the one that it is upgraded from."""

UNITS: Final = {None: 1, "m": 0.001, "k": 1e3, "M": 1e6, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
KEPT_BY_THE_SERVER: Final = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
)


@pytest.mark.parametrize(("before", "example"), PAIRS, ids=[pair[1].stem for pair in PAIRS])
def test_a_release_comes_and_goes(
    release: Release, kubernetes: Kubernetes, before: Path, example: Path
) -> None:
    """What the server keeps is what was rendered; a rollback is exactly what was; nothing is left at the end."""
    release.install(before)
    at_first = release.found()
    assert_as_rendered(release)

    release.upgrade(example)
    assert_as_rendered(release)
    assert_pods_are_admitted(release, kubernetes)

    release.done("rollback", "live", "1")
    assert_as_rendered(release)
    assert [kept(one) for one in release.found()] == [kept(one) for one in at_first]

    release.upgrade(example)
    assert_as_rendered(release)

    release.done("uninstall", "live")
    eventually(lambda: not release.left(), f"nothing is left: {release.left()}", 60)


def assert_as_rendered(release: Release) -> None:
    """The server has kept every field that was rendered; it may have added defaults."""
    for rendered, found in zip(release.rendered(), release.found(), strict=True):
        lost = [*differences(rendered, found, rendered["kind"])]
        assert lost == [], f"{rendered['metadata']['name']}: {lost}"


def differences(rendered: Any, found: Any, at: str) -> Iterator[str]:
    """Where *found* does not hold what *rendered* says. What is empty may be left out."""
    match rendered, found:
        case dict(), dict():
            for key, value in rendered.items():
                if key in found:
                    yield from differences(value, found[key], f"{at}.{key}")
                elif value not in ({}, [], "", None, False):
                    yield f"{at}.{key} is gone"
        case list(), list() if len(rendered) == len(found):
            for index, (one, other) in enumerate(zip(rendered, found, strict=True)):
                yield from differences(one, other, f"{at}[{index}]")
        case _ if rendered != found and not same_quantity(rendered, found):
            yield f"{at}: {rendered!r} became {found!r}"


def same_quantity(one: Any, other: Any) -> bool:
    """Whether both are texts of one number: the server writes 100k for 100000."""
    numbers = [re.fullmatch(r"(\d+)(m|k|M|Ki|Mi|Gi)?", each) for each in (str(one), str(other))]
    values = [int(each[1]) * UNITS[each[2]] for each in numbers if each is not None]
    return len(values) == 2 and values[0] == values[1]


def kept(one: Object) -> Object:
    """An object without what only the server counts, and without its state."""
    metadata = {key: value for key, value in one["metadata"].items() if key not in KEPT_BY_THE_SERVER}
    annotations = dict(metadata.pop("annotations", {}))
    annotations.pop("deployment.kubernetes.io/revision", None)
    spec = {
        key: value for key, value in one.get("spec", {}).items() if key not in ("clusterIP", "clusterIPs")
    }
    data = {key: one.get(key) for key in ("data", "automountServiceAccountToken")}
    return data | {"kind": one["kind"], "metadata": metadata | {"annotations": annotations}, "spec": spec}


def assert_pods_are_admitted(release: Release, kubernetes: Kubernetes) -> None:
    """The namespace enforces the restricted standard, on the test's pod too; and no field is unknown."""
    objects = release.rendered() + objects_in(release.done("get", "hooks", "live"))
    seen = 0
    for one in objects:
        if one["kind"] == "Pod":
            pod = one
        elif "template" in one.get("spec", {}):
            pod = {"apiVersion": "v1", "kind": "Pod", **one["spec"]["template"]}
            pod["metadata"] = pod["metadata"] | {"name": "tried"}
        else:
            continue
        kubernetes.create(pod, release.namespace, only_try=True)
        seen += 1
    assert seen >= 2


def test_a_pod_beyond_the_standard_is_not_admitted(kubernetes: Kubernetes, namespace: str) -> None:
    """So what is admitted above says something."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tried"}}
    kubernetes.create(account, namespace)
    spec = {"serviceAccountName": "tried", "containers": [{"name": "a", "image": "b"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": spec}

    with pytest.raises(AssertionError, match="violates PodSecurity"):
        kubernetes.create(pod, namespace, only_try=True)


def test_a_missing_secret_is_told_before_anything_is_there(release: Release, kubernetes: Kubernetes) -> None:
    """Where the values ask for it: the Secret and the key are named, and nothing was made."""
    kubernetes.delete("Secret", release.namespace, "kafka-user")
    refused = release.tried("install", "live", str(CHART), "--values", str(TLS_SASL))
    assert "kafka.saslSecret: there is no Secret kafka-user" in refused.stderr

    kubernetes.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "kafka-user"},
            "stringData": {"username": "a"},
        },
        release.namespace,
    )
    refused = release.tried("install", "live", str(CHART), "--values", str(TLS_SASL))
    assert "the Secret kafka-user" in refused.stderr
    assert "has no key password" in refused.stderr
    assert release.left() == []


@pytest.mark.usefixtures("controllers")
def test_a_missing_secret_is_not_seen_by_the_server(release: Release, kubernetes: Kubernetes) -> None:
    """Nobody asked: the release is there, and its pods wait for a kubelet that finds the Secret."""
    kubernetes.delete("Secret", release.namespace, "chat-credentials")
    release.install(MINIMAL)

    def pods() -> list[Object]:
        return kubernetes.every("Pod", release.namespace, labels="app.kubernetes.io/name=audience-sync")

    eventually(lambda: len(pods()) == 2, "the pods are made", 60)
    [deployment] = kubernetes.every("Deployment", release.namespace)
    assert deployment["status"].get("readyReplicas", 0) == 0


@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
def test_an_autoscaler_begins_with_the_count_that_it_finds(
    release: Release, kubernetes: Kubernetes, workload: str
) -> None:
    """An upgrade from a fixed count must not fall to one; nor may a later one undo what the autoscaler did."""
    release.install(MINIMAL, replicas="5", workload=workload)
    name = "live-audience-sync"

    def count() -> int:
        found = kubernetes.find(workload, release.namespace, name)
        assert found is not None
        replicas: int = found["spec"]["replicas"]
        return replicas

    release.upgrade(MINIMAL, workload=workload, **{"autoscaling.by": "hpa"})
    assert count() == 5

    kubernetes.merge(workload, release.namespace, name, {"spec": {"replicas": 7}})
    release.upgrade(MINIMAL, workload=workload, **{"autoscaling.by": "hpa", "drainSeconds": "30"})
    assert count() == 7
