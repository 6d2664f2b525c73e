"""Podman where there is no Docker and no image registry: base images from Debian, ours built on them.

Everything is kept in the cache folder, apart from the machine's own podman. Root is needed to make images
and to run containers; `vfs` and `runc` are what works inside a container or a small virtual machine, too.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.cache import cache_folder, only_one
from tests.support.local_kafka import FOLDER as KAFKA_FOLDER
from tests.support.local_kafka import console_jars, kafka_jars, kafka_version

PROGRAMS: Final = ("podman", "runc", "debootstrap", "iptables", "tar")
NETWORK_PROGRAMS: Final = ("netavark", "aardvark-dns")
RUN_FOLDERS: Final = Path("/run/audience-sync")
"""What podman forgets at a restart of the machine; a folder for each cache folder."""
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_CONFIGURATION: Final = Path("/etc/pip.conf")
PYTHON_PACKAGES: Final = ("ca-certificates", "python3", "python3-venv")
BUILD_OPTIONS: Final = ("--layers=false", "--isolation=chroot")


class PodmanError(Exception):
    """A step of the preparation failed; the message has the end of what it printed."""


def missing() -> str:
    """What this machine lacks, in words, or nothing."""
    if os.geteuid() != 0:
        return "that needs root"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    absent += [name for name in NETWORK_PROGRAMS if not Path("/usr/lib/podman", name).exists()]
    return f"not installed: {', '.join(absent)} (tests/support/prepare.sh installs them)" if absent else ""


def images(root: Path, build: Mapping[str, str]) -> tuple[str, str]:
    """Names of this project's image and of Kafka's, made where they are not there yet. Raises PodmanError.

    build: what image/build.sh is told besides, as variables.

    The name ends in a digest of what the image is made from, so what did not change is not built again.
    """
    with only_one("podman"):
        _configure()
        sources = [
            root / name for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE")
        ]
        sources += [path for name in ("image", "service") for path in sorted((root / name).rglob("*"))]
        image = f"localhost/audience-sync:{_digest(sources, root)}"
        if not _is_there(image):
            base = _base("python", PYTHON_PACKAGES)
            _forget_older(image)
            _run(
                [str(root / "image" / "build.sh"), *BUILD_OPTIONS, *_certificates()],
                {"IMAGE": image, "BASE": base, **build},
            )
        kafka_sources = sorted(path for path in KAFKA_FOLDER.iterdir() if path.is_file())
        kafka_image = (
            f"localhost/audience-sync-kafka:{kafka_version()}-{_digest(kafka_sources, KAFKA_FOLDER)}"
        )
        if not _is_there(kafka_image):
            base = _base("java", ["default-jre-headless"])
            with tempfile.TemporaryDirectory(prefix="audience-sync-image-") as folder:
                context = shutil.copytree(KAFKA_FOLDER, Path(folder) / "context")
                shutil.copytree(kafka_jars(), context / "jars")
                shutil.copytree(console_jars(), context / "jars", dirs_exist_ok=True)
                _build(kafka_image, context, base, [])
        return image, kafka_image


def prometheus_image(program: Path) -> str:
    """Name of an image of the Prometheus that is installed here, made where there is none yet. Raises PodmanError."""
    recipe = Path(__file__).with_name("prometheus.Dockerfile")
    with only_one("podman"):
        image = f"localhost/audience-sync-prometheus:{_digest([recipe, program], Path('/'))}"
        if not _is_there(image):
            base = _base("python", PYTHON_PACKAGES)
            with tempfile.TemporaryDirectory(prefix="audience-sync-image-") as folder:
                shutil.copy(program, Path(folder) / "prometheus")
                _build(image, Path(folder), base, [f"--file={recipe}"])
        return image


def environment() -> dict[str, str]:
    """What podman's commands must be told, to work with the storage of ours."""
    folder = cache_folder() / "podman"
    return os.environ | {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }


@contextmanager
def service() -> Iterator[str]:
    """Podman answering Docker's API at the address given, until the end. Raises PodmanError."""
    _configure()
    with tempfile.TemporaryDirectory(prefix="audience-sync-podman-") as folder:
        socket, log = Path(folder) / "podman.sock", Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["podman", "system", "service", "--time=0", f"unix://{socket}"],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            deadline = time.monotonic() + 30
            while not socket.exists():
                if time.monotonic() > deadline or process.poll() is not None:
                    raise PodmanError(f"podman's service did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield f"unix://{socket}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _base(name: str, packages: Sequence[str]) -> str:
    """A Debian of this machine's suite with *packages*, as an image."""
    suite = _suite()
    image = f"localhost/audience-sync-{name}:{suite}"
    if not _is_there(image):
        with tempfile.TemporaryDirectory(prefix="audience-sync-base-", dir=cache_folder()) as folder:
            tree, archive = Path(folder) / "tree", Path(folder) / "tree.tar"
            _run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(tree)])
            leave_out = ["--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists", "--exclude=./dev/*"]
            _run(["tar", "-C", str(tree), *leave_out, "-cf", str(archive), "."])
            _run(["podman", "import", "--quiet", str(archive), image])
    return image


def _suite() -> str:
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )
    if release.get("ID") != "debian":
        raise PodmanError("base images are made from Debian's packages, on Debian")
    return release["VERSION_CODENAME"].strip('"')


def _build(image: str, context: Path, base: str, more: Sequence[str]) -> None:
    command = ["podman", "build", *BUILD_OPTIONS, "--format=docker", f"--build-arg=BASE={base}"]
    _run([*command, *more, f"--tag={image}", str(context)])


def _certificates() -> list[str]:
    """What lends the build our certificates and pip settings: it reaches the package index as we do."""
    lent = [path for path in (CERTIFICATES, PIP_CONFIGURATION) if path.is_file()]
    return [f"--volume={path}:{path}:ro" for path in lent]


def _forget_older(image: str) -> None:
    """Remove earlier builds of the same image; one that a container still uses stays."""
    name = image.partition(":")[0]
    listed = _run(["podman", "images", "--format={{.Repository}}:{{.Tag}}", f"--filter=reference={name}"])
    for older in listed.split():
        subprocess.run(
            ["podman", "rmi", older], env=environment(), capture_output=True, timeout=120, check=False
        )


def _is_there(image: str) -> bool:
    asked = ["podman", "image", "exists", image]
    return (
        subprocess.run(asked, env=environment(), capture_output=True, timeout=60, check=False).returncode == 0
    )


def _digest(paths: Sequence[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_mode}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _configure() -> None:
    folder = cache_folder() / "podman"
    folder.mkdir(exist_ok=True)
    run_folder = RUN_FOLDERS / hashlib.sha256(bytes(folder)).hexdigest()[:8]
    (folder / "containers.conf").write_text(
        "[containers]\n"
        'default_ulimits = ["nofile=8192:8192", "nproc=4096:4096"]\n'
        "[engine]\n"
        f'runtime = "runc"\ntmp_dir = "{run_folder}/libpod"\n'
        'events_logger = "file"\ncgroup_manager = "cgroupfs"\n'
        "[network]\n"
        f'network_backend = "netavark"\nnetwork_config_dir = "{folder}/networks"\n'
    )
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/storage"\nrunroot = "{run_folder}/containers"\n'
    )


def _run(command: Sequence[str], more: Mapping[str, str] | None = None) -> str:
    told = environment() | dict(more or {})
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode != 0:
        raise PodmanError(
            f"{' '.join(command[:3])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
        )
    return done.stdout
