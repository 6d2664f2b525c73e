"""The helm program on our chart."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.support.cache import cache_folder

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "helm" / "audience-sync"
EXAMPLES: Final = sorted((ROOT / "helm" / "examples").glob("*.yaml"))
KUBERNETES: Final = ("1.25.0", "1.34.0")
"""The oldest that Chart.yaml names, and one of the newest that the validator knows."""

Object = dict[str, Any]
"""A Kubernetes object, as YAML has it."""


def program(name: str, *, required_by: str, built_by: str = "tests/support/prepare.sh") -> str:
    """The machine's program of that name, or the one that was built; else the test is skipped, or fails in CI."""
    built = sorted(cache_folder().glob(f"bin/{name}-v*"))
    if found := shutil.which(name) or next((str(path) for path in built), None):
        return found
    if os.environ.get(required_by) == "1":
        pytest.fail(f"{name} is required here; {built_by} builds it")
    pytest.skip(f"needs {name}; {built_by} builds it")


@pytest.fixture(scope="session")
def helm() -> str:
    """The helm program: the machine's, or the one that tests/support/prepare.sh builds."""
    return program("helm", required_by="AUDIENCE_SYNC_TEST_REQUIRE_HELM")


def run_helm(
    helm: str,
    values: Mapping[str, object] | None = None,
    *,
    files: Sequence[Path] = (),
    kubernetes: str = KUBERNETES[1],
) -> subprocess.CompletedProcess[str]:
    """What `helm template` answers. values: {path: value}, over those of *files*."""
    command = [helm, "template", "live", str(CHART), "--kube-version", kubernetes]
    command += [f"--values={file}" for file in files]
    command += [f"--set-json={name}={json.dumps(value)}" for name, value in (values or {}).items()]
    return _answer_to(tuple(command))


@cache
def _answer_to(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """The chart does not change while tests run, and helm takes its time."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def render(
    helm: str,
    values: Mapping[str, object] | None = None,
    *,
    files: Sequence[Path] = (),
    kubernetes: str = KUBERNETES[1],
) -> list[Object]:
    """The objects that the chart makes, or AssertionError with helm's message."""
    done = run_helm(helm, values, files=files, kubernetes=kubernetes)
    assert done.returncode == 0, done.stderr
    return objects_in(done.stdout)


def objects_in(text: str) -> list[Object]:
    """The objects of a stream of YAML documents."""
    return [document for document in YAML(typ="safe").load_all(text) if document]


def only(objects: list[Object], kind: str, name: str = "live-audience-sync") -> Object:
    """The one object of that kind and name."""
    [found] = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def kinds(objects: list[Object]) -> set[str]:
    """The kinds of these objects."""
    return {one["kind"] for one in objects}
