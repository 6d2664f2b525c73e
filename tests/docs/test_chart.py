"""The chart renders to what Kubernetes accepts, refuses what cannot be meant, and agrees with the service."""

import json
import math
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
from ruamel.yaml import YAML

from audience_sync import __version__, settings
from tests.support.cache import cache_folder

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "helm" / "audience-sync"
KUBERNETES: Final = ("1.25.0", "1.34.0")
"""The oldest that Chart.yaml names, and one of the newest that the validator knows."""
REQUIRED: Final[dict[str, object]] = {
    "credentials.existingSecret": "chat",
    "kafka.bootstrapServers": "kafka:9092",
}
SASL: Final = REQUIRED | {
    "kafka.securityProtocol": "SASL_SSL",
    "kafka.saslMechanism": "SCRAM-SHA-512",
    "kafka.saslSecret": "kafka-user",
    "kafka.caSecret": "kafka-ca",
    "registry.url": "https://registry:8081",
    "registry.basicSecret": "registry-user",
    "registry.caSecret": "registry-ca",
}


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm program: the machine's, or the one that tests/support/prepare.sh builds."""
    built = sorted(cache_folder().glob("bin/helm-v*"))
    if found := shutil.which("helm") or next((str(path) for path in built), None):
        return found
    if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_HELM") == "1":
        pytest.fail("helm is required here; tests/support/prepare.sh builds it")
    pytest.skip("needs helm; tests/support/prepare.sh builds it")


def render(
    helm: str, values: Mapping[str, object], *, kubernetes: str = KUBERNETES[1]
) -> list[dict[str, Any]]:
    """The objects that the chart makes of *values*, or AssertionError with helm's message."""
    done = run_helm(helm, values, kubernetes=kubernetes)
    assert done.returncode == 0, done.stderr
    return [document for document in YAML(typ="safe").load_all(done.stdout) if document]


def run_helm(
    helm: str, values: Mapping[str, object], *, kubernetes: str = KUBERNETES[1]
) -> subprocess.CompletedProcess[str]:
    """What `helm template` answers."""
    command = [helm, "template", "live", str(CHART), "--kube-version", kubernetes]
    command += [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def only(objects: list[dict[str, Any]], kind: str, name: str = "live-audience-sync") -> dict[str, Any]:
    """The one object of that kind and name."""
    [found] = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("values", [REQUIRED, SASL], ids=["plain", "sasl"])
def test_what_it_renders_is_valid(helm: str, values: Mapping[str, object], kubernetes: str) -> None:
    """No misspelt field reaches a cluster."""
    objects = render(helm, values, kubernetes=kubernetes)

    for one in objects:
        kubernetes_validate.validate(one, kubernetes, strict=True)
    assert {one["kind"] for one in objects} == {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service"}


def test_it_lints(helm: str) -> None:
    """Helm's own rules hold, warnings included."""
    given = [f"--set={name}={value}" for name, value in REQUIRED.items()]
    command = [helm, "lint", "--strict", "--kube-version", KUBERNETES[1], *given, str(CHART)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("drain_seconds", [0, 20, 45.5])
def test_a_pod_is_given_longer_than_its_drain(helm: str, drain_seconds: float) -> None:
    """Kubernetes must not kill what is still settling."""
    pod = only(render(helm, REQUIRED | {"drainSeconds": drain_seconds}), "Deployment")["spec"]["template"][
        "spec"
    ]
    assert pod["terminationGracePeriodSeconds"] == math.ceil(drain_seconds) + 15


def test_a_pod_may_do_nothing_that_it_need_not(helm: str) -> None:
    """The pod passes the restricted security standard, and no key is in its environment."""
    pod = only(render(helm, SASL), "Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert pod["enableServiceLinks"] is False
    keys = {one["valueFrom"]["secretKeyRef"]["key"] for one in container["env"]}
    assert keys == {"app-id", "admin", "username"}


def test_the_settings_it_gives_are_accepted(
    helm: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What stands in the ConfigMap, and the Secret beside it, starts the service."""
    given = only(render(helm, REQUIRED), "ConfigMap", "live-audience-sync-settings")["data"]
    (tmp_path / "signing-key").write_text("secret")
    given |= {"AUDIENCE_SYNC_CHAT__APP_ID": "1400000000", "AUDIENCE_SYNC_CHAT__ADMIN": "administrator"}
    given["AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE"] = str(tmp_path / "signing-key")
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    loaded = settings.load(given)

    assert loaded.kafka.bootstrap_servers == "kafka:9092"
    assert str(loaded.rules_file) == "/etc/audience-sync/rules.yaml"


def test_its_defaults_are_those_of_the_service() -> None:
    """A value that is left alone changes nothing."""
    values = YAML(typ="safe").load((CHART / "values.yaml").read_text())
    debounce, kafka = settings.DebounceSettings(), settings.KafkaSettings()

    assert values["debounce"]["quietSeconds"] == debounce.quiet_seconds
    assert values["debounce"]["longestWaitSeconds"] == debounce.longest_wait_seconds
    assert values["kafka"]["groupId"] == kafka.group_id
    assert values["kafka"]["securityProtocol"] == kafka.security_protocol
    chat = settings.ChatSettings()
    assert (values["chat"]["baseUrl"] or None) == chat.base_url
    assert (values["chat"]["region"], values["chat"]["family"]) == (chat.region, chat.family)
    assert values["drainSeconds"] == settings.Settings.model_fields["drain_seconds"].default
    assert values["log"]["level"] == settings.LogSettings().level


def test_its_rules_are_those_that_ship() -> None:
    """The chart can read no file outside its own folder, so it has a copy."""
    shipped = ROOT / "service" / "audience_sync" / "rules" / "default.yaml"
    assert (CHART / "files" / "rules.yaml").read_text() == shipped.read_text()


def test_it_installs_the_version_it_stands_beside() -> None:
    """The default tag is the service's version."""
    chart = YAML(typ="safe").load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__


REFUSED: Final[list[tuple[dict[str, object], str, str]]] = [
    ({"kafka.bootstrapServers": "kafka:9092"}, "name a Secret", "no credentials"),
    ({"credentials.existingSecret": "chat"}, "where are the brokers", "no brokers"),
    (REQUIRED | {"debounce.quietSeconds": 60}, "must not be below", "quiet longer than the longest wait"),
    (REQUIRED | {"kafka.securityProtocol": "SASL_SSL"}, "saslSecret", "SASL without a user"),
    (REQUIRED | {"replica": 3}, "replica", "a misspelt value"),
    (REQUIRED | {"settings.CHAT__SIGNING_KEY": "k"}, "SIGNING_KEY", "a key in the values"),
    (REQUIRED | {"settings.ADMIN__TOKEN": "k" * 20}, "ADMIN__TOKEN", "a token in the values"),
]


@pytest.mark.parametrize(("values", "said", "_why"), REFUSED, ids=[row[2] for row in REFUSED])
def test_it_refuses(helm: str, values: Mapping[str, object], said: str, _why: str) -> None:
    """A mistake is found before anything is installed, and named."""
    done = run_helm(helm, values)
    assert done.returncode != 0
    assert said in done.stderr
