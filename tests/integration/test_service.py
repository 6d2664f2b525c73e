"""One replica as a process, on a real broker: what it does with good and bad input, and how it starts and stops."""

import base64
import json
import random
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from confluent_kafka import Consumer

from audience_sync.events.kafka_admin import KafkaAddress, ask
from audience_sync.events.security import KafkaSecurity
from audience_sync.rules.file import DEFAULT_RULES
from tests.support.fleet import EmulatedChat, Fleet, Replica, emulated_chat, eventually
from tests.support.product import CITY, MEMBERSHIP, STOCKS, Feed, Product, out_of_step, rules_for
from tests.support.start_messages import explanations_of

pytestmark = pytest.mark.broker


@pytest.fixture
def topics() -> str:
    """What the names of this test's topics begin with: a broker that is given may have those of another run."""
    return f"{uuid4().hex[:8]}-"


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator as a process."""
    with emulated_chat(tmp_path) as emulator:
        yield emulator


@pytest.fixture
def fleet(tmp_path: Path, topics: str, broker: str, chat: EmulatedChat) -> Iterator[Fleet]:
    """Replicas with topics of their own; none is started."""
    environment = {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5",
    }
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        yield fleet


def waits_for(replica: Replica, what: str) -> bool:
    """Whether it runs, and says this of why it is not ready."""
    return replica.admin_url is not None and what in (replica.status()["reason"] or "")


def dead_letters(broker: str, topics: str, number: int) -> list[tuple[str | bytes | None, dict[str, Any]]]:
    """Key and value of the first so many dead letters."""
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": f"{topics}look", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([f"{topics}dead-letters"])
    letters: list[tuple[str | bytes | None, dict[str, Any]]] = []

    def enough() -> bool:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            letters.append((message.key(), json.loads(message.value() or b"")))
        return len(letters) >= number

    eventually(enough, f"{number} dead letters are there; there are {len(letters)}")
    consumer.close()
    return letters


LOOKED_AT_START: Final = {"im_get_attr_name": 1}
"""What a start asks the Chat API, for each replica."""

UNUSABLE: Final = {
    b"\xff\xfe no text": "unreadable",
    b'{"kind": "city-changed", "user_id"': "unreadable",
    None: "unreadable",
    random.Random(1).randbytes(900_000): "unreadable",  # in base64 it is above Kafka's default limit
    b'{"kind": "city-changed", "user_id": true, "city": "A"}': "wrong_type",
    b'{"kind": "city-changed", "city": "A"}': "no_user",
    b'{"kind": "city-changed", "user_id": "u"}': "missing_field",
    b'{"kind": "city-chnaged", "user_id": "u", "city": "A"}': "unknown_type",
    b'{"kind": "city-changed", "user_id": "u", "city": "' + b"Shenzhen" * 7 + b'"}': "broken_limit",
}


def test_unusable_records_are_dead_lettered_with_their_bytes_and_the_rest_goes_on(
    fleet: Fleet, broker: str, topics: str
) -> None:
    """Each with its cause and a sentence, its original bytes exactly; good records around them are applied."""
    replica = fleet.start()
    fleet.wait_until_ready()
    feed = Feed(broker)
    for value in UNUSABLE:
        feed.send(topics + CITY, b"u", value)
    feed.send(topics + CITY, b"u", b'{"kind": "city-changed", "user_id": "u", "city": "Shenzhen"}')
    feed.flush()

    letters = dead_letters(broker, topics, len(UNUSABLE))
    found = {(letter["cause"], base64.b64decode(letter["value"] or "") or None) for _, letter in letters}
    assert found == {(cause, value) for value, cause in UNUSABLE.items()}
    assert all(letter["info"] and letter["origins"] and key == b"u" for key, letter in letters)
    eventually(
        lambda: fleet.chat.state().get("u", {}).get("attributes") == {"city": "Shenzhen"}, "u is in step"
    )
    replica.signal(signal.SIGTERM)
    assert replica.wait() == 0
    assert replica.stopped_totals()["dead_letters"] == len(UNUSABLE)
    assert "Traceback" not in replica.text()

    after = fleet.start()
    fleet.wait_until_ready()
    assert {partition["unread"] for partition in after.status()["partitions"]} == {0}
    assert after.metric("audience_sync_events_total") == 0, "what is settled is not read again"


BY_COUNTRY: Final = """
sources:
  - pattern: "TOPICScountry-.*"
    each_user_in_one_topic: true
    format: json
    type_field: kind
    tombstones: {event: gone}
rules:
  - name: tier
    event: [joined, changed]
    when: level >= 1
    user: "{$key}"
    changes:
      - set_attribute: {name: tier, value: "{level}", map: {"1": silver, "2": gold}, otherwise: remove}
      - add_tag: {tag: "from:{$headers.origin}", if_missing: ignore}
  - name: gone
    event: gone
    user: "{$key}"
    changes: [remove_all_tags: true, remove_attribute: tier]
  - name: team
    event: team
    for_each: members
    user: "{item}"
    changes:
      - add_tag: {tag: "skill:{item}", for_each: skills}
"""


def test_rules_may_take_topics_by_a_pattern_and_users_from_keys_and_lists(
    fleet: Fleet, broker: str, topics: str, tmp_path: Path
) -> None:
    """What the rules file can say is what happens, from the broker to the Chat API."""
    rules = tmp_path / "countries.yaml"
    rules.write_text(BY_COUNTRY.replace("TOPICS", topics))
    north, south = f"{topics}country-north", f"{topics}country-south"
    for topic in (north, south):
        address = KafkaAddress(bootstrap=broker, security=KafkaSecurity())
        ask(address, lambda kafka: kafka.create(topic, partitions=4, replication=1, configuration={}))  # noqa: B023 - asked at once
    fleet.start(AUDIENCE_SYNC_RULES_FILE=str(rules), AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES="add")
    fleet.wait_until_ready()

    feed = Feed(broker)
    feed.send(north, b"alice", b'{"kind": "joined", "level": 2}', headers=[("origin", b"shop")])
    feed.send(south, b"bob", b'{"kind": "changed", "level": 1}')
    feed.send(south, b"carol", b'{"kind": "changed", "level": 0}')
    feed.send(north, b"dave", b'{"kind": "joined", "level": 1}', headers=[("origin", b"web")])
    feed.send(north, b"dave", None)
    feed.send(south, b"team-7", b'{"kind": "team", "members": ["erin", "frank"], "skills": ["tea", "go"]}')
    feed.flush()

    def told() -> dict[str, Any]:
        state = fleet.chat.state()
        return {user: (each["attributes"], sorted(each["tags"])) for user, each in state.items()}

    expected = {
        "alice": ({"tier": "gold"}, ["from:shop"]),
        "bob": ({"tier": "silver"}, []),
        "dave": ({}, []),
        "erin": ({}, ["skill:go", "skill:tea"]),
        "frank": ({}, ["skill:go", "skill:tea"]),
    }
    eventually(lambda: {user: told().get(user) for user in expected} == expected, "all are in step")
    assert "carol" not in told()


def test_a_pattern_that_matches_nothing_ends_the_start(fleet: Fleet, topics: str, tmp_path: Path) -> None:
    """A service that reads nothing looks healthy."""
    rules = tmp_path / "countries.yaml"
    rules.write_text(BY_COUNTRY.replace("TOPICS", topics))

    replica = fleet.start(AUDIENCE_SYNC_RULES_FILE=str(rules))

    assert replica.wait() == 2
    assert "countries.yaml, line 3: " in replica.text()
    assert "matches none of the broker's" in replica.text()


def test_a_stop_sends_what_waits_commits_and_ends_with_0(fleet: Fleet, broker: str, topics: str) -> None:
    """SIGTERM does not wait for quiet, and nothing is left for the next replica."""
    replica = fleet.start(
        AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS="500", AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS="600"
    )
    fleet.wait_until_ready()
    product, feed = Product(users=150, seed=1, topics=topics), Feed(broker)
    for event in product.events(1000):
        feed.send(*event)
    feed.flush()
    eventually(lambda: replica.metric("audience_sync_events_total") == 1000, "all events are read")
    assert fleet.chat.counters()["calls"] == LOOKED_AT_START
    assert replica.metric("audience_sync_waiting_users") == len(product.truth)

    replica.signal(signal.SIGTERM)
    assert replica.wait() == 0
    assert out_of_step(product.truth, fleet.chat.state()) == {}
    assert [
        line["users_left_to_the_next_owner"] for line in replica.lines() if line["action"] == "drained"
    ] == [0]


class ConfigMap:
    """A folder of rules as a kubelet mounts it: every change is a new folder and one link that is swapped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._written = folder, 0
        self.file = folder / "rules.yaml"
        self.file.symlink_to(Path("..data") / "rules.yaml")

    def write(self, text: str) -> None:
        """At once, never half a file; what was there before is gone."""
        self._written += 1
        data, link = self._folder / "..data", self._folder / "..data_tmp"
        before = data.resolve() if data.exists() else None
        new = self._folder / f"..{self._written}"
        new.mkdir()
        (new / "rules.yaml").write_text(text)
        link.symlink_to(new.name)
        link.rename(data)
        if before is not None:
            shutil.rmtree(before)


def test_a_changed_rules_file_is_taken_over_between_two_records_and_a_broken_one_is_refused(
    fleet: Fleet, broker: str, topics: str, tmp_path: Path
) -> None:
    """What waits is neither lost nor sent early; the next record is understood by the new rules."""
    config_map, feed = ConfigMap(tmp_path / "rules"), Feed(broker)
    good = rules_for(topics, tmp_path).read_text()
    config_map.write(good)
    replica = fleet.start(
        AUDIENCE_SYNC_RULES_FILE=str(config_map.file),
        AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS="500",
        AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS="600",
        AUDIENCE_SYNC_RULES_RELOAD_SECONDS="0.2",
    )
    fleet.wait_until_ready()

    def moved(user: str) -> None:
        event = {"kind": "city-changed", "user_id": user, "city": "Xiamen"}
        count = replica.metric("audience_sync_changes_total", kind="set_attribute")
        feed.send(topics + CITY, user.encode(), json.dumps(event).encode())
        feed.flush()
        eventually(
            lambda: replica.metric("audience_sync_changes_total", kind="set_attribute") > count, "it is read"
        )

    moved("before")
    config_map.write(good.replace('value: "{city}"', 'value: "city of {city}"'))
    eventually(
        lambda: replica.metric("audience_sync_rules_reloads_total", outcome="taken") == 1, "it is taken"
    )
    moved("after")
    config_map.write(good.replace("user:", "usre:"))
    eventually(lambda: replica.metric("audience_sync_rules_outdated") == 1, "it is refused")
    assert replica.ready()
    moved("later")
    config_map.write(good.replace('value: "{city}"', 'value: "mended {city}"'))
    eventually(lambda: replica.metric("audience_sync_rules_outdated") == 0, "what is mended is taken")
    moved("last")
    assert fleet.chat.counters()["calls"] == {"im_get_attr_name": 3}, (
        "a look at the names for each sound file, and nothing is sent"
    )
    assert replica.ready()

    replica.signal(signal.SIGTERM)
    assert replica.wait() == 0
    state = fleet.chat.state()
    assert {user: state[user]["attributes"]["city"] for user in ("before", "after", "later", "last")} == {
        "before": "Xiamen",
        "after": "city of Xiamen",
        "later": "city of Xiamen",
        "last": "mended Xiamen",
    }
    (refused,) = [line for line in replica.lines() if line["action"] == "rules_refused"]
    assert any("usre" in problem and ", line " in problem for problem in refused["problems"])


def test_with_a_wrong_key_nothing_is_sent_nothing_is_lost_and_the_reason_is_told(
    fleet: Fleet, broker: str, topics: str, tmp_path: Path
) -> None:
    """Before it has begun it waits and stays alive, and one with the right key does the work."""
    wrong = tmp_path / "wrong-key"
    wrong.write_text("not the key")
    feed = Feed(broker)
    first = fleet.start(AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE=str(wrong))
    eventually(partial(waits_for, first, "70009"), "the reason is told")
    assert first.status()["live"]
    assert not first.ready()
    first.signal(signal.SIGTERM)
    assert first.wait() == 0, "it stops in order, also while it waits"

    replica = fleet.start(
        AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE=str(wrong), AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES="off"
    )
    fleet.wait_until_ready()
    feed.send(topics + CITY, b"u", b'{"kind": "city-changed", "user_id": "u", "city": "Shenzhen"}')
    feed.flush()
    reason = eventually(lambda: replica.status()["reason"], "the reason is told")
    assert "70009" in reason
    assert replica.status()["live"]
    assert not replica.ready()
    assert replica.metric("audience_sync_errors_total", code="70009") >= 1
    replica.signal(signal.SIGTERM)
    assert replica.wait() == 0
    assert "Traceback" not in first.text() + replica.text()

    fleet.start()
    eventually(
        lambda: fleet.chat.state().get("u", {}).get("attributes") == {"city": "Shenzhen"}, "u is in step"
    )


def test_attribute_names_that_are_missing_are_an_error_or_added_and_an_api_that_is_away_is_waited_for(
    broker: str, topics: str, tmp_path: Path
) -> None:
    """By a setting; what an operator has to type is in the message, and two replicas choose the same slots."""
    environment = {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5",
    }
    with (
        emulated_chat(tmp_path, arguments=("--attribute-names", "language")) as chat,
        Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet,
    ):
        refused = fleet.start()
        assert refused.wait() == 2
        assert "audience-sync chat set-attribute-names 1=city 2=membership" in refused.text()
        assert explanations_of(refused.text(), 2)
        assert "Traceback" not in refused.text()

        chat.set_faults(
            {"fail_next": [{"endpoint": "im_get_attr_name", "kind": "http:502", "for_seconds": 600}]}
        )
        waiting = [fleet.start(AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES="add") for _ in range(2)]
        for each in waiting:
            eventually(partial(waits_for, each, "502"), "the reason is told")
            assert each.status()["live"]
        chat.set_faults({"fail_next": []})
        fleet.wait_until_ready()
        names = json.loads(urllib.request.urlopen(f"{chat.url}/control/state", timeout=5).read())[
            "attribute_names"
        ]
        assert names == {"0": "language", "1": "city", "2": "membership"}

        feed = Feed(broker)
        feed.send(topics + CITY, b"u", b'{"kind": "city-changed", "user_id": "u", "city": "Shenzhen"}')
        feed.flush()
        eventually(
            lambda: chat.state().get("u", {}).get("attributes") == {"city": "Shenzhen"}, "u is in step"
        )


def test_a_name_that_is_not_defined_stops_delivery_and_drops_nothing(
    fleet: Fleet, broker: str, topics: str
) -> None:
    """Three users who are refused alone with one code are the whole; once it is mended, delivery goes on."""
    replica = fleet.start()
    fleet.wait_until_ready()
    fleet.chat.set_faults(
        {"fail_next": [{"endpoint": "im_set_attr", "kind": "code:90033", "for_seconds": 12}]}
    )
    feed = Feed(broker)
    for user in ("u", "v", "w", "x"):
        event = {"kind": "city-changed", "user_id": user, "city": "Shenzhen"}
        feed.send(topics + CITY, user.encode(), json.dumps(event).encode())
    feed.flush()
    reason = eventually(lambda: replica.status()["reason"], "the reason is told")
    assert "90033" in reason
    eventually(replica.ready, "it goes on by itself, once a look at the API passes")
    eventually(lambda: len(fleet.chat.state()) == 4, "everybody is in step")
    assert {user["attributes"]["city"] for user in fleet.chat.state().values()} == {"Shenzhen"}
    assert replica.metric("audience_sync_dead_letters_total") == 0


def test_late_events_and_repeats_change_nothing_and_cost_nothing(
    fleet: Fleet, broker: str, topics: str, tmp_path: Path
) -> None:
    """Where rules and settings say so: nothing is sent of them, and their positions are committed."""
    rules = tmp_path / "timed.yaml"
    rules.write_text(f"""
sources:
  - {{topic: {topics}timed, format: json, type: city, time_field: at, event_time: true}}
rules:
  - name: city
    event: city
    user: "{{user}}"
    changes:
      - set_attribute: {{name: city, value: "{{city}}"}}
""")
    replica = fleet.start(AUDIENCE_SYNC_RULES_FILE=str(rules), AUDIENCE_SYNC_REPEATS__KNOWN_SECONDS="600")
    fleet.wait_until_ready()
    feed = Feed(broker)

    def tell(city: str, at: str) -> None:
        event = {"user": "u", "city": city, "at": f"2026-01-01T{at}:00Z"}
        feed.send(f"{topics}timed", b"u", json.dumps(event).encode())
        feed.flush()

    tell("Shenzhen", "10:00")
    eventually(
        lambda: fleet.chat.state().get("u", {}).get("attributes") == {"city": "Shenzhen"}, "u is in step"
    )
    tell("Beijing", "09:00")
    tell("Shenzhen", "11:00")
    eventually(lambda: replica.metric("audience_sync_skipped_changes_total") == 1, "the repeat is skipped")
    assert replica.metric("audience_sync_late_changes_total") == 1
    assert fleet.chat.counters()["calls"]["im_set_attr"] == 1
    assert fleet.chat.state()["u"]["attributes"] == {"city": "Shenzhen"}
    eventually(
        lambda: (
            [part["settled_position"] for part in replica.status()["partitions"] if part["settled_position"]]
            == [3]
        ),
        "all three are settled",
    )


def test_one_unknown_user_is_given_up_and_ninety_nine_are_in_step(
    fleet: Fleet, broker: str, topics: str
) -> None:
    """The API refuses the whole request and names nobody."""
    users = [f"user-{number}" for number in range(100)]
    _control(fleet, "switches", {"accounts": "imported"})
    _control(fleet, "accounts", {"users": [user for user in users if user != "user-42"]})
    replica = fleet.start()
    fleet.wait_until_ready()
    feed = Feed(broker)
    for user in users:
        event = {"kind": "city-changed", "user_id": user, "city": "Shenzhen"}
        feed.send(topics + CITY, user.encode(), json.dumps(event).encode())
    feed.flush()
    eventually(lambda: replica.metric("audience_sync_dead_letters_total") == 1, "one dead letter")
    good = set(users) - {"user-42"}
    eventually(
        lambda: {user for user, state in fleet.chat.state().items() if state["attributes"]} == good,
        "all others are in step",
    )
    calls = fleet.chat.counters()["calls"]
    assert calls["im_set_attr"] + calls["account_check"] <= 1 + 15 + 9, "nine for how the users came in"


def test_the_successor_family_serves_as_well(fleet: Fleet, broker: str, topics: str) -> None:
    """One setting, and other paths; an unknown user is named, and nobody has to look for him."""
    _control(fleet, "switches", {"accounts": "imported"})
    _control(fleet, "accounts", {"users": ["good"]})
    replica = fleet.start(AUDIENCE_SYNC_CHAT__FAMILY="timpush")
    fleet.wait_until_ready()
    feed = Feed(broker)
    for user in ("good", "unknown"):
        event = {"kind": "city-changed", "user_id": user, "city": "Shenzhen"}
        feed.send(topics + CITY, user.encode(), json.dumps(event).encode())
    feed.flush()
    eventually(lambda: replica.metric("audience_sync_dead_letters_total") == 1, "one dead letter")
    eventually(
        lambda: fleet.chat.state().get("good", {}).get("attributes") == {"city": "Shenzhen"},
        "the other is in step",
    )
    calls = fleet.chat.counters()["calls"]
    assert calls["timpush/set_attr"] >= 1
    assert not any(endpoint.startswith("im_") for endpoint in calls)


def _control(fleet: Fleet, name: str, body: object) -> None:
    urllib.request.urlopen(
        urllib.request.Request(f"{fleet.chat.url}/control/{name}", json.dumps(body).encode()), timeout=5
    )


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "127.0.0.1:1"),
        ({"AUDIENCE_SYNC_KAFKA__CREATE_TOPICS": "false"}, MEMBERSHIP),
        ({"AUDIENCE_SYNC_KAFKA__SECURITY_PROTOCOL": "SSL"}, "TLS"),
        ({"AUDIENCE_SYNC_KAFKA__LEASE_SECONDS": "29"}, "SESSION_TIMEOUT_SECONDS"),
        ({"AUDIENCE_SYNC_KAFAK__GROUP_ID": "x"}, "AUDIENCE_SYNC_KAFAK__GROUP_ID"),
        ({"AUDIENCE_SYNC_CHAT__APP_ID": "0"}, "SDKAppID"),
        ({"AUDIENCE_SYNC_RULES_FILE": "/nowhere/rules.yaml"}, "/nowhere/rules.yaml"),
        ({"AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE": "/nowhere/key"}, "AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE"),
        ({"AUDIENCE_SYNC_CHAT__SIGNING_KEY": "one-too-many"}, "AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE"),
        (
            {
                "AUDIENCE_SYNC_KAFKA__SECURITY_PROTOCOL": "SSL",
                "AUDIENCE_SYNC_KAFKA__SSL_CA_FILE": str(DEFAULT_RULES),
            },
            "ssl_ca_file",
        ),
        (
            {
                "AUDIENCE_SYNC_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "AUDIENCE_SYNC_KAFKA__SASL_MECHANISM": "PLAIN",
                "AUDIENCE_SYNC_KAFKA__SASL_USERNAME": "nobody",
                "AUDIENCE_SYNC_KAFKA__SASL_PASSWORD": "nothing",
            },
            "security_protocol",
        ),
    ],
    ids=[
        *("bootstrap", "topics", "protocol", "lease", "misspelt", "app", "rules"),
        *("no-secret", "two-secrets", "authority", "no-sasl"),
    ],
)
def test_what_can_not_begin_says_why(fleet: Fleet, environment: dict[str, str], told: str) -> None:
    """A message for a person and an exit code; no traceback, and no half-started service."""
    replica = fleet.start(**environment)
    code = replica.wait()
    assert told in replica.text()
    assert explanations_of(replica.text(), code), f"operations.md does not explain this: {replica.text()}"
    assert "Traceback" not in replica.text()


def test_a_taken_admin_port_is_told(fleet: Fleet) -> None:
    """Two services on one port would hide one from its probes."""
    fleet.start()
    fleet.wait_until_ready()
    [first] = fleet.all
    assert first.admin_url is not None
    second = fleet.start(AUDIENCE_SYNC_ADMIN__BIND_PORT=first.admin_url.rsplit(":", 1)[1])
    assert second.wait() == 3
    assert "AUDIENCE_SYNC_ADMIN__BIND_PORT" in second.text()
    assert explanations_of(second.text(), 3)
    assert [line["action"] for line in second.lines()] == [], "it had not begun"
    assert first.ready()


def test_metrics_pass_promtool(fleet: Fleet, broker: str, topics: str, promtool: str) -> None:
    """Prometheus' own linter has no complaint, neither at rest nor after some work."""
    replica = fleet.start()
    fleet.wait_until_ready()
    product, feed = Product(users=50, seed=1, topics=topics), Feed(broker)
    for event in product.events(200):
        feed.send(*event)
    feed.send(topics + STOCKS, b"u", b"nothing")
    feed.flush()
    eventually(lambda: not out_of_step(product.truth, fleet.chat.state()), "every user is in step")
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=replica.scrape(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
