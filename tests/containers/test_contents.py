"""What the image holds and what it may do: tried as its strictest host would run it, and without any network."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name
from testcontainers.core.container import DockerContainer

from audience_sync import __version__
from tests.docs.test_image_pins import listed
from tests.support.containers import LOCKED_DOWN
from tests.support.engine import BUILT_AT, REVISION, Engine

pytestmark = pytest.mark.containers

BILL: Final = "/opt/audience-sync/sbom.cdx.json"
GOOD: Final = {
    "AUDIENCE_SYNC_CHAT__APP_ID": "1400000000",
    "AUDIENCE_SYNC_CHAT__SIGNING_KEY": "of-no-app",
    "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": "kafka:9092",
}

WALK: Final = """
import contextlib, json, os, pathlib, stat
found = []
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = [each for each in folders if each not in ("proc", "sys")]  # the kernel's
    mark = pathlib.Path(folder, "mark")
    with contextlib.suppress(OSError):
        mark.touch(exist_ok=False)
        mark.unlink()
        found.append(folder)
        continue
    for file in map(pathlib.Path(folder).joinpath, files):
        with contextlib.suppress(OSError):
            if stat.S_ISREG(file.lstat().st_mode):
                file.open("r+b").close()
                found.append(str(file))
print(json.dumps(found))
"""
"""Tries to make a file in every folder, and to open every file for writing."""

LOOK: Final = """
import json, os, sys
found = {}
for folder, folders, files in os.walk("/opt/audience-sync"):
    for name in [*folders, *files]:
        path = os.path.join(folder, name)
        seen = os.lstat(path)
        head = open(path, "rb").read(8).hex() if name.endswith(".pyc") else ""
        found[path] = [seen.st_uid, seen.st_mode, seen.st_mtime, head]
json.dump(found, sys.stdout)
"""
"""Who owns each file of ours, its mode, its time, and how a compiled one begins."""


@dataclass(frozen=True)
class Workbench:
    """A container of the image that waits, locked down, for what is done in it."""

    container: Any

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Exit code and output."""
        done = self.container.exec_run([*command], environment=dict(environment or {}))
        return done.exit_code, done.output.decode()

    def read(self, program: str) -> Any:
        """What a program in Python prints as JSON."""
        code, output = self.run("python3", "-c", program)
        assert code == 0, output
        return json.loads(output)


@pytest.fixture(scope="module")
def workbench(engine: Engine) -> Iterator[Workbench]:
    """The image, read-only, without capabilities and with no network at all."""
    container = DockerContainer(engine.image).with_tmpfs_mount("/tmp")
    container.with_kwargs(
        **LOCKED_DOWN, network_mode="none", entrypoint=["python3", "-c"], stop_signal="KILL"
    )
    with container.with_command(["import time; time.sleep(3600)"]):
        yield Workbench(container.get_wrapped_container())


def test_it_says_which_commit_it_was_built_from(workbench: Workbench) -> None:
    """On the command line and in its labels."""
    assert workbench.run("audience-sync", "--version") == (0, f"{__version__} (commit {REVISION})\n")
    labels = workbench.container.image.labels
    assert labels["org.opencontainers.image.revision"] == REVISION
    assert labels["org.opencontainers.image.version"] == __version__


def test_good_settings_are_shown_and_bad_ones_named(workbench: Workbench) -> None:
    """The same words as anywhere, and no traceback."""
    code, shown = workbench.run("audience-sync", "check-config", environment=GOOD)
    assert code == 0, shown
    assert "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS=kafka:9092" in shown
    assert GOOD["AUDIENCE_SYNC_CHAT__SIGNING_KEY"] not in shown

    bad = GOOD | {"AUDIENCE_SYNC_CHAT__APP_ID": "none", "AUDIENCE_SYNC_DRAIN_SECONDS": "-1"}
    code, told = workbench.run("audience-sync", "check-config", environment=bad)
    assert code == 2
    assert "AUDIENCE_SYNC_CHAT__APP_ID" in told
    assert "AUDIENCE_SYNC_DRAIN_SECONDS" in told
    assert "Traceback" not in told


def test_the_demo_runs_in_it(workbench: Workbench) -> None:
    """Broker, Chat API and service in one locked container, and every user is in step at the end."""
    code, told = workbench.run("audience-sync", "demo", "--seconds", "3", "--users", "300", "--rate", "300")
    assert code == 0, told
    assert "What must hold" in told


def test_nothing_can_be_written_but_the_temporary_folder(workbench: Workbench) -> None:
    """Every folder and every file is tried. The others are memory that engines give, /var/tmp only podman."""
    assert workbench.run("id", "-u") == (0, "10001\n")
    writable = set(workbench.read(WALK))
    assert "/tmp" in writable
    assert writable <= {"/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"}
    mounted = [line.split() for line in workbench.run("cat", "/proc/mounts")[1].splitlines()]
    assert writable <= {where for _, where, kind, *_ in mounted if kind in {"tmpfs", "mqueue"}}


def test_its_files_are_roots_and_the_same_in_every_build(workbench: Workbench) -> None:
    """Also where the root can be written; times are those of the commit, compiled files hold none."""
    files = workbench.read(LOOK)
    assert len(files) > 1000
    assert {owner for owner, *_ in files.values()} == {0}
    assert [
        path for path, (_, mode, *_) in files.items() if mode & 0o022 and mode & 0o170000 != 0o120000
    ] == []
    assert {time for _, _, time, _ in files.values()} == {BUILT_AT}
    assert {head[8:] for *_, head in files.values() if head} == {"01000000"}  # found by hash, never looked at


def test_the_bill_of_materials_names_what_is_there(workbench: Workbench) -> None:
    """Valid CycloneDX, and each package with its version: those of the list that was installed by hash."""
    code, text = workbench.run("python3", "-c", f"print(open({BILL!r}).read())")
    assert code == 0, text
    bill = json.loads(text)
    version = SchemaVersion.from_version(bill["specVersion"])
    assert JsonStrictValidator(version).validate_str(text) is None
    assert bill["metadata"]["component"]["version"] == __version__

    found = {canonicalize_name(each["name"]): each["version"] for each in bill["components"]}
    installed = workbench.read(
        "import json, importlib.metadata as m;"
        "print(json.dumps({each.name: each.version for each in m.distributions()}))"
    )
    del installed["audience-sync"]
    assert found == {canonicalize_name(name): version for name, version in installed.items()}
    pinned = {each.name: str(each.specifier) for each in listed("packages")}
    assert {name: f"=={version}" for name, version in found.items()}.items() <= pinned.items()


def test_nothing_can_be_installed_with_what_it_brings(workbench: Workbench) -> None:
    """Its environment has no pip, and nothing of what built it."""
    code, told = workbench.run("python3", "-m", "pip", "--version")
    assert code != 0
    assert "No module named pip" in told
    assert workbench.run("python3", "-c", "import hatchling")[0] != 0


def test_a_container_that_serves_nothing_is_not_healthy(workbench: Workbench) -> None:
    """So that the check which passes beside the service means something."""
    kind, *command = workbench.container.attrs["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    assert workbench.run(*command)[0] != 0
