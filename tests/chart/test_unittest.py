"""The chart's own unit tests pass, and fail for each of a list of ways to spoil the chart."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.helm import CHART, ROOT, program

SPOILT: Final[list[tuple[str, str, str, str]]] = [
    ("no liveness probe", "_pod.tpl", "livenessProbe:", "livenessProbeOff:"),
    ("no readiness probe", "_pod.tpl", "readinessProbe:", "readinessProbeOff:"),
    (
        "liveness asks for the work",
        "_pod.tpl",
        "path: /livez\n          port: admin\n        periodSeconds: 10",
        "path: /readyz\n          port: admin\n        periodSeconds: 10",
    ),
    ("runs as root", "_helpers.tpl", "runAsNonRoot: true\nrunAsUser: 10001", "runAsUser: 0"),
    (
        "writes to its root",
        "_helpers.tpl",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
    ),
    ("keeps capabilities", "_helpers.tpl", "drop: [ALL]", "drop: []"),
    (
        "may gain privileges",
        "_helpers.tpl",
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
    ),
    ("no seccomp profile", "_helpers.tpl", "type: RuntimeDefault", "type: Unconfined"),
    ("no limits", "_pod.tpl", "{{- toYaml .Values.resources | nindent 8 }}", "{}"),
    ("service links", "_pod.tpl", "enableServiceLinks: false", "enableServiceLinks: true"),
    (
        "a token in the pod",
        "_pod.tpl",
        "automountServiceAccountToken: false",
        "automountServiceAccountToken: true",
    ),
    ("grace below the drain", "_helpers.tpl", "{{- add ($drain | ceil | int64) 15 -}}", "10"),
    (
        "grace not compared",
        "_check.tpl",
        '{{- if le (int64 (include "audience-sync.graceSeconds" .))',
        '{{- if lt (int64 (include "audience-sync.graceSeconds" .))',
    ),
    (
        "a rollout that never begins",
        "workload.yaml",
        "maxUnavailable: {{ .Values.rollout.maxUnavailable }}",
        "maxUnavailable: 0",
    ),
    (
        "members in order",
        "workload.yaml",
        "podManagementPolicy: Parallel",
        "podManagementPolicy: OrderedReady",
    ),
    (
        "rules mounted as one file",
        "_pod.tpl",
        "mountPath: /etc/audience-sync\n    readOnly: true",
        "mountPath: /etc/audience-sync/rules.yaml\n    subPath: rules.yaml\n    readOnly: true",
    ),
    (
        "one name for all members",
        "_pod.tpl",
        'if and (eq .Values.workload "StatefulSet") (not .isTest)',
        "if not .isTest",
    ),
    (
        "the test takes a member's name",
        "_pod.tpl",
        'if and (eq .Values.workload "StatefulSet") (not .isTest)',
        'if eq .Values.workload "StatefulSet"',
    ),
    (
        "unready pods block a drain",
        "poddisruptionbudget.yaml",
        "unhealthyPodEvictionPolicy: AlwaysAllow",
        "unhealthyPodEvictionPolicy: IfHealthyBudget",
    ),
    (
        "hides unready pods",
        "service.yaml",
        "publishNotReadyAddresses: true",
        "publishNotReadyAddresses: false",
    ),
    ("both autoscalers", "autoscaling.yaml", '{{- else if eq .by "keda" -}}', "{{- else -}}"),
    (
        "scales by all that is unread",
        "autoscaling.yaml",
        "name: audience_sync_shareable_records",
        "name: audience_sync_unread_records",
    ),
    (
        "two monitors",
        "_check.tpl",
        '"serviceMonitor.enabled" $v.serviceMonitor.enabled "podMonitor.enabled"',
        '"serviceMonitor.enabled" false "podMonitor.enabled"',
    ),
    (
        "scraped twice",
        "_pod.tpl",
        "{{- if not (or .Values.serviceMonitor.enabled .Values",
        "{{- if not (or .Values",
    ),
    ("the emulator may call out", "networkpolicy.yaml", "egress: [] # nothing leaves it", "egress: [{}]"),
    (
        "a million as 1e+06",
        "_variables.tpl",
        "{{ $value | toJson | quote }}",
        "{{ $value | toString | quote }}",
    ),
    ("keys that all may read", "_pod.tpl", "defaultMode: 288", "defaultMode: 292"),
]
"""What was spoilt, in which template, and how."""


def outcome(folder: Path) -> subprocess.CompletedProcess[str]:
    """What helm-unittest says of the chart there."""
    unittest = program("helm-unittest", required_by="AUDIENCE_SYNC_TEST_REQUIRE_HELM")
    return subprocess.run([unittest, str(folder)], capture_output=True, text=True, timeout=300, check=False)


def a_copy(tmp_path: Path) -> Path:
    """The chart and its examples, to be spoilt."""
    shutil.copytree(ROOT / "helm", tmp_path / "helm")
    return tmp_path / "helm" / "audience-sync"


def test_the_chart_passes_its_own_tests() -> None:
    """Those in helm/audience-sync/tests."""
    done = outcome(CHART)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("_what", "template", "old", "new"), SPOILT, ids=[row[0] for row in SPOILT])
def test_a_spoilt_chart_does_not(tmp_path: Path, _what: str, template: str, old: str, new: str) -> None:
    """Each is a slip that would be found on the first bad night."""
    chart = a_copy(tmp_path)
    file = chart / "templates" / template
    text = file.read_text()
    assert old in text, f"{template} no longer says {old!r}: spoil what it says now"
    file.write_text(text.replace(old, new, 1))

    done = outcome(chart)

    assert done.returncode != 0, "nothing has noticed"
    assert "failed" in done.stdout, done.stdout + done.stderr
