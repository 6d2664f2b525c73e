"""Releases of the chart on a real API server."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.helm import CHART, EXAMPLES, Object, objects_in
from tests.support.kubernetes_api import PLACES, WHOLE, Kubernetes

MINIMAL: Final = next(example for example in EXAMPLES if example.stem == "minimal")
TLS_SASL: Final = next(example for example in EXAMPLES if example.stem == "tls-sasl")

PRIORITY_CLASS: Final = "production"
SECRETS: Final[dict[str, tuple[str, ...]]] = {
    "chat-credentials": ("app-id", "admin", "signing-key"),
    "emulated-credentials": ("app-id", "admin", "signing-key"),
    "operator-token": ("token",),
    "kafka-user": ("username", "password"),
    "kafka-ca": ("ca.crt",),
    "kafka-client": ("tls.crt", "tls.key"),
    "registry-user": ("username", "password"),
    "registry-ca": ("ca.crt",),
}
"""What the examples name, with the keys that belong there."""


class Release:
    """A release of the chart in a namespace, as an operator deals with it."""

    def __init__(self, helm: str, kubernetes: Kubernetes, namespace: str) -> None:
        self._helm, self._kubernetes, self.namespace = helm, kubernetes, namespace

    def install(self, *files: Path, **values: str) -> None:
        """As in the README."""
        self.done("install", "live", str(CHART), *_given(files, values))

    def upgrade(self, *files: Path, **values: str) -> None:
        """To other values."""
        self.done("upgrade", "live", str(CHART), *_given(files, values))

    def done(self, *words: str) -> str:
        """What helm says, or AssertionError."""
        done = self.tried(*words)
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr}"
        return done.stdout

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Whatever helm answers."""
        where = ["--kubeconfig", str(self._kubernetes.kubeconfig), "--namespace", self.namespace]
        return subprocess.run(
            [self._helm, *words, *where], capture_output=True, text=True, timeout=300, check=False
        )

    def rendered(self) -> list[Object]:
        """What this revision is meant to be."""
        return objects_in(self.done("get", "manifest", "live"))

    def found(self) -> list[Object]:
        """What is there of it, in the same order; AssertionError if something is not."""
        objects = []
        for one in self.rendered():
            found = self._kubernetes.find(one["kind"], self.namespace, one["metadata"]["name"])
            assert found is not None, f"{one['kind']} {one['metadata']['name']} is not there"
            objects.append(found)
        return objects

    def left(self) -> list[str]:
        """What still bears the release's label."""
        return [
            f"{kind} {one['metadata']['name']}"
            for kind in PLACES
            if kind not in WHOLE
            for one in self._kubernetes.every(kind, self.namespace, labels="app.kubernetes.io/instance=live")
        ]


@pytest.fixture
def release(helm: str, kubernetes: Kubernetes, namespace: str) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace with the Secrets that the examples name."""
    for name, keys in SECRETS.items():
        kubernetes.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "stringData": dict.fromkeys(keys, "1400000000"),
            },
            namespace,
        )
    if kubernetes.find("PriorityClass", "", PRIORITY_CLASS) is None:
        kubernetes.create(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": PRIORITY_CLASS},
                "value": 1000,
            }
        )
    one = Release(helm, kubernetes, namespace)
    yield one
    one.tried("uninstall", "live")


def _given(files: tuple[Path, ...], values: Mapping[str, str]) -> list[str]:
    return [f"--values={file}" for file in files] + [
        f"--set={name}={value}" for name, value in values.items()
    ]
