"""An operator and a replica on a real broker: pauses, a letter that is replayed, a token that changes."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from tests.support.fleet import EmulatedChat, Fleet, Replica, emulated_chat, eventually
from tests.support.operators import TOKEN
from tests.support.product import CITY, Feed, rules_for

pytestmark = pytest.mark.broker

OTHER: Final = "another-token-of-some-length"


@pytest.fixture
def topics() -> str:
    """What the names of this test's topics begin with: a broker that is given may have those of another run."""
    return f"{uuid4().hex[:8]}-"


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator as a process. It knows accounts that were imported alone."""
    with emulated_chat(tmp_path) as emulator:
        yield emulator


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """The file that the service is told of."""
    file = tmp_path / "operator-token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def fleet(tmp_path: Path, topics: str, broker: str, chat: EmulatedChat, token: Path) -> Iterator[Fleet]:
    """Replicas with topics of their own; none is started."""
    environment = {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5",
        "AUDIENCE_SYNC_ADMIN__TOKEN_FILE": str(token),
    }
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        yield fleet


def asked(replica: Replica, path: str, content: object = None, token: str = TOKEN) -> httpx.Response:
    """What the replica says to somebody with that token."""
    method = "GET" if content is None else "POST"
    return httpx.request(
        method,
        f"{replica.admin_url}/operator/api/{path}",
        json=content,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    )


def city(feed: Feed, topics: str, user: str, value: str) -> None:
    """An event."""
    content = {"kind": "city-changed", "user_id": user, "city": value}
    feed.send(topics + CITY, user.encode(), json.dumps(content).encode())
    feed.flush()


def test_a_night_of_an_operator(fleet: Fleet, broker: str, topics: str, token: Path) -> None:
    """A pause of a rule holds its events in Kafka, and is told; a letter from the page is applied."""
    replica = fleet.start()
    fleet.wait_until_ready()
    feed = Feed(broker)

    def attributes(user: str) -> Any:
        return fleet.chat.state().get(user, {}).get("attributes")

    # a rule is paused: its event waits unread, and others go on
    [rule] = [each for each in asked(replica, "status").json()["pausable"] if "city" in each]
    paused = asked(replica, "pause", {"what": rule}).json()
    assert paused["topics"] == [topics + CITY]
    city(feed, topics, "alice", "Shenzhen")
    eventually(lambda: rule in (replica.status()["reason"] or ""), "the replica is not ready, and says why")
    eventually(
        lambda: sum(each["unread"] for each in asked(replica, "status").json()["partitions"]) == 1,
        "the event is there, and unread",
    )
    assert attributes("alice") is None
    assert replica.metric("audience_sync_paused") == 1
    assert asked(replica, "resume", {"what": rule}).json() == {"was_paused": True}
    eventually(lambda: attributes("alice") == {"city": "Shenzhen"}, "alice is in step")
    [confirmed] = asked(replica, "user?id=alice").json()["confirmed"]
    assert confirmed["changes"] == [["SetAttribute", "city", "Shenzhen"]]
    assert confirmed["first_events"][0]["topic"] == topics + CITY

    # a record that the rules can't use becomes a letter, and is replayed to no avail: the command says so
    feed.send(topics + CITY, b"bob", b'{"kind": "city-changed", "user_id": "bob"}')
    feed.flush()
    eventually(lambda: asked(replica, "dead-letters").json()["letters"], "the letter is shown")
    [letter] = asked(replica, "dead-letters").json()["letters"]
    assert (letter["cause"], letter["origins"][0]["topic"]) == ("missing_field", topics + CITY)
    assert asked(replica, "replay", {"ids": [letter["id"]]}).status_code == 202

    def replay() -> dict[str, Any] | None:
        told: dict[str, Any] = asked(replica, "status").json()["replay"]
        return told if told["ended_at"] is not None else None

    told = eventually(replay, "the replay has ended")
    assert told is not None
    assert (told["exit_code"], told["ends"]) == (0, {"not_usable": 1}), told

    # a new token counts at once
    token.write_text(OTHER)
    assert asked(replica, "status").status_code == 401
    assert asked(replica, "status", token=OTHER).status_code == 200

    # a stop with a pause is quick, and leaves what is paused to the next owner
    asked(replica, "pause", {"what": "endpoint:set_attr"}, token=OTHER)
    city(feed, topics, "carol", "Shanghai")
    eventually(
        lambda: asked(replica, "user?id=carol", token=OTHER).json()["waits"] is not None, "carol waits"
    )
    replica.signal(signal.SIGTERM)
    assert replica.wait() == 0
    assert attributes("carol") is None
    assert TOKEN not in replica.text()
    fleet.start()
    eventually(lambda: attributes("carol") == {"city": "Shanghai"}, "the next owner knows of no pause")
