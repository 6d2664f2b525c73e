"""What deploy/ holds fits together, and is what the tests in containers run."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from audience_sync import settings
from tests.support.local_kafka import kafka_version
from tests.support.prometheus import ALERTS

DEPLOY: Final = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def services() -> dict[str, Any]:
    """The services of compose.yaml."""
    loaded: dict[str, Any] = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text())["services"]
    return loaded


def test_compose_understands_it() -> None:
    """Its own reading, where it is installed."""
    if shutil.which("docker") is None:
        pytest.skip("needs the docker client with compose")
    command = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "is not a docker command" in done.stderr or "unknown shorthand flag" in done.stderr:
        pytest.skip("the docker client here has no compose")
    assert done.returncode == 0, done.stderr


def test_nothing_listens_beyond_this_machine(services: dict[str, Any]) -> None:
    """A laptop is on other people's networks."""
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_service_starts_with_what_it_is_given(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every variable is a setting, and the key is the emulator's."""
    given = services["service"]["environment"]
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    loaded = settings.load(given)

    assert loaded.chat.base_url == "http://chat-api:8090"
    emulator = services["chat-api"]["environment"]["AUDIENCE_SYNC_EMULATOR_KEY"]
    assert loaded.chat.signing_key is not None
    assert loaded.chat.signing_key.get_secret_value() == emulator


def test_it_is_given_longer_than_its_drain(services: dict[str, Any]) -> None:
    """Docker must not kill what is still settling."""
    grace_seconds = float(services["service"]["stop_grace_period"].removesuffix("s"))
    assert grace_seconds > settings.Settings.model_fields["drain_seconds"].default


def test_kafka_is_the_version_of_the_tests(services: dict[str, Any]) -> None:
    """What is tried is what is shown."""
    assert services["kafka"]["image"].endswith(f"apache/kafka:{kafka_version()}}}")


def test_what_is_mounted_is_there(services: dict[str, Any]) -> None:
    """Compose would make an empty folder of a file that is not, and nobody would see an alert."""
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    assert {Path(path).name for path in mounted} >= {"alerts.yaml", "dashboard.json"}
    assert [path for path in mounted if not (DEPLOY / path).is_file()] == []


def test_prometheus_understands_its_file(tmp_path: Path) -> None:
    """Its own reading, with the alerts beside it, where promtool is installed."""
    if shutil.which("promtool") is None:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_PROMTOOL") == "1":
            pytest.fail("promtool is required here; tests/support/prepare.sh installs it")
        pytest.skip("needs promtool")
    for file in (DEPLOY / "prometheus.yml", ALERTS):
        shutil.copy(file, tmp_path)
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules found" in done.stdout
