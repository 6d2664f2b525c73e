"""What one seed decides."""

from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec

from tests.simulation.chat import BadUsers, Fate, Weather
from tests.simulation.courses import Course, CourseName, drawn
from tests.simulation.events import UNUSABLE, an_entry, topic_of
from tests.simulation.log import Entry
from tests.simulation.plan import ClockJump, Knobs, Plan, Produced

MODES: Final = (
    BadUsers.REJECT,
    BadUsers.REJECT,
    BadUsers.PARTIAL,
    BadUsers.PARTIAL,
    BadUsers.PREFIX,
    BadUsers.IGNORE,
)
CODES: Final = (90035, 90046, 90020)
"""What the API says of a user who exists and whom it does not take."""

ROOM: Final = 300
"""Positions at least: whoever is refused alone waits until others are confirmed, and for that they must be read."""


RARE: Final = (CourseName.CALM, CourseName.FLOOD, CourseName.GROWTH)
"""Courses that come by a chance of their own, so that the other seeds stay what they were."""


def plan_of(seed: int, name: CourseName | None = None) -> Plan:
    """What the seed decides, of a course of that name or any. The same one always decides the same."""
    chance, more = Random(f"plan/{seed}"), Random(f"more/{seed}")
    if name is None and more.random() < 0.1:
        name = more.choice(RARE)
    return _with_more(_plan_of(seed, name, chance), more)


def _with_more(plan: Plan, more: Random) -> Plan:
    """What may come on top: a limit of the whole app, a clock that jumps, requests that are repeated on their way."""
    if more.random() < 0.1:
        of_app = more.choice((6.0, 20.0))
        knobs = msgspec.structs.replace(plan.knobs, calls_per_second_of_app=of_app)
        plan = msgspec.structs.replace(plan, knobs=knobs, api_calls_per_second_of_app=of_app)
    if more.random() < 0.1:
        at = more.uniform(0.5, plan.heals_at)
        jump = ClockJump(more.randrange(plan.processes), more.choice((-3600.0, -5.0, 5.0, 3600.0)))
        faults = sorted([*plan.faults, (at, jump)], key=lambda item: item[0])
        plan = msgspec.structs.replace(plan, faults=faults)
    if more.random() < 0.1:
        fates = more.choice(({Fate.TWICE: 200}, {Fate.TWICE: 200, Fate.LATE: 50}))
        weather = msgspec.structs.replace(plan.weather, fates=fates)
        plan = msgspec.structs.replace(plan, weather=weather)
    return plan


def _plan_of(seed: int, name: CourseName | None, chance: Random) -> Plan:
    pick = chance.choice
    bad = pick((0, 0, 1, 1, 2))
    course = drawn(name, chance, _knobs(chance))
    users = [f"u{number}" for number in range(pick(course.users))]
    bad_users = chance.sample(users, min(bad, len(users) - 1)) if course.bad else []
    knobs = msgspec.structs.replace(course.knobs, known=_known(seed, name))
    if len(bad_users) > 1:
        knobs = _with_room(knobs)
    either: tuple[tuple[str, ...], ...] = (("events",), ("profiles", "follows"))
    topics = course.topics or pick(either)
    produced, transactions = _produced(chance, users, topics, course)
    return Plan(
        seed=seed,
        topics=topics,
        partitions=pick((1, 2, 2, 3)),
        uncommitted=chance.random() < 0.1,
        processes=course.processes,
        static=chance.random() < course.static,
        clock_offsets=tuple(pick((0.0, 0.0, chance.uniform(-3, 3), 4000.0)) for _ in range(4)),
        knobs=knobs,
        mode=pick(MODES),
        unknown=frozenset(bad_users[:1]),
        cursed={user: pick(CODES) for user in bad_users[1:]},
        api_calls_per_second=knobs.calls_per_second,
        produced=produced,
        transactions=transactions,
        faults=sorted(course.faults, key=lambda item: item[0]),
        heals_at=course.seconds,
        drained_within_seconds=course.drained_within_seconds,
        weather=Weather(answer_seconds=pick(((0.02, 0.2), (0.02, 0.2), (0.1, 1.0), (0.001, 0.01)))),
    )


def _knobs(chance: Random) -> Knobs:
    pick = chance.choice
    lease = pick((3.0, 3.0, 4.5))
    request_timeout = pick((3.1, 3.5, 4.0))
    heartbeat = pick((0.5, 1.0, 2.0))
    quiet = pick((0.0, 0.2, 0.5, 1.0, 2.0))
    return Knobs(
        quiet=quiet,
        longest_wait=max(quiet, pick((1.0, 3.0, 6.0))),
        fill=pick((0.0, 0.05, 0.1)),
        max_waiting_users=pick((2, 4, 1000, 1000)),
        lease=lease,
        commit_interval=pick((0.3, 1.0)),
        request_timeout=request_timeout,
        session=lease + request_timeout + pick((0.0, 0.5, 3.0)),
        heartbeat=heartbeat,
        rebalance=max(lease, heartbeat + 5.0) + request_timeout,
        max_unsettled_records=pick((2, 4, 8, 30, 200)),
        max_batch_records=pick((1, 3, 50)),
        calls_per_second=pick((3.0, 10.0, 100.0)),
        most_in_flight=pick((1, 2, 8)),
        drain=pick((6.0, 8.0, 15.0)),
        records_a_fetch=pick((1, 10, 500, 500)),
        turn=pick((0.1, 0.4, 0.4)),
        unknown_accounts=pick(("dead_letter", "dead_letter", "dead_letter", "drop", "import")),
    )


def _known(seed: int, name: CourseName | None) -> float:
    """How long confirmations are known. From a chance of its own, so that it changes nothing else."""
    return 0.0 if name is CourseName.CALM else Random(f"known/{seed}").choice((0.0, 0.0, 5.0, 1000.0))


def _with_room(knobs: Knobs) -> Knobs:
    return msgspec.structs.replace(
        knobs, max_waiting_users=1000, max_unsettled_records=max(ROOM, knobs.max_unsettled_records)
    )


def _produced(
    chance: Random, users: Sequence[str], topics: Sequence[str], course: Course
) -> tuple[list[Produced], dict[int, tuple[float, bool]]]:
    """Events at random moments, more of them for some users than for others."""
    moments = sorted(
        0.0 if chance.random() < course.backlog else chance.uniform(0.0, course.seconds)
        for _ in range(chance.choice(course.events))
    )
    weights = [chance.choice((1, 1, 3, 8)) for _ in users]
    skew = chance.choice((0, 0, 0, -100_000, 50_000))
    in_transactions = chance.choice((0.0, 0.0, 0.3))
    transactions: dict[int, tuple[float, bool]] = {}
    produced: list[Produced] = []
    for version, moment in enumerate(moments):
        user = chance.choices(users, weights)[0]
        of_tags = chance.random() < course.of_tags
        entry = an_entry(chance, user, version=version, of_tags=of_tags, moment=moment, skew=skew)
        number = _transaction(chance, transactions, moment) if chance.random() < in_transactions else None
        topic = topic_of("forget" if "*" in entry.words else "follow" if of_tags else "", topics)
        produced.append(Produced(moment, topic, entry, number, gap=chance.random() < 0.05))
    produced += _flood(chance, users, topics[0], course)
    return sorted(produced, key=lambda each: each.at), transactions


def _flood(chance: Random, users: Sequence[str], topic: str, course: Course) -> list[Produced]:
    """Records that nobody can use, all within a second."""
    begun = chance.uniform(1.0, 5.0) if course.flood else 0.0
    return [
        Produced(begun + number / course.flood, topic, Entry(user, None, UNUSABLE[0], 0, unusable=True))
        for number in range(course.flood)
        for user in (chance.choice(users),)
    ]


def _transaction(chance: Random, transactions: dict[int, tuple[float, bool]], moment: float) -> int:
    """The number of the transaction that an event belongs to: one that is open, or a new one."""
    is_open = [number for number, (ends, _) in transactions.items() if ends > moment]
    if is_open and chance.random() < 0.7:
        return chance.choice(is_open)
    number = len(transactions)
    transactions[number] = (moment + chance.choice((0.001, 0.2, 3.0)), chance.random() < 0.6)
    return number
