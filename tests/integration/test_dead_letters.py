"""Dead letters from the shell, with a running service: listed, shown, replayed, and replayed again."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from audience_sync.rules.file import DEFAULT_RULES
from tests.support.fleet import APP_ID, FAST_TAKEOVER, EmulatedChat, Fleet, emulated_chat, eventually
from tests.support.product import CITY, STOCKS, Feed, rules_for
from tests.support.secrecy import SIGNING_KEY

pytestmark = pytest.mark.broker

UNKNOWN: Final = 70107
PAGE: Final = Path(__file__).parents[2] / "docs" / "dead-letters.md"


@pytest.fixture
def topics() -> str:
    """What the names of this test's topics begin with: a broker that is given may have those of another run."""
    return f"{uuid4().hex[:8]}-"


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator as a process; whatever a test checks, it checks this too."""
    with emulated_chat(tmp_path) as emulator:
        yield emulator
        counters = emulator.counters()
    assert counters["overlaps"] == [], "one user was in two requests at the same time"


class Shell:
    """The command line, with the settings of the replicas."""

    def __init__(self, broker: str, topics: str, folder: Path) -> None:
        self.topics = topics
        key = folder / "key"
        key.write_text(SIGNING_KEY)
        self.environment = {
            "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
            "AUDIENCE_SYNC_KAFKA__CREATE_PARTITIONS": "4",
            "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, folder)),
            "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
            "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.3",
        }
        self._own = {
            "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": broker,
            "AUDIENCE_SYNC_CHAT__APP_ID": str(APP_ID),
            "AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE": str(key),
        }

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """What a command prints on standard output, and on standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "audience_sync", "dead-letters", *arguments],
            env=_environment() | self.environment | self._own,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout, done.stderr

    def json(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """The objects that it prints."""
        told, _ = self.run(*arguments, "--json", code=code)
        return [json.loads(line) for line in told.splitlines()]

    def ends(self, *arguments: str, code: int = 0) -> dict[str, str]:
        """{id: what became of it} of a replay."""
        return {told["id"]: told["end"] for told in self.json("replay", *arguments, code=code)}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AUDIENCE_SYNC_")}


@pytest.fixture
def shell(broker: str, topics: str, tmp_path: Path) -> Shell:
    """The command line."""
    return Shell(broker, topics, tmp_path)


@pytest.fixture
def fleet(tmp_path: Path, broker: str, chat: EmulatedChat, shell: Shell) -> Iterator[Fleet]:
    """Replicas with topics of their own; none is started."""
    with Fleet(tmp_path, broker=broker, chat=chat, environment=FAST_TAKEOVER | shell.environment) as fleet:
        yield fleet


def city_changed(user: str, city: str) -> bytes:
    """An event."""
    return json.dumps({"kind": "city-changed", "user_id": user, "city": city}).encode()


class World:
    """A service at work, events for it, and the shell."""

    def __init__(self, fleet: Fleet, shell: Shell, broker: str) -> None:
        self.fleet, self.shell, self.chat = fleet, shell, fleet.chat
        self.feed = Feed(broker)
        self.replica = fleet.start()
        fleet.wait_until_ready()

    def tell(self, user: str, value: bytes, topic: str = CITY) -> None:
        """An event of the user."""
        self.feed.send(self.shell.topics + topic, user.encode(), value)
        self.feed.flush()

    def refuse(self, *users: str) -> None:
        """From now on the API refuses these and no others. Somebody else is confirmed, so that it is their fault."""
        self.chat.control("bad-users", dict.fromkeys(users, UNKNOWN))

    def give_up(self, user: str, city: str) -> str:
        """Let an event of this user be given up. Returns the letter's id."""
        before = self.replica.metric("audience_sync_dead_letters_total")
        self.refuse(user)
        self.tell(user, city_changed(user, city))
        self.tell(f"beside-{user}", city_changed(f"beside-{user}", city))
        eventually(
            lambda: self.replica.metric("audience_sync_dead_letters_total") > before, f"{user} is given up"
        )
        self.refuse()
        [letter, *_] = self.shell.json("list", "--user", user)
        return str(letter["id"])

    def city_of(self, user: str) -> str | None:
        """What the API has."""
        found = self.chat.state().get(user, {"attributes": {}})["attributes"].get("city")
        return None if found is None else str(found)

    def is_in(self, user: str, city: str) -> None:
        """Wait until the API has this."""
        eventually(lambda: self.city_of(user) == city, f"{user} is in {city}")


@pytest.fixture
def world(fleet: Fleet, shell: Shell, broker: str) -> World:
    """One replica at work."""
    return World(fleet, shell, broker)


def test_letters_are_listed_and_shown(world: World) -> None:
    """By what they are about, each once, with all that is known; bytes as text where they are text."""
    shell = world.shell
    refused = world.give_up("alice", "Shenzhen")
    world.tell("bob", b'{"kind": "moved", "user_id": "bob"}')
    world.tell("carol", b"\xff\xfe")
    eventually(lambda: len(shell.json("list")) == 3, "three letters stand there")

    by_user = {letter["user"]: letter for letter in shell.json("list")}
    assert {user: letter["cause"] for user, letter in by_user.items()} == {
        "alice": "unknown_account",
        "bob": "unknown_type",
        "carol": "unreadable",
    }
    assert (by_user["alice"]["id"], by_user["alice"]["code"]) == (refused, UNKNOWN)
    assert by_user["alice"]["changes"] == [["SetAttribute", "city", "Shenzhen"]]
    assert by_user["alice"]["replayed_at"] is None
    for filters, found in {
        ("--user", "bob", "--user", "carol", "--cause", "unreadable"): {"carol"},
        ("--code", str(UNKNOWN), "--since", "1h", "--not-replayed"): {"alice"},
        ("--limit", "1"): {"carol"},
    }.items():
        assert {letter["user"] for letter in shell.json("list", *filters)} == found, filters

    told, _ = shell.run("show", by_user["bob"]["id"])
    assert 'value:     {"kind": "moved", "user_id": "bob"}' in told
    told, _ = shell.run("show", by_user["carol"]["id"])
    assert "(no text, in base64) //4=" in told
    [shown] = shell.json("show", refused)
    assert shown["records"][0]["changes"] == by_user["alice"]["changes"]
    _, said = shell.run("show", "nobody", code=2)
    assert "no dead letter 'nobody'" in said
    told, said = shell.run("list", "--limit", "2")
    assert len(told.splitlines()) == 2
    assert "2 letters of 3" in said


def test_the_page_shows_what_is_seen(world: World) -> None:
    """Its commands, on a terminal, and what they print; moments apart."""
    world.give_up("alice", "Shenzhen")
    world.tell("bob", b'{"kind": "moved", "user_id": "bob", "city": "Beijing"}')
    eventually(lambda: len(world.shell.json("list")) == 2, "two letters stand there")
    world.shell.environment |= {"FORCE_COLOR": "1", "COLUMNS": "140"}
    [block] = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^\$ audience-sync dead-letters (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)
    assert len(commands) == 4

    for command, expected in commands:
        arguments = [world.shell.topics + each if "/" in each else each for each in command.split()]
        shown = plain("".join(world.shell.run(*arguments)).replace(world.shell.topics, ""))
        for line in expected.splitlines():
            assert plain(line) in shown, f"{command}: {line}\n{shown}"


def plain(text: str) -> str:
    """Words without what draws tables and moves cursors, and without moments."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "MOMENT", text)
    return " ".join(re.sub(r"[\u2500-\u257f]", " ", text).split())


def test_a_replayed_letter_brings_its_user_in_step_and_a_repeat_changes_nothing(world: World) -> None:
    """Through the running service, once what was wrong is put right."""
    shell = world.shell
    letter = world.give_up("alice", "Shenzhen")
    assert world.city_of("alice") is None

    assert shell.ends(letter, "--dry-run") == {letter: "written"}
    assert world.city_of("alice") is None
    assert shell.ends(letter, "--yes") == {letter: "replayed"}
    assert world.city_of("alice") == "Shenzhen"
    assert shell.json("list", "--replayed")[0]["id"] == letter
    assert shell.json("list", "--not-replayed") == []

    state = world.chat.state()
    assert shell.ends(letter, "--yes") == {letter: "replayed"}
    assert world.chat.state() == state
    assert len(shell.json("show", letter)[0]["replayed_at"]) == 2


def test_a_newer_change_wins(world: World) -> None:
    """Also when it was confirmed long ago and the service has forgotten it: the log has not."""
    letter = world.give_up("alice", "Shenzhen")
    world.tell("alice", city_changed("alice", "Beijing"))
    world.is_in("alice", "Beijing")

    assert world.shell.ends(letter, "--yes") == {letter: "newer_known"}
    assert world.city_of("alice") == "Beijing"


def test_a_newer_letter_wins_over_an_older_one(world: World) -> None:
    """Both are replayed, in whatever order they are named."""
    older, newer = world.give_up("alice", "Shenzhen"), world.give_up("alice", "Beijing")
    assert older != newer

    assert world.shell.ends(newer, older, "--yes") == {older: "newer_known", newer: "replayed"}
    assert world.city_of("alice") == "Beijing"


def test_a_newer_change_that_waits_in_the_service_wins(fleet: Fleet, shell: Shell, broker: str) -> None:
    """Nobody looked at the log, and the replay is read while the newer change waits for quiet."""
    world = World(fleet, shell, broker)
    letter = world.give_up("alice", "Shenzhen")
    world.replica.signal(signal.SIGTERM)
    assert world.replica.wait() == 0
    slow = fleet.start(
        AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS="500", AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS="500"
    )
    fleet.wait_until_ready()
    world.tell("alice", city_changed("alice", "Beijing"))
    eventually(lambda: slow.metric("audience_sync_waiting_users") == 1, "alice waits")

    assert shell.ends(letter, "--yes", "--unchecked", "--no-wait") == {letter: "written"}
    eventually(
        lambda: (
            slow.metric(
                "audience_sync_events_total", topic=f"{shell.topics}dead-letters-replay", outcome="ignored"
            )
            == 1
        ),
        "the replay has nothing left to say",
    )
    slow.signal(signal.SIGTERM)  # what waits is sent at once
    assert slow.wait() == 0
    assert world.city_of("alice") == "Beijing"


def test_original_bytes_are_replayed_by_the_rules_of_today(
    fleet: Fleet, shell: Shell, broker: str, tmp_path: Path
) -> None:
    """A record that could not be used is applied once the rules were corrected and the service restarted."""
    world = World(fleet, shell, broker)
    world.tell("alice", b'{"kind": "moved", "user_id": "alice", "city": "Shenzhen"}')
    world.tell("bob", b'{"kind": "unheard-of", "user_id": "bob"}')
    letters = eventually(lambda: found if len(found := shell.json("list")) == 2 else None, "two letters")
    ids = {letter["user"]: letter["id"] for letter in letters}
    assert set(shell.ends("--all", "--yes").values()) == {"not_usable"}

    corrected = (tmp_path / "rules.yaml").read_text().replace("event: city-changed", "event: moved")
    assert corrected != (tmp_path / "rules.yaml").read_text()
    (tmp_path / "rules.yaml").write_text(corrected)
    world.replica.signal(signal.SIGTERM)
    assert world.replica.wait() == 0
    fleet.start()
    fleet.wait_until_ready()

    assert shell.ends("--all", "--yes") == {ids["alice"]: "replayed", ids["bob"]: "not_usable"}
    assert world.city_of("alice") == "Shenzhen"


def test_what_is_refused_still_is_the_same_letter_again(world: World) -> None:
    """Its exit code tells; nothing is lost, and nothing is counted twice."""
    shell = world.shell
    letter = world.give_up("alice", "Shenzhen")
    world.refuse("alice")

    told, said = shell.run("replay", letter, "--yes", code=4)
    assert told.startswith("given_up_again\talice\t")
    assert "1 given up again" in said
    [listed] = shell.json("list", "--user", "alice")
    assert (listed["id"], listed["times"], listed["replayed_at"]) == (letter, 2, None)

    world.refuse()
    assert shell.ends("--not-replayed", "--yes") == {letter: "replayed"}
    assert world.city_of("alice") == "Shenzhen"


def test_a_replay_survives_the_service(world: World) -> None:
    """Written while the replica is killed, it is applied by the next one; and the command says that it waits."""
    letter = world.give_up("alice", "Shenzhen")
    world.replica.signal(signal.SIGKILL)
    world.replica.wait()

    assert world.shell.ends(letter, "--yes", "--no-wait") == {letter: "written"}
    world.fleet.start()
    world.is_in("alice", "Shenzhen")


def followed(user: str, symbol: str) -> bytes:
    """An event."""
    data = {"user_id": user, "symbol": symbol}
    kind = "com.example.stock.followed"
    return json.dumps(
        {"specversion": "1.0", "id": "1", "source": "/product", "type": kind, "data": data}
    ).encode()


def test_many_letters_of_many_users(world: World) -> None:
    """Attributes and tags of users who do not exist; once they were imported, everybody is in step."""
    users = [f"user-{number}" for number in range(30)]
    world.chat.control("switches", {"accounts": "imported"})
    for user in users:
        world.tell(user, city_changed(user, "Shenzhen"))
        for symbol in ("1", "2"):
            world.tell(user, followed(user, symbol), STOCKS)
    shell, given_up = world.shell, "audience_sync_dead_letters_total"
    eventually(lambda: world.replica.metric(given_up) >= 2 * len(users), "all are given up", 90)
    letters = shell.json("list")
    assert sum(len(letter["changes"]) for letter in letters) == 3 * len(users)
    world.chat.control("accounts", {"users": users})

    ends = shell.ends("--all", "--yes")

    assert ends == {letter["id"]: "replayed" for letter in letters}
    state = world.chat.state()
    assert [state[user]["attributes"] for user in users] == [{"city": "Shenzhen"}] * len(users)
    assert {tuple(sorted(state[user]["tags"])) for user in users} == {("stock:1", "stock:2")}


def test_what_can_not_be_meant_is_told(shell: Shell) -> None:
    """A replay of everything is asked for by that name; a moment is one; and nobody is asked without a terminal."""
    _, said = shell.run("replay", code=2)
    assert "--all" in said
    _, said = shell.run("list", "--since", "yesterday", code=2)
    assert "--since yesterday" in said
    _, said = shell.run("list", code=3)
    assert f"has no topic '{shell.topics}dead-letters'" in said


def test_nobody_is_asked_without_a_terminal(world: World) -> None:
    """A script that replays says so."""
    letter = world.give_up("alice", "Shenzhen")
    _, said = world.shell.run("replay", letter, code=2)
    assert "--yes" in said
    _, said = world.shell.run("replay", "another", "--yes", code=2)
    assert "another" in said
    assert world.shell.json("list", "--replayed") == []


assert "event: city-changed" in DEFAULT_RULES.read_text(), "a test corrects this rule"
