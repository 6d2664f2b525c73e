"""Prometheus itself, and its tools, for tests."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.support.ending import end_with_us
from tests.support.local_kafka import free_ports

ALERTS: Final = Path(__file__).parents[2] / "helm" / "audience-sync" / "files" / "alerts.yaml"
"""The alerts that are shipped."""


def shipped_alerts() -> dict[str, Any]:
    """Those, read."""
    return dict(YAML(typ="safe").load(ALERTS.read_text()))


def shipped_rules() -> list[dict[str, Any]]:
    """The rules in them, in their order."""
    return [rule for group in shipped_alerts()["groups"] for rule in group["rules"]]


_IN_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of promtool, which comes with Prometheus."""
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> str:
    """Path of Prometheus."""
    return _program("prometheus")


def _program(name: str) -> str:
    if found := shutil.which(name):
        return found
    why = f"{name} is not installed; it comes with Prometheus (Debian's package prometheus)"
    if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_PROMTOOL") == "1":
        pytest.fail(why)
    pytest.skip(why)


class Prometheus:
    """A Prometheus that scrapes what it is told, and judges by rules."""

    def __init__(self, url: str, targets: Path) -> None:
        self.url = url
        self._targets = targets

    def scrape(self, targets: Mapping[str, str]) -> None:
        """From now on {job: host:port} are scraped; it looks every second."""
        groups = [{"targets": [address], "labels": {"job": job}} for job, address in targets.items()]
        new = self._targets.with_suffix(".new")
        new.write_text(json.dumps(groups))
        new.rename(self._targets)

    def alerts(self) -> list[dict[str, Any]]:
        """Those that are pending or firing: {"labels": ..., "state": ...}."""
        return list(self._ask("alerts")["alerts"])

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with their health."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def query_range(self, query: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Series between two moments in epoch seconds: {"metric": labels, "values": [[at, text], ...]}."""
        asked = {"query": query, "start": start, "end": end, "step": step}
        return list(self._ask(f"query_range?{urllib.parse.urlencode(asked)}")["result"])

    def answers(self) -> bool:
        """Whether it can be asked."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{what}", timeout=10) as answer:
            return json.load(answer)["data"]


@contextmanager
def running_prometheus(
    program: str,
    folder: Path,
    *,
    rules: Sequence[Path] = (),
    every: str = "1s",
    keeps: str = "1d",
    data: Path | None = None,
) -> Iterator[Prometheus]:
    """A Prometheus on loopback for the block, scraping and judging every so often; its log is kept in *folder*."""
    targets = folder / "targets.json"
    targets.write_text("[]")
    configuration = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {
                "job_name": "audience-sync",
                "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    [port] = free_ports(1)
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={data or folder / 'tsdb'}",
                f"--storage.tsdb.retention.time={keeps}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watcher = end_with_us(process.pid)
    prometheus = Prometheus(f"http://127.0.0.1:{port}", targets)
    try:
        deadline = time.monotonic() + 60
        while not prometheus.answers():
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            assert time.monotonic() < deadline, "Prometheus does not answer"
            time.sleep(0.1)
        yield prometheus
    finally:
        process.kill()
        process.wait()
        watcher.kill()
        watcher.communicate()


def faster(rules: str, *, times: int) -> str:
    """Alerting *rules* in which each duration of an expression, and each `for`, is so many times shorter.

    Thresholds stay, those in seconds too.
    """

    def shorter(found: re.Match[str]) -> str:
        seconds = int(found["number"]) * _IN_SECONDS[found["unit"]]
        assert seconds % times == 0, f"{found[0]} can't be divided by {times}"
        return f"{found['before']}{seconds // times}s{found['after']}"

    duration = r"(?P<number>\d+)(?P<unit>[smh])"
    shortened = re.sub(rf"(?P<before>\[){duration}(?P<after>\])", shorter, rules)
    return re.sub(rf"(?P<before>\b(?:for:|offset) ){duration}(?P<after>\b)", shorter, shortened)
