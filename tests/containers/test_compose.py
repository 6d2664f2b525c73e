"""What deploy/README.md promises a laptop: all of it starts by one command, and can be looked at where the page says.

Grafana is left out: machines without an image registry have none, and nothing else waits for it.
"""

import asyncio
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from tests.support.compose import FILE, Compose, composed
from tests.support.containers import START_SECONDS
from tests.support.engine import Engine
from tests.support.prometheus import shipped_rules

pytestmark = pytest.mark.containers

PAGE: Final = FILE.with_name("README.md").read_text()


@pytest.fixture(scope="module")
def laptop(engine: Engine, prometheus: str) -> Iterator[Compose]:
    """All that runs, with the service ready."""
    with composed(engine, prometheus, ["service", "prometheus"]) as compose:
        wait_until(lambda: get(compose, 8080, "/readyz") == "ok\n", "the service is ready", compose)
        yield compose


def get(compose: Compose, port: int, path: str) -> Any:
    """What is answered, as JSON or text, on a port of the page; nothing where nobody answers, or with an error."""
    try:
        answer = httpx.get(
            f"{compose.here(f'http://127.0.0.1:{port}')}{path}", follow_redirects=True, timeout=5
        )
    except httpx.TransportError:
        return None
    if not answer.is_success:
        return None
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def wait_until(holds: Callable[[], bool], what: str, compose: Compose) -> None:
    """Return as soon as it *holds*; after START_SECONDS fail, with the end of what all have printed."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {START_SECONDS:.0f} s and still not: {what}\n{compose.run('logs')[-6000:]}"
            )
        time.sleep(0.3)


def test_the_event_of_the_page_reaches_its_user(laptop: Compose) -> None:
    """The very commands that a reader copies: one writes an event, the other looks at the user."""
    [block] = [
        block
        for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
        if "echo" in block
    ]
    write, look = (
        laptop.here(command.replace("docker compose -f deploy/compose.yaml", shlex.join(laptop.command)))
        for command in re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    )
    done = subprocess.run(
        write, shell=True, env=laptop.environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def in_step() -> bool:
        answer = httpx.get(look.removeprefix("curl ").strip())
        return answer.is_success and answer.json() == {"attributes": {"city": "Shenzhen"}, "tags": []}

    wait_until(in_step, "the user of the page is in step", laptop)


def test_events_written_from_the_laptop_arrive_too(laptop: Compose) -> None:
    """Kafka's own address for programs outside of the containers is right."""
    users = [f"user-{number}" for number in range(100)]

    async def produce() -> None:
        async with AIOKafkaProducer(bootstrap_servers=laptop.here("127.0.0.1:9094")) as producer:
            for user in users:
                event = {"kind": "city-changed", "user_id": user, "city": "Beijing"}
                await producer.send("city-changed", json.dumps(event).encode(), key=user.encode())

    asyncio.run(produce())

    def in_step() -> bool:
        found = get(laptop, 8090, "/control/state")["users"]
        return all(found.get(user, {}).get("attributes") == {"city": "Beijing"} for user in users)

    wait_until(in_step, "every user is in step", laptop)
    assert get(laptop, 8090, "/control/counters")["overlaps"] == []


def test_prometheus_looks_at_it_and_has_nothing_to_report(laptop: Compose) -> None:
    """It scrapes the service, has judged every alert that is shipped, and none is firing."""

    def judged() -> bool:
        groups = (get(laptop, 9090, "/api/v1/rules") or {"data": {"groups": []}})["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return len(rules) == len(shipped_rules()) and all(rule["health"] == "ok" for rule in rules)

    wait_until(judged, "Prometheus has judged our alerts", laptop)
    [target] = get(laptop, 9090, "/api/v1/targets")["data"]["activeTargets"]
    assert (target["labels"]["job"], target["health"], target["lastError"]) == ("audience-sync", "up", "")
    [ready] = get(laptop, 9090, "/api/v1/query?query=audience_sync_ready")["data"]["result"]
    assert ready["value"][1] == "1"
    alerts = get(laptop, 9090, "/api/v1/alerts")["data"]["alerts"]
    assert [alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"] == []


def test_what_waits_for_kafka_says_so_in_a_line(laptop: Compose) -> None:
    """The service may be up before Kafka is: it ends with the reason, and compose starts it again."""
    assert "Traceback" not in laptop.run("logs", "service")
