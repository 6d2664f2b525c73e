"""Replicas that are killed with -9, again and again, while the API is faulty and some users are bad."""

import random
import signal
import time
from collections.abc import Sequence
from typing import Final

import pytest

from tests.support.fleet import EmulatedChat, Fleet, eventually
from tests.support.letters import dead_letters, missing_last_words, repeats
from tests.support.load import FULL, all_in_step, all_settled, show, under_load
from tests.support.product import Product

pytestmark = pytest.mark.broker

ROUNDS: Final = 100 if FULL else 4
USERS: Final = 2_000
EVENTS_A_SECOND: Final = 300
SEED: Final = 20261122

LAST_DOUBT_SECONDS: Final = 720
"""A bad user with nobody to compare him with is given up after ten minutes."""

BURST_EVERY_SECONDS: Final = 20
FAULTS: Final = {
    "seed": SEED,
    "chance": {"stall:4": 0.05, "code:91000": 0.025, "code_after:91000": 0.025},  # 4 s: above the time-out
    "script": [
        {
            "at_seconds": BURST_EVERY_SECONDS * number,
            "fail_next": [{"kind": "code:60007", "for_seconds": 2}],
        }
        for number in range(1, 400)
    ],
}


@pytest.fixture
def emulator_options() -> Sequence[str]:
    """Nobody comes into being by a write, and one bad user has a whole request refused."""
    return ("--switch", "accounts=imported", "--switch", "batch=reject")


def test_kills_while_the_api_is_faulty_lose_nothing_and_send_nothing_old(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas send under load to a faulty API: time-outs after applying, inner errors, bursts of "too fast".

    A random one is killed with -9 at a random moment, again and again, and one user in a hundred is always refused.
    All others are in step, the last word on every bad one and nobody else's stands in the dead letters, a letter
    that is written again has the id it had, no value goes back, and no user is in two requests at once.
    """
    chance = random.Random(SEED)
    product = Product(users=USERS, seed=SEED, topics=topics)
    bad = spoil(product.users, fleet.chat)
    fleet.start_three()
    fleet.chat.set_faults(FAULTS)
    began = time.monotonic()
    with under_load(product, broker, events_a_second=EVENTS_A_SECOND) as events:
        for _ in range(ROUNDS):
            if chance.random() < 0.5:  # in the middle of work; else maybe in the middle of a take-over
                goes_on(fleet.chat)
            time.sleep(chance.uniform(0, 3))
            victim = chance.choice(fleet.running)
            victim.signal(signal.SIGKILL)
            victim.wait()
            fleet.start()
    loaded_seconds = time.monotonic() - began
    good = {user: known for user, known in product.truth.items() if user not in bad}
    all_in_step(good, fleet.chat, seconds=300)
    all_settled(broker, topics, sources, seconds=LAST_DOUBT_SECONDS)

    letters = dead_letters(broker, f"{topics}dead-letters")
    counters = fleet.chat.counters()
    show(
        "kill -9 while the API is faulty",
        kills=ROUNDS,
        seconds=round(loaded_seconds),
        events=events(),
        requests=sum(counters["calls"].values()),
        faults=counters["faults"],
        refused=counters["refused"],
        good_out_of_step=0,
        dead_letters=len(letters),
        repeated_dead_letters=repeats(letters),
        of_these_with_newer_values=len({(each.id, str(each.changes)) for each in letters})
        - len({each.id for each in letters}),
        stops=sum(line["action"] == "delivery_stopped" for replica in fleet.all for line in replica.lines()),
        went_back_over_kills=counters["went_back_count"],
        overlaps=counters["overlaps_count"],
    )
    assert {letter.user for letter in letters} == bad & product.truth.keys()
    assert (
        missing_last_words(letters, {user: product.truth[user] for user in bad & product.truth.keys()}) == []
    )
    told = {(letter.id, letter.user, names_in(letter.changes)) for letter in letters}
    assert len(told) == len({letter.id for letter in letters}), "one id stands for one loss"


def spoil(users: Sequence[str], chat: EmulatedChat) -> set[str]:
    """Let one user in a hundred be bad: every other of them unknown, the rest refused whatever they are sent."""
    bad = users[::100]
    unknown = set(bad[::2])
    chat.control("accounts", {"users": [user for user in users if user not in unknown]})
    chat.control("bad-users", dict.fromkeys(bad[1::2], 90035))
    return set(bad)


def goes_on(chat: EmulatedChat) -> None:
    """Wait until requests are sent."""
    before = sum(chat.counters()["calls"].values())
    eventually(lambda: sum(chat.counters()["calls"].values()) > before + 10, "somebody sends", 90)


def names_in(changes: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Each change without its value."""
    return tuple(tuple(change[:2]) for change in changes)
