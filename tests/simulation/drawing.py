"""What one seed decides."""

from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec

from tests.simulation.chat import BadUsers, Fate, Weather
from tests.simulation.events import ATTRIBUTES, an_entry
from tests.simulation.plan import (
    BadWeather,
    Corrupt,
    Cut,
    Fault,
    Freeze,
    Imported,
    Join,
    Kill,
    Knobs,
    LettersDown,
    Off,
    Outage,
    Plan,
    Produced,
    Replace,
    Reset,
    Retention,
    Slower,
    Stall,
    Stop,
    Undefined,
)

MODES: Final = (
    BadUsers.REJECT,
    BadUsers.REJECT,
    BadUsers.PARTIAL,
    BadUsers.PARTIAL,
    BadUsers.PREFIX,
    BadUsers.IGNORE,
)

ROOM: Final = 300
"""Positions where there must be room: whoever is refused alone waits until others are confirmed, and for that they
must be read; and a crowd would take too long, two at a time."""

A_CROWD: Final = 100


def plan_of(seed: int) -> Plan:
    """What the seed decides. The same one always decides the same."""
    chance = Random(f"plan/{seed}")
    pick = chance.choice
    users = _users(chance)
    bad = chance.sample(users, min(len(users) - 1, pick((0, 0, 1, 1, 2))))
    knobs = _knobs(chance, with_room=len(bad) > 1 or len(users) >= A_CROWD)
    processes = pick((1, 1, 2, 2, 2, 3))
    course = chance.choices((_ordinary, _takeover, _relay), (85, 9, 6))[0](chance, processes, knobs)
    topics = pick((("events",), ("profiles", "follows")))
    produced, transactions = _produced(chance, users, topics, course.seconds)
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
        unknown=frozenset(bad[:1]),
        cursed={user: pick((90035, 90046, 90020)) for user in bad[1:]},
        api_calls_per_second=knobs.calls_per_second,
        produced=produced,
        transactions=transactions,
        faults=sorted(course.faults, key=lambda item: item[0]),
        heals_at=course.seconds,
        weather=Weather(answer_seconds=pick(((0.02, 0.2), (0.02, 0.2), (0.1, 1.0), (0.001, 0.01)))),
    )


class Course(msgspec.Struct, frozen=True):
    """How a history goes: how long until the world heals, what breaks, and how likely members are static."""

    seconds: float
    processes: int
    faults: list[tuple[float, Fault]]
    static: float = 0.25


def _ordinary(chance: Random, processes: int, _: Knobs) -> Course:
    """Whatever breaks, and often nothing."""
    seconds = chance.choice((6.0, 12.0, 12.0, 20.0))
    faults = [
        (chance.uniform(0.5, seconds), _fault(chance, chance.randrange(processes)))
        for _ in range(chance.choice((0, 1, 2, 2, 3, 5)))
    ]
    if chance.random() < 0.08:  # a rolling restart
        start = chance.uniform(0.5, seconds / 2)
        faults += [(start + process * 3.0, Stop(process, 0.5)) for process in range(processes)]
    return Course(seconds, processes, faults)


def _takeover(chance: Random, processes: int, knobs: Knobs) -> Course:
    """Somebody else takes over while the former owner, or the API for him, is not done."""
    at = chance.uniform(1.5, 6.0)
    lives_on = knobs.lease + chance.uniform(0.0, 6.0)
    weather = Weather(answer_seconds=(0.1, 2.9), fates={chance.choice((Fate.LATE, Fate.INTERNAL_LATE)): 700})
    faults: list[tuple[float, Fault]] = [
        (chance.uniform(0.5, at), BadWeather(knobs.lease + at, weather)),
        (at, Replace(chance.randrange(processes), lives_on)),
    ]
    if chance.random() < 0.3:
        faults.append((at + chance.uniform(0.5, 12.0), Kill(0, chance.randrange(40), 0.0)))
    return Course(at + chance.choice((2.0, 14.0)), processes, faults, static=0.8)


def _relay(chance: Random, _: int, knobs: Knobs) -> Course:
    """One owner is away for long, another takes over and ends, and the first one comes back as if nothing were."""
    away = chance.uniform(0.5, 3.0)
    ends = away + knobs.session + knobs.lease + knobs.request_timeout + chance.uniform(3.0, 9.0)
    back = ends + chance.choice((0.3, knobs.session + 1.5, knobs.session + 3.0))
    faults: list[tuple[float, Fault]] = [
        (away, Freeze(0, back - away)),
        (away + chance.uniform(0.0, 2.0), Join()),
        (ends, chance.choice((Kill(1, chance.randrange(20), 60.0), Stop(1, None)))),
    ]
    return Course(back + 2.0, 1, faults)


def _users(chance: Random) -> list[str]:
    users = chance.choice((2, 3, 5, 8, 8, 14)) if chance.random() < 0.95 else A_CROWD + 30
    return [f"u{number}" for number in range(users)]


def _knobs(chance: Random, *, with_room: bool) -> Knobs:
    pick = chance.choice
    lease = pick((3.0, 3.0, 4.5))
    request_timeout = pick((3.1, 3.5, 4.0))
    heartbeat = pick((0.5, 1.0, 2.0))
    quiet = pick((0.0, 0.2, 0.5, 1.0, 2.0))
    return Knobs(
        quiet=quiet,
        longest_wait=max(quiet, pick((1.0, 3.0, 6.0))),
        fill=pick((0.0, 0.05, 0.1)),
        max_waiting_users=1000 if with_room else pick((2, 4, 1000, 1000)),
        lease=lease,
        commit_interval=pick((0.3, 1.0)),
        request_timeout=request_timeout,
        session=lease + request_timeout + pick((0.0, 0.5, 3.0)),
        heartbeat=heartbeat,
        rebalance=max(lease, heartbeat + 5.0) + request_timeout,
        max_unsettled_records=ROOM if with_room else pick((2, 4, 8, 30, 200)),
        max_batch_records=pick((1, 3, 50)),
        calls_per_second=pick((3.0, 10.0, 100.0)),
        most_in_flight=pick((1, 2, 8)),
        drain=pick((6.0, 8.0, 15.0)),
        turn=pick((0.1, 0.4, 0.4)),
        unknown_accounts=pick(("dead_letter", "dead_letter", "dead_letter", "drop", "import")),
    )


def _produced(
    chance: Random, users: Sequence[str], topics: Sequence[str], seconds: float
) -> tuple[list[Produced], dict[int, tuple[float, bool]]]:
    """Events at random moments, more of them for some users than for others."""
    events = chance.choice((10, 25, 40, 60)) if len(users) < A_CROWD else 200
    moments = sorted(chance.uniform(0.0, seconds) if chance.random() < 0.8 else 0.0 for _ in range(events))
    weights = [chance.choice((1, 1, 3, 8)) for _ in users]
    skew = chance.choice((0, 0, 0, -100_000, 50_000))
    in_transactions = chance.choice((0.0, 0.0, 0.3))
    transactions: dict[int, tuple[float, bool]] = {}
    produced: list[Produced] = []
    for version, moment in enumerate(moments):
        user = chance.choices(users, weights)[0]
        of_tags = chance.random() < 0.45
        topic = topics[-1] if of_tags else topics[0]
        entry = an_entry(chance, user, version=version, of_tags=of_tags, moment=moment, skew=skew)
        number = None
        if chance.random() < in_transactions:
            number = len(transactions) // 2
            transactions.setdefault(number, (moment + chance.choice((0.0, 0.2, 3.0)), chance.random() < 0.6))
            if transactions[number][0] < moment:
                number = version + 1000
                transactions[number] = (moment + 0.1, chance.random() < 0.6)
        produced.append(Produced(moment, topic, entry, number, gap=chance.random() < 0.05))
    return produced, transactions


def _fault(chance: Random, process: int) -> Fault:
    pick = chance.choice
    seconds = pick((0.3, 2.0, 5.0, 9.0, 14.0))
    kinds: tuple[tuple[int, Fault], ...] = (
        (6, Kill(process, chance.randrange(40), pick((0.0, 0.5, 3.0, 12.0)))),
        (4, Freeze(process, seconds)),
        (3, Cut(process, seconds)),
        (2, Stall(process, seconds)),
        (2, Reset(process)),
        (1, Outage(seconds)),
        (3, Stop(process, pick((None, 0.2, 3.0)))),
        (3, Join()),
        (7, BadWeather(seconds, _weather(chance))),
        (1, Off(seconds, pick((90045, 60020, 70009)))),
        (1, Undefined(seconds, pick((ATTRIBUTES, *((name,) for name in ATTRIBUTES))))),
        (1, Replace(process, seconds)),
        (1, Slower(seconds, pick((1.0, 2.0)))),
        (2, LettersDown(seconds, pick((0.0, 0.5)))),
        (1, Corrupt(process, pick((1, 1, 3)))),
        (1, Retention(pick((0, 0, 0, 2)))),
        (1, Imported()),
    )
    return chance.choices([fault for _, fault in kinds], [weight for weight, _ in kinds])[0]


def _weather(chance: Random) -> Weather:
    kinds = chance.sample([fate for fate in Fate if fate is not Fate.WELL], chance.choice((1, 2, 4)))
    much = chance.choice((100, 300, 900))
    return Weather(
        answer_seconds=chance.choice(((0.02, 0.2), (0.5, 2.9))),
        fates={fate: much // len(kinds) for fate in kinds},
        named_again=chance.choice((0, 0, 200)),
    )
