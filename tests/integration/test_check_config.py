"""`audience-sync check-config --online`: broker and API are asked, all findings come at once, and nothing changes."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audience_sync.commands.stop import ExitCode
from audience_sync.emulator.server import Emulator
from audience_sync.events.kafka_admin import KafkaAddress, ask
from audience_sync.events.security import KafkaSecurity
from audience_sync.settings import PREFIX
from tests.support.kafka_topics import a_topic, write
from tests.support.shell import Shell, account_of, emulated

pytestmark = pytest.mark.broker

RULES = """
sources:
  - {{topic: {moves}, format: json, type: moved}}
  - {{topic: {levels}, format: json, type: level}}
rules:
  - name: city
    event: moved
    user: "{{user}}"
    changes: [set_attribute: {{name: city, value: "{{city}}"}}]
  - name: level
    event: level
    user: "{{user}}"
    changes: [set_attribute: {{name: level, value: "{{level}}"}}]
"""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An app without attributes."""
    with emulated() as running:
        yield running


def shell(tmp_path: Path, broker: str, emulator: Emulator, *, moves: str, levels: str, dead: str) -> Shell:
    """Commands with these settings and rules."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.format(moves=moves, levels=levels))
    return Shell(
        account_of(emulator)
        | {
            f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": broker,
            f"{PREFIX}KAFKA__GROUP_ID": f"group-of-{moves}",
            f"{PREFIX}RULES_FILE": str(rules),
            f"{PREFIX}DEAD_LETTERS__TOPIC": dead,
        }
    )


def told(shell: Shell, code: int) -> dict[str, Any]:
    """What `--json` prints, the command ending with *code*."""
    ended = shell("check-config", "--online", "--json")
    assert ended.code == code, ended.seen
    return dict(json.loads(ended.out))


def found(content: dict[str, Any], weight: str) -> str:
    """All findings of this weight, as one text."""
    return "\n".join(finding["what"] for finding in content["findings"] if finding["weight"] == weight)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, broker: str, emulator: Emulator) -> None:
    """Partition counts, a topic that is missing, keys, and attributes: one look, and nothing is created by it."""
    moves, levels = a_topic(broker), a_topic(broker, partitions=2)
    asyncio.run(write(broker, moves, b'{"user": "alice", "city": "Shenzhen"}', b"no JSON", b"no JSON"))
    asyncio.run(write(broker, levels, b"no JSON"))
    commands = shell(tmp_path, broker, emulator, moves=moves, levels=levels, dead=f"{moves}-dead")

    content = told(commands, ExitCode.UNAVAILABLE)

    problems, warnings = found(content, "problem"), found(content, "warning")
    assert f"no topic '{moves}-dead'" in problems
    assert f"{moves}: 1, {levels}: 2" in problems
    assert "set-attribute-names 0=city 1=level" in problems
    assert f"topic '{moves}'" in warnings
    assert "another key than their user" in warnings
    assert f"topic '{levels}': none of the last 1 records" in warnings
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity())
    assert f"{moves}-dead" not in ask(address, lambda kafka: kafka.partitions([f"{moves}-dead"]))
    assert [slot["name"] for slot in content["slots"][:3]] == ["city", "level", None]
    assert [slot["is_proposed"] for slot in content["slots"][:3]] == [True, True, False]


def test_where_all_is_well_the_slots_are_shown_with_who_uses_them(
    tmp_path: Path, broker: str, emulator: Emulator
) -> None:
    """Exit code 0; what a person should know all the same is a note."""
    moves, levels, dead = a_topic(broker), a_topic(broker), a_topic(broker)
    address = KafkaAddress(bootstrap=broker, security=KafkaSecurity())
    ask(
        address,
        lambda kafka: kafka.create(f"{dead}-replay", partitions=1, replication=1, configuration={}),
    )
    commands = shell(tmp_path, broker, emulator, moves=moves, levels=levels, dead=dead)
    assert commands("chat", "set-attribute-names", "3=city", "5=level", "9=other").code == 0

    content = told(commands, 0)

    used = {slot["number"]: (slot["name"], slot["rules"]) for slot in content["slots"] if slot["name"]}
    assert used == {3: ("city", ["city"]), 5: ("level", ["level"]), 9: ("other", [])}
    assert "committed nothing" in found(content, "note")
    assert "retention.ms" in found(content, "warning")
    rows = commands("check-config", "--online").rows
    assert ["3", "city", "city"] in rows
    assert ["0", "(free)", "-"] in rows


def test_broker_and_api_that_are_away_are_both_told() -> None:
    """One does not hide the other."""
    environment = {
        f"{PREFIX}CHAT__APP_ID": "1400000000",
        f"{PREFIX}CHAT__SIGNING_KEY": "a key of nobody",
        f"{PREFIX}CHAT__BASE_URL": "http://127.0.0.1:1",
        f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }
    content = told(Shell(environment), ExitCode.UNAVAILABLE)

    assert [finding["about"] for finding in content["findings"]] == ["Kafka", "Chat API"]
    assert "bootstrap_servers" in found(content, "problem")
    assert "BASE_URL" in found(content, "problem")
