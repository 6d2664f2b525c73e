"""The chart renders to what Kubernetes accepts, and agrees with the service."""

import math
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
from ruamel.yaml import YAML

from audience_sync import __version__, settings
from docs.make_chart import settings as settings_that_are_values
from tests.support.helm import CHART, EXAMPLES, KUBERNETES, ROOT, Object, kinds, only, render

REQUIRED: Final[dict[str, object]] = {
    "credentials.existingSecret": "chat",
    "kafka.bootstrapServers": "kafka:9092",
}
TLS_SASL: Final = ROOT / "helm" / "examples" / "tls-sasl.yaml"
OF_OPERATORS: Final = frozenset({"PodMonitor", "PrometheusRule", "ScaledObject", "ServiceMonitor"})
"""Not Kubernetes' own: their operators' definitions are asked on a real API server, in tests/kubernetes."""
names_of_examples: Final = [example.stem for example in EXAMPLES]


def pod_of(objects: list[Object], kind: str = "Deployment") -> Object:
    """The service's pod."""
    spec: Object = only(objects, kind)["spec"]["template"]["spec"]
    return spec


def pods(objects: list[Object]) -> list[Object]:
    """Every pod that the chart makes: service, emulator, test."""
    found = [one["spec"]["template"]["spec"] for one in objects if "template" in one.get("spec", {})]
    return found + [one["spec"] for one in objects if one["kind"] == "Pod"]


def variables(objects: list[Object]) -> dict[str, str]:
    """What stands in the ConfigMap of settings."""
    data: dict[str, str] = only(objects, "ConfigMap", "live-audience-sync-settings")["data"]
    return data


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("example", EXAMPLES, ids=names_of_examples)
def test_what_it_renders_is_valid(helm: str, example: Path, kubernetes: str) -> None:
    """No misspelt field reaches a cluster, with any of the examples."""
    objects = render(helm, files=[example], kubernetes=kubernetes)

    for one in objects:
        if one["kind"] not in OF_OPERATORS:
            kubernetes_validate.validate(one, kubernetes, strict=True)
    assert {"ConfigMap", "Pod", "Service", "ServiceAccount"} <= kinds(objects)


@pytest.mark.parametrize("example", EXAMPLES, ids=names_of_examples)
def test_it_lints(helm: str, example: Path) -> None:
    """Helm's own rules hold, warnings included."""
    command = [
        helm,
        "lint",
        "--strict",
        "--kube-version",
        KUBERNETES[1],
        "--values",
        str(example),
        str(CHART),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=names_of_examples)
def test_every_pod_may_do_only_what_it_needs(helm: str, example: Path) -> None:
    """Service, emulator and test pass the restricted security standard, and are bounded in memory."""
    found = pods(render(helm, files=[example]))
    assert len(found) >= 2

    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
            assert container["resources"]["limits"]["memory"]


def test_no_key_is_in_the_environment(helm: str) -> None:
    """Names and ids are; keys, passwords and the user that changes with one are files."""
    [container] = pod_of(render(helm, files=[TLS_SASL]))["containers"]

    given = {one["name"] for one in container["env"] if "secretKeyRef" in one["valueFrom"]}
    assert given == {
        "AUDIENCE_SYNC_CHAT__APP_ID",
        "AUDIENCE_SYNC_CHAT__ADMIN",
        "AUDIENCE_SYNC_REGISTRY__USERNAME",
    }


@pytest.mark.parametrize("drain_seconds", [0, 20, 45.5])
def test_a_pod_is_given_longer_than_its_drain(helm: str, drain_seconds: float) -> None:
    """Kubernetes must not kill what is still settling."""
    pod = pod_of(render(helm, REQUIRED | {"drainSeconds": drain_seconds}))
    assert pod["terminationGracePeriodSeconds"] == math.ceil(drain_seconds) + 15


@pytest.mark.parametrize("example", EXAMPLES, ids=names_of_examples)
def test_the_settings_it_gives_are_accepted(
    helm: str, monkeypatch: pytest.MonkeyPatch, example: Path
) -> None:
    """What stands in the ConfigMap, and the Secret beside it, starts the service."""
    objects = render(helm, files=[example])
    given = variables(objects)
    given |= {"AUDIENCE_SYNC_CHAT__APP_ID": "1400000000", "AUDIENCE_SYNC_CHAT__ADMIN": "administrator"}
    kind = "StatefulSet" if "StatefulSet" in kinds(objects) else "Deployment"
    [container] = pod_of(objects, kind)["containers"]
    for one in container["env"]:
        if one["name"].startswith(settings.PREFIX):
            given.setdefault(one["name"], one.get("value") or "from a Secret")
    for name in list(os.environ):
        if name.startswith(settings.PREFIX):
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    loaded = settings.load(given)

    assert loaded.kafka.bootstrap_servers.startswith("kafka")
    assert str(loaded.rules_file) == "/etc/audience-sync/rules.yaml"


def test_every_setting_that_is_a_value_arrives(helm: str) -> None:
    """As text that the service reads: a million is no 1e+06."""
    given: dict[str, object] = dict(REQUIRED)
    expected: dict[str, object] = {}
    for name, (path, field) in settings_that_are_values().items():
        if path in ("chat.appId", "chat.admin", "chat.signingKeyFile"):
            continue  # the Secret says it
        value: object = _another(field.default)
        if value is not None:
            given[path] = value
            expected[settings.PREFIX + name.replace(".", "__").upper()] = value
    given |= {"kafka.bootstrapServers": "other:9092", "drainSeconds": 30.5, "kafka.leaseSeconds": 16}

    told = variables(render(helm, given))

    expected |= {
        f"{settings.PREFIX}KAFKA__BOOTSTRAP_SERVERS": "other:9092",
        f"{settings.PREFIX}DRAIN_SECONDS": 30.5,
        f"{settings.PREFIX}KAFKA__LEASE_SECONDS": 16,
    }
    assert len(expected) > 20
    for name, value in expected.items():
        text = f"{value:.15g}" if isinstance(value, float) else str(value)
        assert told[name] == (text.lower() if isinstance(value, bool) else text), name


def _another(default: Any) -> Any:
    """A value beside the default, where that is easy: a number in range, the other truth."""
    match default:
        case bool():
            return not default
        case int():
            return default + 1 if default > 1 else None
        case float() if default > 1:
            return default
    return None


def test_its_defaults_are_those_of_the_service() -> None:
    """A value that is left alone changes nothing, but for two: brokers must be named, and logs are JSON."""
    values = YAML(typ="safe").load((CHART / "values.yaml").read_text())
    seen = 0
    for name, (path, field) in settings_that_are_values().items():
        value = values
        for part in path.split("."):
            value = value.get(part, ...) if isinstance(value, dict) else ...
        if value is not ... and name not in ("kafka.bootstrap_servers", "log.shape"):
            assert (value if value != "" else None) == field.default, path
            seen += 1
    assert seen > 10


def test_its_rules_are_those_that_ship() -> None:
    """The chart can read no file outside its own folder, so it has a copy."""
    shipped = ROOT / "service" / "audience_sync" / "rules" / "default.yaml"
    assert (CHART / "files" / "rules.yaml").read_text() == shipped.read_text()


def test_it_installs_the_version_it_stands_beside() -> None:
    """The default tag is the service's version."""
    chart = YAML(typ="safe").load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__


RULES: Final = """\
sources: [{topic: city-changed, format: json, type_field: kind}]
rules:
  - {name: city, event: city-changed, user: "{user_id}", changes: [set_attribute: {name: city, value: "{city}"}]}
"""


@pytest.mark.parametrize(
    ("rules", "reload_seconds", "restarts"),
    [
        (RULES.replace("{city}", "{town}"), 10, False),
        (RULES.replace("topic: city-changed", "topic: cities"), 10, True),
        (RULES.replace("{city}", "{town}"), 0, True),
    ],
    ids=["another rule", "another topic", "another rule that nobody looks for"],
)
def test_pods_are_restarted_where_a_reload_is_not_enough(
    helm: str, rules: str, reload_seconds: float, restarts: bool
) -> None:
    """Rules are taken over while the service runs; topics are not, and nothing is where nobody looks."""
    before, after = (
        only(render(helm, REQUIRED | {"rules": each, "rulesReloadSeconds": reload_seconds}), "Deployment")
        for each in (RULES, rules)
    )
    assert (before != after) is restarts


def test_changed_settings_restart_pods(helm: str) -> None:
    """They are read at the start only."""
    before, after = (
        only(render(helm, REQUIRED | {"debounce.quietSeconds": seconds}), "Deployment") for seconds in (2, 3)
    )
    assert before["spec"]["template"] != after["spec"]["template"]


def test_selectors_find_the_service_and_nothing_beside_it(helm: str) -> None:
    """Emulator and test pods belong to no Service, budget or monitor of the service. Selectors never change."""
    objects = render(
        helm,
        REQUIRED | {"emulator.enabled": True, "serviceMonitor.enabled": True, "workload": "StatefulSet"},
    )
    selector = {"app.kubernetes.io/name": "audience-sync", "app.kubernetes.io/instance": "live"}
    others = [
        only(objects, "Deployment", "live-audience-sync-emulator")["spec"]["template"]["metadata"]["labels"],
        only(objects, "Pod", "live-audience-sync-test")["metadata"]["labels"],
        only(objects, "Service", "live-audience-sync-members")["metadata"]["labels"],
    ]

    assert only(objects, "StatefulSet")["spec"]["selector"]["matchLabels"] == selector
    assert only(objects, "Service")["spec"]["selector"] == selector
    assert only(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == selector
    assert only(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"] == selector
    for labels in others:
        assert not selector.items() <= labels.items()


def test_a_release_name_as_long_as_helm_allows_fits(helm: str) -> None:
    """Names of what belongs to it are 63 characters at most, pods of a StatefulSet included."""
    objects = render(helm, REQUIRED | {"fullnameOverride": "a" * 43, "workload": "StatefulSet"})
    for one in objects:
        assert len(one["metadata"]["name"]) <= 63 - len("-10")


@pytest.mark.parametrize(("status", "text"), [(200, "ok"), (503, "stopped, until a person acts")])
def test_helm_test_says_whether_a_replica_works(helm: str, status: int, text: str) -> None:
    """Its first container, against a service that works and one that does not."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    pod = only(render(helm, REQUIRED), "Pod", "live-audience-sync-test")["spec"]
    _, option, program, address = pod["containers"][0]["command"]
    assert address == "http://live-audience-sync:8080"
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        command = [sys.executable, option, program, f"http://127.0.0.1:{server.server_port}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode == 0) is (status == 200)
    assert text in done.stdout + done.stderr
