"""What a history is made of: the settings, what producers write, and what breaks when."""

from collections.abc import Sequence

import msgspec

from tests.simulation.chat import BadUsers, Weather
from tests.simulation.log import Entry

# Faults: each happens at a moment, to one process or to the world.


class Kill(msgspec.Struct, frozen=True):
    """A process ends between two of its steps, and is started again later."""

    process: int
    steps: int
    back_after_seconds: float


class Freeze(msgspec.Struct, frozen=True):
    """A process does nothing for a while, and does not know it."""

    process: int
    seconds: float


class Cut(msgspec.Struct, frozen=True):
    """A process can't reach Kafka for a while; the Chat API it can."""

    process: int
    seconds: float


class Stall(msgspec.Struct, frozen=True):
    """What a process and Kafka tell each other arrives late."""

    process: int
    seconds: float


class Reset(msgspec.Struct, frozen=True):
    """A process' connection to Kafka breaks, and answers are lost."""

    process: int


class Outage(msgspec.Struct, frozen=True):
    """Nobody can reach Kafka for a while."""

    seconds: float


class Stop(msgspec.Struct, frozen=True):
    """A process is asked to stop; it is started again later, or never."""

    process: int
    back_after_seconds: float | None


class Replace(msgspec.Struct, frozen=True):
    """A process can't reach Kafka, is taken for dead and started elsewhere; it lives on for a while, and can send."""

    process: int
    seconds: float


class Join(msgspec.Struct, frozen=True):
    """One more process."""


class BadWeather(msgspec.Struct, frozen=True):
    """The Chat API is in trouble for a while."""

    seconds: float
    weather: Weather


class Off(msgspec.Struct, frozen=True):
    """The Chat API refuses everything for a while, with this code."""

    seconds: float
    code: int


class Undefined(msgspec.Struct, frozen=True):
    """Names of attributes are not defined for a while."""

    seconds: float
    names: tuple[str, ...]


class Slower(msgspec.Struct, frozen=True):
    """The Chat API allows fewer calls for a while."""

    seconds: float
    calls_per_second: float


class LettersDown(msgspec.Struct, frozen=True):
    """Dead letters can't be written for a while, or are and it is not said."""

    seconds: float
    lost_answers: float


class Corrupt(msgspec.Struct, frozen=True):
    """Polls of a process fail, and lose what they had collected."""

    process: int
    polls: int


class Retention(msgspec.Struct, frozen=True):
    """The log's beginning is cut off: what everyone has settled, or a little more."""

    beyond: int


class Imported(msgspec.Struct, frozen=True):
    """Users without an account get one."""


class ClockJump(msgspec.Struct, frozen=True):
    """Somebody corrects the wall clock of the machine that a process runs on; forwards, or backwards below 0."""

    process: int
    seconds: float


class Grow(msgspec.Struct, frozen=True):
    """A topic, by its number, gets one more partition. Producers write it for users whom nobody has heard of."""

    topic: int


Fault = (
    Kill
    | Freeze
    | Cut
    | Stall
    | Reset
    | Outage
    | Stop
    | Replace
    | Join
    | BadWeather
    | Off
    | Undefined
    | Slower
    | LettersDown
    | Corrupt
    | Retention
    | Imported
    | ClockJump
    | Grow
)


class Produced(msgspec.Struct, frozen=True):
    """Something that a producer does at a moment: an entry in one topic, plain or in a transaction.

    transaction: a number of a transaction that it belongs to; gap: an offset is left out after it.
    """

    at: float
    topic: str
    entry: Entry
    transaction: int | None = None
    gap: bool = False


class Knobs(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the service, and how fast the log is read. Durations in seconds."""

    quiet: float = 0.5
    longest_wait: float = 3.0
    fill: float = 0.1
    max_waiting_users: int = 1000
    lease: float = 3.0
    commit_interval: float = 1.0
    request_timeout: float = 3.5
    session: float = 7.0
    heartbeat: float = 1.0
    rebalance: float = 9.5
    max_unsettled_records: int = 100
    max_batch_records: int = 50
    calls_per_second: float = 100.0
    calls_per_second_of_app: float | None = None
    most_in_flight: int = 8
    drain: float = 10.0
    records_a_fetch: int = 500
    """What a broker's answer holds: after so many records, reading waits for the next one."""
    turn: float = 0.1
    """How often it is looked whether records have room. Longer: other histories, and faster ones."""
    unknown_accounts: str = "dead_letter"
    most_letters_per_minute: int = 1000
    known: float = 0.0
    """How long repeats of what was confirmed are not sent; 0: all are."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One history, from its beginning to the moment when the world heals."""

    seed: int
    topics: tuple[str, ...] = ("events",)
    partitions: int = 2
    uncommitted: bool = False
    processes: int = 2
    static: bool = False
    clock_offsets: tuple[float, ...] = (0.0,)
    knobs: Knobs = Knobs()
    mode: BadUsers = BadUsers.PARTIAL
    unknown: frozenset[str] = frozenset()
    cursed: dict[str, int] = {}
    api_calls_per_second: float = 100.0
    api_calls_per_second_of_app: float | None = None
    produced: Sequence[Produced] = ()
    transactions: dict[int, tuple[float, bool]] = {}
    """{number: (when it ends, whether it commits)}."""
    faults: Sequence[tuple[float, Fault]] = ()
    heals_at: float = 20.0
    drained_within_seconds: float = 180.0
    """After the world has healed, everything must be settled by then."""
    lives_on: bool = True
    """Whether some more events come when the world has healed, and not everything is settled soon."""
    weather: Weather = Weather()
    """How the API does when nothing is wrong with it."""
