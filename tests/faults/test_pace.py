"""How close three replicas come to the limit of the API together, and whether they pass it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Flag
from typing import Final, NamedTuple

import pytest

from audience_sync.core.pace import HEADROOM
from tests.support.fleet import Fleet, eventually
from tests.support.load import FULL, all_settled, show
from tests.support.product import CITY, Feed

pytestmark = pytest.mark.broker

LIMIT: Final = 100 if FULL else 30
"""Calls a second and endpoint: the documented ones, or so few that rounding would show."""

LOOKS: Final = 20 if FULL else 4
LOOK_SECONDS: Final = 2.5
USERS: Final = 400 * LIMIT
"""Four seconds' work: no more, for an emulator with many users has pauses of its own, after which it counts what came
meanwhile as one moment."""

SURPLUS: Final = 1.3
"""Events that come, of those that the API takes."""

ENOUGH: Final = 0.95 * HEADROOM * LIMIT
ENDPOINT: Final = "set_attr"


class Look(NamedTuple):
    """What the API saw in a while: calls a second on average, and the most in any second."""

    calls_a_second: float
    most_in_any_second: int


@pytest.fixture
def settings() -> dict[str, str]:
    """Users are ready again at once."""
    return {"AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.2"}


@pytest.fixture
def calls_per_second() -> float:
    """So many that three replicas can be exact."""
    return LIMIT


def test_three_replicas_use_the_limit_and_never_pass_it(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas had more to send than the API takes.

    Nothing broke; the API counted calls in every sliding second, not only in those that a clock begins.
    While each had a full request ready, they used at least 95 % of 97 % of the limit together and passed it in no
    second, but for one call a replica that the delays of a busy machine may push into the next one's second.
    """
    fleet.start_three()
    looks = []
    with moving(broker, topics + CITY):
        eventually(lambda: least_ready(fleet) >= 100, "each has a full request ready", 60)
        for _ in range(LOOKS):
            look = look_for_a_while(fleet)
            assert least_ready(fleet) >= 100
            looks.append(look)
    all_settled(broker, topics, sources)

    good = [look for look in looks if look.calls_a_second >= ENOUGH]
    show(
        "three replicas at the limit",
        limit=LIMIT,
        calls_a_second=[round(look.calls_a_second, 1) for look in looks],
        of_the_configured_pace=[round(look.calls_a_second / HEADROOM / LIMIT, 3) for look in looks],
        most_in_any_second=[look.most_in_any_second for look in looks],
        of_each_replica=[
            replica.metric("audience_sync_pace_calls_per_second", endpoint=ENDPOINT) for replica in fleet.all
        ],
        refused=fleet.chat.counters()["refused"],
    )
    assert max(look.most_in_any_second for look in looks) <= LIMIT + len(fleet.all)
    assert good, "the machine is too busy, or the pace too slow"
    assert min(look.most_in_any_second for look in good) <= LIMIT


@contextmanager
def moving(broker: str, topic: str) -> Iterator[None]:
    """Users move to other cities, one after another and all over again, more than the API takes."""
    users = [f"user-{number}" for number in range(USERS)]
    events = [
        (user.encode(), json.dumps({"kind": "city-changed", "user_id": user, "city": "A~1"}).encode())
        for user in users
    ]
    ended = Flag()

    def move() -> None:
        out, sent, began = Feed(broker), 0, time.monotonic()
        while not ended.wait(0.05):
            due = int((time.monotonic() - began) * SURPLUS * 100 * LIMIT)
            for number in range(sent, due):
                out.send(topic, *events[number % USERS])
            sent = due
        out.flush()

    with ThreadPoolExecutor(1) as pool:
        moves = pool.submit(move)
        try:
            yield
        finally:
            ended.set()
        moves.result()


def look_for_a_while(fleet: Fleet) -> Look:
    """What the API sees in the next seconds."""
    fleet.chat.control("reset-counters", {})
    began, first = time.monotonic(), calls(fleet)
    time.sleep(LOOK_SECONDS)
    ended, last = time.monotonic(), calls(fleet)
    most = fleet.chat.counters()["most_calls_in_a_second"][f"im_{ENDPOINT}"]
    return Look((last - first) / (ended - began), most)


def calls(fleet: Fleet) -> int:
    """Calls of the one endpoint that is needed."""
    return int(fleet.chat.counters()["calls"].get(f"im_{ENDPOINT}", 0))


def least_ready(fleet: Fleet) -> float:
    """Ready users of the replica that has the fewest."""
    return min(replica.metric("audience_sync_ready_users", endpoint=ENDPOINT) for replica in fleet.running)
