"""`audience-sync plan` with events of a file or of standard input."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from audience_sync.commands.stop import ExitCode
from audience_sync.settings import PREFIX
from tests.support.shell import Shell

SECOND: Final = 1000


def city(
    user: str, city: str | None = "Shenzhen", *, after: int = 0, key: str | None = None
) -> dict[str, Any]:
    """A record of the shipped rules' city topic."""
    event = {"kind": "city-changed", "user_id": user} | ({"city": city} if city else {})
    return {"topic": "city-changed", "value": event, "timestamp": 1795305600000 + after * SECOND, "key": key}


def lines(*records: dict[str, Any]) -> str:
    """As a file has them."""
    return "".join(f"{json.dumps(record)}\n" for record in records)


def planned(given: str, *options: str, **environment: str) -> dict[str, Any]:
    """What `--json` prints."""
    told = Shell(environment)("plan", "-", "--json", *options, given=given)
    assert told.code == 0, told.err
    return dict(json.loads(told.out))


def test_no_account_and_no_kafka_is_needed() -> None:
    """A rule can be tried before anything is set up."""
    plan = planned(lines(city("alice", "Beijing"), city("alice", after=1), city("bob", after=1)))

    assert plan["events"] == {"read": 3, "translated": 3, "ignored": 0, "dead_letters": 0, "seconds": 1.0}
    assert plan["calls"] == {"planned": 1, "one_by_one": 3, "saved": 2, "saved_percent": 66.67}
    [request] = plan["first_requests"]
    assert (request["at"], request["endpoint"], request["users"]) == (3.1, "set_attr", 2)
    assert set(request["of"]) == {"alice", "bob"}
    assert plan["pace"]["calls_per_second"] == 97


def test_settings_are_those_of_the_service() -> None:
    """What is planned is what would run."""
    given = lines(city("alice", "Beijing"), city("alice", after=1))
    plan = planned(
        given, **{f"{PREFIX}DEBOUNCE__QUIET_SECONDS": "0.5", f"{PREFIX}CHAT__CALLS_PER_SECOND": "10"}
    )

    assert plan["calls"]["planned"] == 2
    assert plan["pace"]["calls_per_second"] == 9.7


def test_dead_letters_are_told_with_their_cause_and_place() -> None:
    """So that the rule or the producer can be put right before anything is lost."""
    plan = planned(lines(city("alice"), city("bob", None)))

    [example] = plan["dead_letters"]["missing_field"]["examples"]
    assert example["position"] == 1
    assert "city" in example["info"]


@pytest.mark.parametrize(
    ("records", "environment", "told"),
    [
        ([city("alice", "x" * 51)], {}, "50"),
        ([city("alice", key="order-7")], {}, "key the topic by the user"),
        ([city("alice", None)] * 3, {"DEAD_LETTERS__MOST_PER_MINUTE": "2"}, "MOST_PER_MINUTE"),
        ([city(f"u{n}") for n in range(100)], {"DEBOUNCE__MAX_WAITING_USERS": "100"}, "MAX_WAITING_USERS"),
        (
            [city(f"u{n}") for n in range(100)],
            {"KAFKA__MAX_UNSETTLED_RECORDS": "100"},
            "MAX_UNSETTLED_RECORDS",
        ),
        ([city(f"u{n}") for n in range(900)], {"CHAT__CALLS_PER_SECOND": "0.2"}, "the pace is too slow"),
    ],
    ids=["bytes", "keys", "flood", "users", "records", "pace"],
)
def test_limits_that_would_be_broken_are_told(
    records: list[dict[str, Any]], environment: dict[str, str], told: str
) -> None:
    """Each with its way out, and none where nothing is broken."""
    [limit] = planned(lines(*records), **{PREFIX + name: value for name, value in environment.items()})[
        "limits"
    ]
    assert told in limit
    assert planned(lines(city("alice", key="alice")))["limits"] == []


def test_a_file_of_bare_events_needs_its_topic(tmp_path: Path) -> None:
    """And with a rate, recorded times do not matter."""
    file = tmp_path / "events.jsonl"
    file.write_text(lines(city("alice")["value"], city("bob")["value"]))

    told = Shell({})("plan", str(file), "--topic", "city-changed", "--events-per-second", "0.1", "--json")

    assert json.loads(told.out)["events"]["seconds"] == 10
    refused = Shell({})("plan", str(file))
    assert refused.code == ExitCode.BAD_INPUT
    assert "line 1" in refused.err
    assert "--topic" in refused.err


def test_events_without_a_recorded_time_come_at_their_own() -> None:
    """A CloudEvent says when it happened."""
    event = {"type": "com.example.membership.changed", "data": {"user_id": "alice", "tier": "gold"}}
    given = [event | {"time": "2026-11-22T08:30:00Z"}, event | {"time": "2026-11-22T08:30:07Z"}, event]
    plan = planned(lines(*given), "--topic", "membership-changed")

    assert plan["events"]["seconds"] == 7


def test_elsewhere_than_on_a_terminal_it_prints_lines() -> None:
    """Texts with tabs between them, and the figures in sentences."""
    told = Shell({})("plan", "-", given=lines(city("alice")))

    assert ["0.00", "city-changed", "alice", "set_attribute city=Shenzhen"] in told.rows
    assert "1 call instead of 1" in told.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--last"),
        (("events.jsonl", "--last", "5"), "--last"),
        (("absent.jsonl",), "absent.jsonl"),
        (("-", "--topic", "a", "--topic", "b"), "--topic once"),
        (("-", "--rules", "absent.yaml"), "absent.yaml"),
        (("--last", "5", "--topic", "unknown"), "'unknown'"),
    ],
    ids=["nothing", "both", "no file", "two topics", "no rules", "a topic of no rule"],
)
def test_what_can_not_be_planned_says_why(words: tuple[str, ...], told: str) -> None:
    """A message, its exit code, and no traceback."""
    ended = Shell({})("plan", *words, given="")
    assert ended.code == ExitCode.BAD_INPUT
    assert told in ended.err


def test_a_broker_that_is_away_is_told() -> None:
    """As unavailable: a repeat may pass."""
    ended = Shell({f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"})("plan", "--last", "5")
    assert ended.code == ExitCode.UNAVAILABLE
    assert "127.0.0.1:1" in ended.err
