"""Microseconds of CPU of a change that is added, and of a user's way out through the core; the best of many turns.

    python -m benchmarks.users_way

No rules before it and no requests behind it: the debouncer alone. Each user waits with one attribute and one tag, so
he leaves in two parts, and both are confirmed. One line of JSON is printed.
"""

import json
import time
from collections.abc import Callable
from typing import Final

from audience_sync.core.changes import AddTag, Change, Endpoint, SetAttribute, UserId
from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.ledger import Ledger

USERS: Final = [UserId(f"user-{number:08d}") for number in range(2000)]
TURNS: Final = 40
LEDGER: Final = Ledger("events", 0, 0)
TIMES: Final = DebounceTimes(quiet_seconds=2.0, longest_wait_seconds=30.0, fill_seconds=0.1)


def waiting() -> Debouncer:
    """Everybody waits with an attribute."""
    debouncer = Debouncer(TIMES, may_send=lambda _: True)
    add(debouncer, SetAttribute("city", "Shenzhen"))
    return debouncer


def add(debouncer: Debouncer, change: Change) -> None:
    """One event of each user."""
    changes = (change,)
    for position, user_id in enumerate(USERS):
        debouncer.add(user_id, changes, ledger=LEDGER, position=position, at=99.0, now=100.0)


def leave(debouncer: Debouncer) -> None:
    """Everybody becomes ready, leaves in requests of a hundred, and is confirmed."""
    now = 200.0
    debouncer.advance(now)
    while len(debouncer):
        for endpoint in Endpoint:
            while debouncer.ready.waiting(endpoint):
                request = debouncer.cut(endpoint)
                for user_id in request.parts:
                    debouncer.settle(user_id, now)
                debouncer.confirmed(request, request.parts, now)


def microseconds(work: Callable[[Debouncer], None], *, of: Callable[[], Debouncer]) -> float:
    """CPU time of *work*, a user: the best of many turns, each with a new debouncer."""
    best = float("inf")
    for _ in range(TURNS):
        debouncer = of()
        began = time.thread_time()
        work(debouncer)
        best = min(best, time.thread_time() - began)
    return round(best / len(USERS) * 1e6, 2)


def with_both() -> Debouncer:
    """Everybody waits with an attribute and a tag."""
    debouncer = waiting()
    add(debouncer, AddTag("stock:600519"))
    return debouncer


def main() -> None:
    """Measure and print."""
    figures = {
        "change_of_a_new_user": microseconds(
            lambda debouncer: add(debouncer, SetAttribute("city", "Beijing")),
            of=lambda: Debouncer(TIMES, may_send=lambda _: True),
        ),
        "change_of_a_known_user": microseconds(
            lambda debouncer: add(debouncer, SetAttribute("city", "Beijing")), of=waiting
        ),
        "way_out_of_a_user": microseconds(leave, of=with_both),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
