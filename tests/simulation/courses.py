"""How histories go: whatever breaks at any moment, or one of a few sequences that chance alone would seldom make."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Final

import msgspec

from tests.simulation.chat import Fate, Weather
from tests.simulation.events import ATTRIBUTES
from tests.simulation.plan import (
    BadWeather,
    Corrupt,
    Cut,
    Fault,
    Freeze,
    Grow,
    Imported,
    Join,
    Kill,
    Knobs,
    LettersDown,
    Off,
    Outage,
    Replace,
    Reset,
    Retention,
    Slower,
    Stall,
    Stop,
    Undefined,
)

A_CROWD: Final = 300
"""Users: so many that more of them are ready for one endpoint than a request takes."""


class CourseName(StrEnum):
    """The courses."""

    ORDINARY = "ordinary"
    TAKEOVER = "takeover"
    HANDOVER = "handover"
    RELAY = "relay"
    CALM = "calm"
    FLOOD = "flood"
    GROWTH = "growth"


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a history goes: how long until the world heals, and what breaks.

    static: how likely members are so. users, events: how many there may be. backlog, of_tags: the parts of the
    events that are there from the beginning, and that are about tags. flood: so many records that nobody can use,
    at one moment. bad: whether some users may be refused. drained_within_seconds: so long after the world has healed.
    """

    seconds: float
    processes: int
    knobs: Knobs
    faults: list[tuple[float, Fault]]
    static: float = 0.25
    users: Sequence[int] = (2, 3, 5, 5, 8, 8, 14)
    events: Sequence[int] = (10, 25, 40, 60)
    backlog: float = 0.2
    of_tags: float = 0.45
    flood: int = 0
    bad: bool = True
    topics: tuple[str, ...] | None = None
    drained_within_seconds: float = 180.0


def drawn(name: CourseName | None, chance: Random, knobs: Knobs) -> Course:
    """A course of that kind; None: mostly an ordinary one."""
    if name is None:
        name = chance.choices(list(_SHARES), list(_SHARES.values()))[0]
    return _COURSES[name](chance, knobs)


def _ordinary(chance: Random, knobs: Knobs) -> Course:
    """Whatever breaks, and often nothing."""
    pick = chance.choice
    seconds, processes = pick((6.0, 12.0, 12.0, 20.0)), pick((1, 1, 2, 2, 2, 3))
    faults = [
        (chance.uniform(0.5, seconds), _fault(chance, chance.randrange(processes)))
        for _ in range(pick((0, 1, 2, 2, 3, 5)))
    ]
    if chance.random() < 0.08:  # a rolling restart
        start = chance.uniform(0.5, seconds / 2)
        faults += [(start + process * 3.0, Stop(process, 0.5)) for process in range(processes)]
    course = Course(seconds=seconds, processes=processes, knobs=knobs, faults=faults)
    if chance.random() < 0.05:
        return _crowded(course)
    return course


def _crowded(course: Course) -> Course:
    """More users at once than a request takes."""
    knobs = msgspec.structs.replace(
        course.knobs,
        quiet=1.0,
        longest_wait=6.0,
        max_batch_records=50,
        records_a_fetch=500,
        max_waiting_users=1000,
        max_unsettled_records=4000,
    )
    return msgspec.structs.replace(
        course, knobs=knobs, users=(A_CROWD,), events=(420,), backlog=0.9, of_tags=0.1
    )


def _takeover(chance: Random, knobs: Knobs) -> Course:
    """Somebody else takes over while the former owner, or the API for him, is not done.

    Users go quiet about when his lease ends, so that he has something to send just before.
    """
    pick = chance.choice
    at, processes = chance.uniform(1.5, 6.0), pick((1, 2))
    late = Weather(answer_seconds=(0.1, 2.9), fates={pick((Fate.LATE, Fate.LATE, Fate.INTERNAL_LATE)): 850})
    faults: list[tuple[float, Fault]] = [
        (chance.uniform(0.5, at), BadWeather(knobs.lease + at, late)),
        (at, Replace(chance.randrange(processes), knobs.lease + chance.uniform(0.0, 6.0))),
    ]
    if chance.random() < 0.3:
        faults.append((at + chance.uniform(0.5, 12.0), Kill(0, chance.randrange(40), 0.0)))
    slow = msgspec.structs.replace(
        knobs,
        quiet=pick((0.0, *[chance.uniform(0.5, knobs.lease + 3.0)] * 3)),
        longest_wait=10.0,
        max_waiting_users=1000,
        max_unsettled_records=max(60, knobs.max_unsettled_records),
    )
    return Course(
        seconds=at + pick((0.5, 0.5, 14.0)),
        processes=processes,
        knobs=slow,
        faults=faults,
        static=0.85,
        users=(8, 14),
        events=(40, 60),
    )


def _handover(chance: Random, knobs: Knobs) -> Course:
    """Partitions change hands, once or several times shortly, in the middle of a backlog that is read slowly.

    Some users are sent again and again, so that a position stays behind what others were sent since.
    """
    slow = msgspec.structs.replace(
        knobs,
        quiet=0.0,
        longest_wait=1.0,
        fill=0.0,
        max_waiting_users=1000,
        max_batch_records=1,
        records_a_fetch=1,
        max_unsettled_records=max(60, knobs.max_unsettled_records),
        calls_per_second=100.0,
    )
    by_force, at = chance.random() < 0.5, chance.uniform(0.8, 2.5)
    fates = chance.choice(({}, {}, {Fate.INTERNAL_LATE: 300}, {Fate.ANSWER_LOST: 300}))
    some_again = Weather(named_again=chance.choice((100, 300)), fates=fates)
    faults: list[tuple[float, Fault]] = [(0.1, BadWeather(6.0, some_again))]
    for _ in range(chance.choice((1, 2, 3))):
        kill = Kill(0, chance.randrange(40), 0.0)
        faults.append((at, kill if by_force else chance.choice((Join(), Stop(0, 0.2)))))
        at += chance.uniform(0.3, 1.5)
    return Course(
        seconds=at + 1.0,
        processes=chance.choice((1, 1, 2)),
        knobs=slow,
        faults=faults,
        static=0.8 if by_force else 0.2,
        users=(3, 4),
        events=(40, 60),
        backlog=0.8,
    )


def _relay(chance: Random, knobs: Knobs) -> Course:
    """One owner is away for long, another takes over and ends, and the first one comes back as if nothing were."""
    away = chance.uniform(0.5, 3.0)
    ends = away + knobs.session + knobs.lease + knobs.request_timeout + chance.uniform(3.0, 9.0)
    back = ends + chance.choice((0.3, knobs.session + 1.5, knobs.session + 3.0))
    faults: list[tuple[float, Fault]] = [
        (away, Freeze(0, back - away)),
        (away + chance.uniform(0.0, 2.0), Join()),
        (ends, chance.choice((Kill(1, chance.randrange(20), 60.0), Stop(1, None)))),
    ]
    return Course(seconds=back + 2.0, processes=1, knobs=knobs, faults=faults)


def _calm(chance: Random, knobs: Knobs) -> Course:
    """Nothing breaks, and there is room for all: so every user is sent when it is his turn. Then nothing comes."""
    wide = msgspec.structs.replace(
        knobs,
        quiet=chance.choice((0.2, 1.0, 2.0)),
        longest_wait=chance.choice((2.0, 3.0)),
        max_waiting_users=1000,
        max_unsettled_records=200,
        calls_per_second=100.0,
        most_in_flight=8,
    )
    return Course(
        seconds=20.0,
        processes=chance.choice((1, 2)),
        knobs=wide,
        faults=[],
        users=(1, 2, 3),
        events=(25, 60, 100),
        backlog=0.0,
        bad=False,
    )


def _flood(chance: Random, knobs: Knobs) -> Course:
    """For a moment nothing that comes can be used: more than may go to the dead letters in a minute."""
    most = chance.choice((2, 3, 5))
    wide = msgspec.structs.replace(
        knobs, max_unsettled_records=200, max_waiting_users=1000, most_letters_per_minute=most
    )
    faults: list[tuple[float, Fault]] = []
    if chance.random() < 0.3:
        faults.append((chance.uniform(3.0, 9.0), Kill(0, chance.randrange(40), 0.5)))
    return Course(
        seconds=12.0,
        processes=chance.choice((1, 1, 2)),
        knobs=wide,
        faults=faults,
        events=(10, 25),
        flood=most + 4,
        bad=False,
        drained_within_seconds=600.0,
    )


def _growth(chance: Random, knobs: Knobs) -> Course:
    """One topic gets one more partition, the other one later; replicas come and go meanwhile.

    Members are dynamic: a static one that comes back as if nothing were would not hear of it.
    """
    first, second = chance.uniform(1.0, 5.0), chance.uniform(6.0, 14.0)
    faults: list[tuple[float, Fault]] = [(first, Grow(0)), (second, Grow(1))]
    processes = chance.choice((1, 2, 2))
    for _ in range(chance.choice((0, 1, 2))):
        at, process = chance.uniform(1.0, 16.0), chance.randrange(processes)
        faults.append(
            (at, chance.choice((Join(), Kill(process, chance.randrange(40), 0.5), Stop(process, 0.2))))
        )
    return Course(
        seconds=18.0,
        processes=processes,
        knobs=msgspec.structs.replace(knobs, max_unsettled_records=max(30, knobs.max_unsettled_records)),
        faults=faults,
        static=0.0,
        users=(5, 8, 14),
        events=(40, 60),
        topics=("profiles", "follows"),
    )


_COURSES: Final[Mapping[CourseName, Callable[[Random, Knobs], Course]]] = {
    CourseName.ORDINARY: _ordinary,
    CourseName.TAKEOVER: _takeover,
    CourseName.HANDOVER: _handover,
    CourseName.RELAY: _relay,
    CourseName.CALM: _calm,
    CourseName.FLOOD: _flood,
    CourseName.GROWTH: _growth,
}
_SHARES: Final[Mapping[CourseName, int]] = {
    CourseName.ORDINARY: 75,
    CourseName.TAKEOVER: 10,
    CourseName.HANDOVER: 10,
    CourseName.RELAY: 5,
}
"""Those of which a seed alone decides; the others come by a chance of their own, see `drawing`."""


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
    kinds = chance.sample(
        [fate for fate in Fate if fate not in (Fate.WELL, Fate.TWICE)], chance.choice((1, 2, 4))
    )
    much = chance.choice((100, 300, 900))
    return Weather(
        answer_seconds=chance.choice(((0.02, 0.2), (0.5, 2.9))),
        fates={fate: much // len(kinds) for fate in kinds},
        named_again=chance.choice((0, 0, 200)),
    )
