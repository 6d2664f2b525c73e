"""A real Kubernetes API server of the tests' own, with etcd and, where they are built, the real controllers.

No pod ever runs here: there is no node. Pods are as ready as a test says they are.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from ruamel.yaml import YAML

from tests.support.cache import cache_folder
from tests.support.ending import end_with_us
from tests.support.fleet import eventually
from tests.support.helm import Object
from tests.support.local_kafka import free_ports

START_SECONDS: Final = 180.0
"""How long a start may take before it counts as failed; 10 s are usual on two idle cores."""

CONTROLLERS: Final = (
    "deployment-controller,replicaset-controller,statefulset-controller,disruption-controller,"
    "garbage-collector-controller,namespace-controller,serviceaccount-controller"
)

PLACES: Final = {
    "ConfigMap": "api/v1:configmaps",
    "CustomResourceDefinition": "apis/apiextensions.k8s.io/v1:customresourcedefinitions",
    "Deployment": "apis/apps/v1:deployments",
    "HorizontalPodAutoscaler": "apis/autoscaling/v2:horizontalpodautoscalers",
    "Namespace": "api/v1:namespaces",
    "NetworkPolicy": "apis/networking.k8s.io/v1:networkpolicies",
    "Pod": "api/v1:pods",
    "PodDisruptionBudget": "apis/policy/v1:poddisruptionbudgets",
    "PodMonitor": "apis/monitoring.coreos.com/v1:podmonitors",
    "PriorityClass": "apis/scheduling.k8s.io/v1:priorityclasses",
    "PrometheusRule": "apis/monitoring.coreos.com/v1:prometheusrules",
    "ScaledObject": "apis/keda.sh/v1alpha1:scaledobjects",
    "Secret": "api/v1:secrets",
    "Service": "api/v1:services",
    "ServiceAccount": "api/v1:serviceaccounts",
    "ServiceMonitor": "apis/monitoring.coreos.com/v1:servicemonitors",
    "StatefulSet": "apis/apps/v1:statefulsets",
}
"""Where each kind is found: group and version, and its plural."""

WHOLE: Final = frozenset({"CustomResourceDefinition", "Namespace", "PriorityClass"})
"""Kinds that are in no namespace."""


class KubernetesUnavailableError(Exception):
    """No API server can be had on this machine; the message names what is missing."""


class Kubernetes:
    """A running API server, asked as its administrator."""

    def __init__(self, port: int, token: str, folder: Path, *, has_controllers: bool) -> None:
        self.has_controllers = has_controllers
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(_kubeconfig(port, token))
        self._http = httpx.Client(
            base_url=f"https://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {token}"},
            verify=False,  # a certificate of its own, for minutes, on loopback
            timeout=60,
        )

    def close(self) -> None:
        """Ask nothing more."""
        self._http.close()

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return self._http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object of that name, if there is one."""
        answer = self._http.get(self._path(kind, namespace, name))
        return None if answer.status_code == 404 else self._body(answer)

    def every(self, kind: str, namespace: str, *, labels: str = "") -> list[Object]:
        """All objects of a kind, or those with these labels."""
        answer = self._http.get(self._path(kind, namespace), params={"labelSelector": labels})
        found: list[Object] = self._body(answer)["items"]
        return found

    def create(self, one: Object, namespace: str = "", *, only_try: bool = False) -> Object:
        """Create it. only_try: let it be admitted, and forget it."""
        parameters = {"dryRun": "All", "fieldValidation": "Strict"} if only_try else {}
        return self._body(self._http.post(self._path(one["kind"], namespace), json=one, params=parameters))

    def merge(
        self, kind: str, namespace: str, name: str, change: Mapping[str, Any], *, part: str = ""
    ) -> Object | None:
        """Merge *change* into the object, or into its *part*; None if it is gone."""
        answer = self._http.patch(
            self._path(kind, namespace, name) + part,
            content=json.dumps(change),
            headers={"Content-Type": "application/merge-patch+json"},
        )
        return None if answer.status_code == 404 else self._body(answer)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete it, and what belongs to it after that."""
        answer = self._http.request(
            "DELETE", self._path(kind, namespace, name), json={"propagationPolicy": "Background"}
        )
        assert answer.status_code in (200, 202, 404), answer.text

    def evict(self, namespace: str, pod: str) -> int:
        """Ask for a pod's eviction, as a drain of its node does. Returns the status: 201, or 429 for not now."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        path = f"{self._path('Pod', namespace, pod)}/eviction"
        return self._http.post(path, json=eviction).status_code

    def _path(self, kind: str, namespace: str, name: str = "") -> str:
        version, _, plural = PLACES[kind].partition(":")
        where = "" if kind in WHOLE else f"/namespaces/{namespace}"
        return f"/{version}{where}/{plural}" + (f"/{name}" if name else "")

    @staticmethod
    def _body(answer: httpx.Response) -> Object:
        assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}"
        body: Object = answer.json()
        return body


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[Kubernetes]:
    """A real API server with the operators' definitions; skipped where it can't be had."""
    try:
        with a_kubernetes() as running:
            yield running
    except KubernetesUnavailableError as error:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_KUBERNETES") == "1":
            pytest.fail(f"a Kubernetes API server is required here: {error}")
        pytest.skip(f"needs a Kubernetes API server (tests/support/prepare.sh kubernetes builds it): {error}")


@pytest.fixture
def controllers(kubernetes: Kubernetes) -> None:
    """The real controllers act on what is there; skipped where they were not built."""
    if not kubernetes.has_controllers:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_KUBERNETES") == "1":
            pytest.fail(
                "kube-controller-manager is required here; tests/support/prepare.sh kubernetes builds it"
            )
        pytest.skip("needs kube-controller-manager (tests/support/prepare.sh kubernetes builds it)")


@pytest.fixture
def namespace(kubernetes: Kubernetes) -> Iterator[str]:
    """A namespace of the test's own, which admits only pods of the restricted standard."""
    name = f"test-{secrets.token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubernetes.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    kubernetes.delete("Namespace", "", name)


@contextlib.contextmanager
def a_kubernetes() -> Iterator[Kubernetes]:
    """A running API server with nothing in it, ended and removed at the end. Raises KubernetesUnavailableError."""
    etcd, server = _program("etcd"), _program("kube-apiserver")
    try:
        controllers = _program("kube-controller-manager")
    except KubernetesUnavailableError:
        controllers = None
    definitions = sorted((cache_folder() / "crds").glob("*.yaml"))
    if not definitions:
        raise KubernetesUnavailableError("the operators' definitions are missing")
    token = secrets.token_hex(16)
    store, peer, port = free_ports(3)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="audience-sync-kubernetes-")))
        key = folder / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
        (folder / "tokens.csv").chmod(0o600)
        kubernetes = Kubernetes(port, token, folder, has_controllers=controllers is not None)
        stack.callback(kubernetes.close)
        kubernetes.kubeconfig.chmod(0o600)
        at = f"http://127.0.0.1:{store}"
        stack.enter_context(
            _running(
                folder,
                etcd,
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={at}",
                f"--advertise-client-urls={at}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
                "--unsafe-no-fsync",
            )
        )
        api = stack.enter_context(
            _running(
                folder,
                server,
                f"--etcd-servers={at}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--cert-dir={folder / 'certificates'}",
                "--service-cluster-ip-range=10.0.0.0/16",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
            )
        )
        _wait(kubernetes, api, folder)
        for definition in definitions:
            made = kubernetes.create(YAML(typ="safe").load(definition.read_text()))
            eventually(partial(_established, kubernetes, made), f"{definition.name} is taken in", 60)
        if controllers is not None:
            stack.enter_context(
                _running(
                    folder,
                    controllers,
                    f"--kubeconfig={kubernetes.kubeconfig}",
                    f"--controllers={CONTROLLERS}",
                    f"--service-account-private-key-file={key}",
                    "--leader-elect=false",
                    "--secure-port=0",
                )
            )
        yield kubernetes


def _wait(kubernetes: Kubernetes, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not kubernetes.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            log = (folder / "kube-apiserver.log").read_text(errors="replace")
            raise KubernetesUnavailableError(f"the API server did not start:\n{log[-3000:]}")
        time.sleep(0.2)


def _established(kubernetes: Kubernetes, definition: Object) -> bool:
    found = kubernetes.find("CustomResourceDefinition", "", definition["metadata"]["name"])
    conditions = (found or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


@contextlib.contextmanager
def _running(folder: Path, program: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / f"{program.name.partition('-v')[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=folder,
        )
    watcher = end_with_us(process.pid)
    try:
        yield process
    finally:
        watcher.kill()  # before the program ends, whose number could be given to another process
        watcher.communicate()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program(name: str) -> Path:
    built = sorted((cache_folder() / "bin").glob(f"{name}-v*"))
    if built:
        return built[-1]
    if (found := shutil.which(name)) is not None:
        return Path(found)
    raise KubernetesUnavailableError(f"{name} is missing")


def _kubeconfig(port: int, token: str) -> str:
    """YAML is a superset of JSON."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True},
                }
            ],
            "users": [{"name": "test", "user": {"token": token}}],
        }
    )
