"""Users whom the API refuses, among many whom it does not."""

import json
from collections.abc import Sequence
from math import ceil, log2
from typing import Final

import pytest

from tests.support.fleet import Fleet, eventually
from tests.support.letters import dead_letters, missing_last_words
from tests.support.load import all_in_step, all_settled, feed, show
from tests.support.product import CITY, Feed, Product, Truth

pytestmark = pytest.mark.broker

EXTRA_CALLS: Final = 2 * ceil(log2(100)) + 1
"""To find one bad user among 100 whom nobody names: one question who exists, then two halves each time."""


@pytest.fixture
def emulator_options() -> Sequence[str]:
    """Nobody comes into being by a write, and one bad user has a whole request refused."""
    return ("--switch", "accounts=imported", "--switch", "batch=reject")


def test_one_bad_user_costs_ninety_nine_others_a_few_calls_and_nothing_else(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """A replica was running, and a request with 100 users was on its way.

    The API refused it because of one user who exists, and named nobody.
    The 99 others were confirmed, he stands in the dead letters, and it took at most fifteen calls more than without
    him.
    """
    users = [f"user-{number}" for number in range(100)]
    fleet.chat.control("accounts", {"users": users})
    replica = fleet.start(AUDIENCE_SYNC_DEBOUNCE__FILL_SECONDS="3")
    fleet.wait_until_ready()
    send_cities(
        broker, topics, users, "Shenzhen~1"
    )  # so that somebody is known to be good, as in a normal life
    eventually(lambda: cities(fleet) == {"Shenzhen~1": 100}, "everybody has moved to Shenzhen")
    fleet.chat.control("bad-users", {"user-42": 90035})
    fleet.chat.control("reset-counters", {})
    send_cities(broker, topics, users, "Beijing~2")
    all_settled(broker, topics, sources)

    calls = fleet.chat.counters()["calls"]
    extra = sum(calls.values()) - 1
    [letter] = dead_letters(broker, f"{topics}dead-letters")
    show("one bad user among 100", extra_calls=extra, calls=calls)
    assert cities(fleet) == {"Beijing~2": 99, "Shenzhen~1": 1}
    assert (letter.user, letter.changes) == ("user-42", [["SetAttribute", "city", "Beijing~2"]])
    assert extra <= EXTRA_CALLS
    assert replica.metric("audience_sync_stopped") == 0


def test_three_unknown_users_among_five_thousand_harm_nobody(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending for 5,000 users with 20,000 events.

    Three of these users had never been imported, so every request with one of them was refused.
    All 4,997 others were in step, and the last word on these three stands in the dead letters.
    """
    product = Product(users=5_000, seed=10, topics=topics)
    unknown = {product.users[number] for number in (17, 2_345, 4_711)}
    fleet.chat.control("accounts", {"users": [user for user in product.users if user not in unknown]})
    fleet.start_three()
    feed(product, broker, 20_000)
    silent = [user for user in product.users if user not in product.truth]
    send_cities(broker, topics, silent, "Beijing~0")
    product.truth |= {user: Truth({"city": "Beijing~0"}) for user in silent}
    known = {user: told for user, told in product.truth.items() if user not in unknown}
    all_in_step(known, fleet.chat)
    all_settled(broker, topics, sources)

    letters = dead_letters(broker, f"{topics}dead-letters")
    counters = fleet.chat.counters()
    show(
        "three unknown users among 5,000",
        in_step=len(known),
        calls=counters["calls"],
        refused=counters["refused"],
        dead_letters=len(letters),
    )
    assert len(known) == 4_997
    assert {letter.user for letter in letters} == unknown
    assert {letter.cause for letter in letters} == {"unknown_account"}
    assert missing_last_words(letters, {user: product.truth[user] for user in unknown}) == []


def send_cities(broker: str, topics: str, users: Sequence[str], city: str) -> None:
    """Let all of them move."""
    out = Feed(broker)
    for user in users:
        event = {"kind": "city-changed", "user_id": user, "city": city}
        out.send(topics + CITY, user.encode(), json.dumps(event).encode())
    out.flush()


def cities(fleet: Fleet) -> dict[str, int]:
    """{city: users who have it, as the API knows}."""
    found = [known["attributes"].get("city", "") for known in fleet.chat.state().values()]
    return {city: found.count(city) for city in set(found)}
