"""The AsyncAPI document says what the rules need, and refers to nothing that is not there."""

import json
import re
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from audience_sync.commands import app
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.events.asyncapi import document
from audience_sync.rules.file import load_rules, parse_rules

TWO_SOURCES: Final = """
sources:
  - {topic: app.users, format: json, type_field: meta.kind, time_field: meta.at, other_types: ignore}
  - {topic: app.tags, format: json, type: tagged}
  - {topic: unused, format: cloudevents}
rules:
  - name: city
    event: moved
    topic: app.users
    user: "{who.id}"
    changes: [set_attribute: {name: city, value: "{to}"}]
  - {name: left, event: moved, topic: app.users, user: "{who.id}", changes: [remove_attribute: home]}
  - {name: odd, event: odd, topic: app.users, user: "{a}", changes: [set_attribute: {name: x, value: "{a.b}"}]}
  - {name: tag, event: tagged, user: "{who.id}", topic: app.tags, changes: [add_tag: "t:{tag}"]}
"""


def described(text: str | None = None) -> dict[str, Any]:
    """The document of these rules, or of those that ship."""
    rules = load_rules() if text is None else parse_rules(text, file="rules.yaml")
    return document(rules, dead_letter_topic="dead", bootstrap_servers=["kafka:9092"], version="1.2.3")


def payload(content: dict[str, Any], topic: str) -> dict[str, Any]:
    """The schema of a topic's records, found by following the references."""
    [message] = content["channels"][topic]["messages"].values()
    schema: dict[str, Any] = referred(content, referred(content, message["$ref"])["payload"]["$ref"])
    return schema


def referred(content: dict[str, Any], reference: str) -> Any:
    """What a reference within the document stands for."""
    part: Any = content
    for key in reference.removeprefix("#/").split("/"):
        part = part[key]
    return part


def suits(schema: dict[str, Any], event: object) -> bool:
    """Whether the schema takes the event."""
    return bool(jsonschema.Draft202012Validator(schema).is_valid(event))


def test_there_is_a_channel_for_each_topic() -> None:
    """What is read is received, and the dead letters are sent."""
    content = described()

    actions = {name: operation["action"] for name, operation in content["operations"].items()}
    assert actions == {
        "city-changed": "receive",
        "dead": "send",
        "membership-changed": "receive",
        "stock-follows": "receive",
    }
    assert set(content["channels"]) == set(actions)
    assert content["asyncapi"] == "3.0.0"
    assert content["info"]["version"] == "1.2.3"


@pytest.mark.parametrize("rules", [None, TWO_SOURCES], ids=["shipped", "two sources"])
def test_every_reference_leads_somewhere(rules: str | None) -> None:
    """Topics may have dots, and their events fields of the same names."""
    content = described(rules)
    references = re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(content))
    assert references
    for reference in references:
        assert referred(content, reference)


def test_it_is_the_same_each_time() -> None:
    """A document that is kept in a repository changes only when the rules do."""
    assert json.dumps(described()) == json.dumps(described())
    assert list(described()["channels"]) == sorted(described()["channels"])


def test_shipped_events_suit_it() -> None:
    """A field that the rules need can't be missing; an integer is as good as text."""
    schema = payload(described(), "stock-follows")
    event = {"type": "com.example.stock.followed", "data": {"user_id": 7, "symbol": "600519"}, "else": []}

    assert suits(schema, event)
    assert not suits(schema, event | {"type": "com.example.stock.sold"})
    assert not suits(schema, event | {"data": {"user_id": "a"}})
    assert not suits(schema, event | {"data": {"user_id": "", "symbol": "600519"}})


def test_fields_stand_where_the_source_says() -> None:
    """Type and time of plain JSON are fields like others; the time is not needed."""
    content = described(TWO_SOURCES)
    moved = {"meta": {"kind": "moved"}, "who": {"id": "a"}, "to": "Shenzhen"}

    assert suits(payload(content, "app.users"), moved)
    assert not suits(payload(content, "app.users"), moved | {"meta": {"kind": "gone"}})
    assert not suits(payload(content, "app.users"), {"who": {"id": "a"}, "to": "Shenzhen"})
    assert suits(payload(content, "app.tags"), {"who": {"id": 1}, "tag": "x"})
    assert "ignored" in content["channels"]["app.users"]["description"]


def test_an_event_that_nothing_suits_is_described_so() -> None:
    """One rule takes a field for text, another for an object."""
    schema = payload(described(TWO_SOURCES), "app.users")
    for a in ("text", {"b": "text"}):
        assert not suits(schema, {"meta": {"kind": "odd"}, "a": a})


WITH_LISTS: Final = """
sources:
  - {topic: teams, format: json, type: team, time_field: at, time_format: epoch_seconds}
rules:
  - name: team
    event: team
    for_each: members
    user: "{item.id}"
    changes:
      - set_attribute: {name: role, value: "{item.role}", map: {"true": boss}, otherwise: remove, if_missing: ignore}
      - set_attribute: {name: team, value: "{name}", if_null: remove}
      - add_tag: {tag: "skill:{item}", for_each: item.skills, if_missing: ignore}
  - {name: big, event: team, when: size(event.members) > 9, user: "{$key}", changes: [add_tag: "big:{region}"]}
"""


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"name": None}, True),
        ({"members": [{"id": "a", "role": True, "skills": ["x", 1]}]}, True),
        ({"members": [{"id": "a", "skills": [True]}]}, False),
        ({"members": [{"role": "x"}]}, False),
        ({"members": {}}, False),
        ({"region": None}, False),
        ({"region": "north"}, True),
    ],
)
def test_lists_and_gaps_are_described(changed: dict[str, object], fits: bool) -> None:
    """What a rule can do without may be missing, and what stands in lists is described there."""
    event = {"name": "red", "members": [{"id": "a"}], "at": 1795336200}

    assert suits(payload(described(WITH_LISTS), "teams"), event | changed) is fits


def test_conditions_and_translators_are_told() -> None:
    """They read fields of which nothing is known."""
    text = json.dumps(payload(described(WITH_LISTS), "teams"))

    assert "'big' applies if size(event.members) > 9." in text


def test_a_dead_letter_suits_it() -> None:
    """Its schema is made from the structure that is written."""
    origin = {"topic": "t", "partition": 0, "position": 7, "timestamp": 1.5}
    letter = {
        "id": "t/0/7",
        "cause": "unreadable",
        "info": "no JSON",
        "origins": [origin],
        "given_up_at": 2.0,
    }

    assert suits(payload(described(), "dead"), letter)
    assert not suits(payload(described(), "dead"), letter | {"origins": [{"topic": "t"}]})


def test_the_command_prints_json_and_yaml_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no key, and takes topic and brokers from the service's own variables."""
    monkeypatch.setenv("AUDIENCE_SYNC_DEAD_LETTERS__TOPIC", "graveyard")
    as_json = CliRunner().invoke(app, ["asyncapi"])
    as_yaml = CliRunner().invoke(app, ["asyncapi", "--yaml", "--bootstrap-servers", "one:9092, two:9092"])

    told = json.loads(as_json.stdout)
    assert "graveyard" in told["channels"]
    again = YAML(typ="safe").load(as_yaml.stdout)
    assert [server["host"] for server in again["servers"].values()] == ["one:9092", "two:9092"]
    assert again["components"] == told["components"]


def test_rules_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    """With the exit code of bad input, and everything that is wrong."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: 1\n")

    error = CliRunner().invoke(app, ["asyncapi", "--rules", str(rules)]).exception

    assert isinstance(error, Stop)
    assert error.code is ExitCode.BAD_INPUT
    assert "rules.yaml, line 1" in error.message


@pytest.mark.parametrize("kind", ["debezium", "avro", "protobuf", "json_schema"])
def test_how_records_are_written_is_told_where_their_fields_do_not_show_it(kind: str) -> None:
    """Whoever writes events must not take such fields for JSON."""
    content = described(TWO_SOURCES.replace("format: cloudevents", f"format: {kind}"))

    told = content["channels"]["unused"]["description"]
    assert told.removeprefix("Read. ").startswith(("Change events of Debezium.", "Avro", "Protobuf", "JSON"))
