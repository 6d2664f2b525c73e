"""Events in Confluent's wire format, with a real broker and a real registry, which may be down."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto

from audience_sync.events.formats.protobuf import ProtobufSchema
from audience_sync.events.schema_registry import RegistryAddress, SchemaRegistry
from audience_sync.events.schemas import Described, UnknownSchemaError
from tests.support.apicurio import Apicurio
from tests.support.fleet import Fleet, emulated_chat, eventually
from tests.support.local_kafka import free_ports
from tests.support.product import Feed
from tests.support.relay import relay_to
from tests.support.schemas import MEMBER, avro, framed, proto_file, serialised, text_of

RULES = """
sources:
  - {topic: TOPIC, format: avro}
rules:
  - name: tier
    event: com.example.MemberChanged
    user: "{user_id}"
    changes:
      - set_attribute: {name: membership, value: "{tier}"}
"""


def register(apicurio: Apicurio, subject: str, schema: str, **more: Any) -> int:
    """Give the registry a schema. Returns its id."""
    body = json.dumps({"schema": schema} | more).encode()
    kind = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    request = urllib.request.Request(f"{apicurio.url}/subjects/{subject}/versions", body, kind)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(json.load(answer)["id"])


async def fetched(apicurio: Apicurio, schema_id: int) -> Described:
    client = SchemaRegistry(RegistryAddress(url=apicurio.url))
    try:
        return await client.fetch(schema_id)
    finally:
        await client.close()


async def test_a_real_registry_tells_schemas_with_what_they_refer_to(apicurio: Apicurio) -> None:
    user = {"type": "record", "name": "com.example.User", "fields": [{"name": "id", "type": "string"}]}
    event = {"type": "record", "name": "E", "fields": [{"name": "user", "type": "com.example.User"}]}
    register(apicurio, "user", text_of(user))
    refers = [{"name": "com.example.User", "subject": "user", "version": 1}]
    schema_id = register(apicurio, "event", text_of(event), references=refers)

    described = await fetched(apicurio, schema_id)

    assert described.kind == "AVRO"
    assert json.loads(described.text) == event
    assert {name: json.loads(text) for name, text in described.references.items()} == {
        "com.example.User": user
    }


async def test_a_real_registry_tells_protobuf_as_it_was_given(apicurio: Apicurio) -> None:
    """Apicurio can't make the serialised form, but keeps it where the producer has registered it so."""
    file = proto_file(E={"id": (1, Proto.TYPE_STRING, "")})
    schema_id = register(apicurio, "proto", serialised(file), schemaType="PROTOBUF")

    described = await fetched(apicurio, schema_id)

    schema = ProtobufSchema(described.text, described.references)
    assert schema.read(b"\x00\x0a\x01a") == ("com.example.E", {"id": "a"})


async def test_a_real_registry_says_that_it_knows_no_such_schema(apicurio: Apicurio) -> None:
    with pytest.raises(UnknownSchemaError):
        await fetched(apicurio, 424242)


@pytest.fixture
def topic() -> str:
    """A topic that no other run has."""
    return f"test-{uuid4().hex[:8]}"


@pytest.fixture
def registry_port() -> int:
    """Where the service asks for schemas; nobody listens there at first."""
    [port] = free_ports(1)
    return port


@pytest.fixture
def environment(tmp_path: Path, topic: str, registry_port: int) -> dict[str, str]:
    """Settings of replicas that read one topic of Avro."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("TOPIC", topic))
    return {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topic,
        "AUDIENCE_SYNC_RULES_FILE": str(rules),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topic}-dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.2",
        "AUDIENCE_SYNC_REGISTRY__URL": f"http://127.0.0.1:{registry_port}/apis/ccompat/v7",
        "AUDIENCE_SYNC_REGISTRY__TIMEOUT_SECONDS": "2",
    }


@pytest.fixture
def fleet(tmp_path: Path, broker: str, environment: dict[str, str]) -> Iterator[Fleet]:
    """Replicas before one emulator."""
    with (
        emulated_chat(tmp_path) as chat,
        Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet,
    ):
        yield fleet


@pytest.mark.broker
def test_while_the_registry_is_down_records_wait_and_none_is_given_up(
    fleet: Fleet,
    broker: str,
    topic: str,
    registry_port: int,
    apicurio: Apicurio,
    environment: dict[str, str],
) -> None:
    """They are applied once it answers; what it definitely does not know goes to the dead letters alone."""
    at = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    member = register(apicurio, "member", text_of(MEMBER))
    replica = fleet.start()
    fleet.wait_until_ready()
    feed = Feed(broker)
    for number in range(50):
        value = framed(member, avro(MEMBER, {"user_id": f"user-{number}", "tier": "GOLD", "at": at}))
        feed.send(topic, f"user-{number}".encode(), value)
    feed.send(topic, b"user-0", framed(424242, b"x"))
    feed.flush()

    eventually(
        lambda: replica.metric("audience_sync_schema_fetches_total") >= 2, "the registry was asked twice"
    )
    assert replica.metric("audience_sync_wanted_schemas") == 1
    assert replica.metric("audience_sync_dead_letters_total") == 0
    assert fleet.chat.state() == {}

    with relay_to(apicurio.url, port=registry_port):
        eventually(lambda: len(fleet.chat.state()) == 50, "all users are in step", 60)
        eventually(lambda: replica.metric("audience_sync_dead_letters_total") == 1, "one record is given up")
        planned = subprocess.run(
            [sys.executable, "-m", "audience_sync", "plan", "--topic", topic, "--last", "51", "--json"],
            env=os.environ | environment | {"AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": broker},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert planned.returncode == 0, planned.stderr
        assert [each["users"] for each in json.loads(planned.stdout)["first_requests"]] == [50]
    assert {user["attributes"]["membership"] for user in fleet.chat.state().values()} == {"GOLD"}
    assert "schema_not_fetched" in replica.text()
    assert "Traceback" not in replica.text()
