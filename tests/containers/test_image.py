"""The image that ships, with Kafka and the emulated Chat API, each in its container."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.support.containers import address, kafka_container, locked_down, logs, wait_until
from tests.support.engine import Engine
from tests.support.secrecy import KEYS, keep_watch_on, secrets_in

pytestmark = pytest.mark.containers

SIGNING_KEY: Final = "a key/that+would=be percent-encoded"
APP_ID: Final = 1400000000
USERS: Final = [f"user-{number}" for number in range(200)]
TOPICS: Final = ("membership-changed", "city-changed", "stock-follows")
KEYS.add(SIGNING_KEY)


@dataclass(frozen=True)
class Stage:
    """Everything that runs, as seen from the test."""

    kafka: str
    chat_api: httpx.Client
    service: httpx.Client
    containers: dict[str, DockerContainer]


@pytest.fixture(scope="module")
def stage(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Kafka, the emulator and the service, ready; everything is removed at the end."""
    key_file = tmp_path_factory.mktemp("secret") / "signing-key"
    key_file.write_text(SIGNING_KEY)
    key_file.chmod(0o444)
    with Network() as network, kafka_container(engine.kafka_image, network) as kafka:
        create_topics(kafka)
        emulator = locked_down(engine.image, network, "chat-api").with_exposed_ports(8090)
        emulator.with_command(["emulate", "--host", "0.0.0.0", "--attribute-names", "membership,city"])
        emulator.with_env("AUDIENCE_SYNC_EMULATOR_KEY", SIGNING_KEY)
        service = locked_down(engine.image, network, "service").with_exposed_ports(8080)
        service.with_volume_mapping(str(key_file), "/run/secrets/signing-key")
        for name, value in {
            "CHAT__APP_ID": str(APP_ID),
            "CHAT__BASE_URL": "http://chat-api:8090",
            "CHAT__SIGNING_KEY_FILE": "/run/secrets/signing-key",
            "DEBOUNCE__QUIET_SECONDS": "0.5",
            "KAFKA__BOOTSTRAP_SERVERS": "kafka:9092",
            "LOG__LEVEL": "DEBUG",
        }.items():
            service.with_env(f"AUDIENCE_SYNC_{name}", value)
        with emulator, httpx.Client(base_url=address(emulator, 8090)) as chat_api:
            wait_until(lambda: answers(chat_api, "/control/health"), "the emulator answers", emulator)
            with service, httpx.Client(base_url=address(service, 8080)) as admin:
                wait_until(lambda: answers(admin, "/readyz"), "the service is ready", service)
                yield Stage(kafka, chat_api, admin, {"service": service, "emulator": emulator})


def create_topics(kafka: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        forever = {"retention.ms": "-1"}
        dead_letters = NewTopic("audience-sync-dead-letters", 1, 1, topic_configs=forever)
        read = [*TOPICS, "audience-sync-dead-letters-replay"]
        admin.create_topics([dead_letters, *(NewTopic(topic, 8, 1) for topic in read)])
    finally:
        admin.close()


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


async def produce(kafka: str) -> dict[str, dict[str, object]]:
    """A few hundred events of three kinds; returns what each user has in the end."""
    expected: dict[str, dict[str, object]] = {}
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:

        async def send(topic: str, user: str, event: object) -> None:
            await producer.send(topic, json.dumps(event).encode(), key=user.encode())

        for number, user in enumerate(USERS):
            for tier in ("silver", "platinum"):
                data = {"user_id": user, "tier": tier}
                await send("membership-changed", user, cloud_event("membership.changed", data))
            city = ("Shenzhen", "深圳", "Beijing")[number % 3]
            await send("city-changed", user, {"kind": "city-changed", "user_id": user, "city": city})
            for kind, symbol in (("followed", "A"), ("followed", "B"), ("unfollowed", "A")):
                data = {"user_id": user, "symbol": symbol}
                await send("stock-follows", user, cloud_event(f"stock.{kind}", data))
            expected[user] = {"attributes": {"membership": "platinum", "city": city}, "tags": ["stock:B"]}
    return expected


def cloud_event(kind: str, data: dict[str, str]) -> dict[str, object]:
    return {"specversion": "1.0", "id": "1", "source": "test", "type": f"com.example.{kind}", "data": data}


def test_every_user_is_in_step(stage: Stage) -> None:
    """Events in Kafka become attributes and tags at the Chat API, within its limits, and the metrics say so."""
    expected = asyncio.run(produce(stage.kafka))

    def in_step() -> bool:
        found = stage.chat_api.get("/control/state").json()["users"]
        return all(
            user in found and {name: found[user][name] for name in wanted} == wanted
            for user, wanted in expected.items()
        )

    wait_until(in_step, "every user is in step", stage.containers["service"])
    counters = stage.chat_api.get("/control/counters").json()
    assert counters["overlaps"] == []
    assert counters["broken_limits"] == []
    metrics = stage.service.get("/metrics", follow_redirects=True).text
    assert re.search(r'^audience_sync_\w+\{[^}]*"confirmed"[^}]*\} [1-9]', metrics, re.MULTILINE), metrics


def test_it_can_do_nothing_that_it_need_not(stage: Stage) -> None:
    """The process is nobody in particular, and its own files are beyond it."""
    service = stage.containers["service"]
    assert service.exec(["python3", "-c", "import os; print(os.getuid())"]).output.strip() == b"10001"

    written = service.exec(["python3", "-c", "open('/opt/audience-sync/mark', 'w')"])
    assert written.exit_code != 0
    assert b"Read-only file system" in written.output


def test_the_engine_can_see_that_it_lives(stage: Stage) -> None:
    """The image's health check passes where the service runs, and needs no tool but Python."""
    service = stage.containers["service"]
    kind, *command = service.get_wrapped_container().attrs["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    assert service.exec(command).exit_code == 0


def test_it_stops_in_order_and_told_no_secret(stage: Stage, tmp_path: Path) -> None:
    """SIGTERM ends all with 0, after the last commit; what they printed, at DEBUG too, is searched with the rest."""
    for name, container in stage.containers.items():
        wrapped = container.get_wrapped_container()
        wrapped.stop(timeout=40)
        assert wrapped.wait()["StatusCode"] == 0, logs(container)[-3000:]
        printed = tmp_path / f"{name}.log"
        printed.write_text(logs(container))
        keep_watch_on(printed)
        assert not list(secrets_in(printed.read_text())), name
    assert '"stopped"' in logs(stage.containers["service"])
