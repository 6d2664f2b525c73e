"""What a scenario is measured by: counted by a judge who sees all and judges nothing."""

import math
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from audience_sync.core.changes import Endpoint, UserId
from audience_sync.core.tenure import Tenure
from audience_sync.events.intake import Record as TakenRecord
from tests.simulation.chat import Call, Judge
from tests.simulation.letters import Letter
from tests.simulation.log import Record
from tests.simulation.loop import START
from tests.simulation.world import World

Effect = str | bool | None


class Figures(Judge):
    """Everything that can be asked of one history. trouble: when it begins and ends, in seconds after the start."""

    def __init__(self, world: World, trouble: tuple[float, float]) -> None:
        self._world = world
        self._trouble = trouble
        self._unconfirmed: dict[tuple[str, str], list[tuple[float, Effect]]] = {}
        self._sent_at: list[float] = []
        self._starts: dict[str, deque[float]] = {}
        self.most_in_a_second: Counter[str] = Counter()
        self.users_sent = 0
        self.users_given_up: set[str] = set()
        self.delays: list[float] = []
        self.users_waiting_most = 0
        self.records_unsettled_most = 0
        self.last_event_at = 0.0
        self.last_settled_at = 0.0

    @property
    def _now(self) -> float:
        return self._world.loop.now - START

    def produced(self, record: Record) -> None:
        """Its words wait to be confirmed from now on."""
        self.last_event_at = self._now
        for name, effect in record.words.items():
            self._unconfirmed.setdefault((record.user, name), []).append((self._now, effect))

    def taken(self, tenure: Tenure, records: Sequence[TakenRecord]) -> None:
        """How much is in memory."""
        self.users_waiting_most = max(self.users_waiting_most, len(tenure.debouncer))
        for _, ledger in tenure.ownership.ledgers():
            unsettled = ledger.read_position - ledger.settled_position
            self.records_unsettled_most = max(self.records_unsettled_most, unsettled + len(records))

    def sent(self, call: Call) -> None:
        """How many, and how fast."""
        self._sent_at.append(self._now)
        self.users_sent += len(call.request.parts)
        for what in (call.request.endpoint, "all"):
            starts = self._starts.setdefault(what, deque())
            starts.append(self._now)
            while starts[0] <= self._now - 1.0:
                starts.popleft()
            self.most_in_a_second[what] = max(self.most_in_a_second[what], len(starts))

    def applied(self, call: Call, users: Collection[str]) -> None:
        """What the API has is confirmed, with all that came before it."""
        endpoint = call.request.endpoint
        for user in users:
            part = call.request.parts[UserId(user)]
            for name in part:
                effect: Effect = endpoint is Endpoint.ADD_TAGS if name.startswith("t:") else None
                if isinstance(part, Mapping):
                    effect = part[name]
                self._confirmed(user, name, effect)

    def _confirmed(self, user: str, name: str, effect: Effect) -> None:
        waiting = self._unconfirmed.get((user, name), [])
        done = max((index + 1 for index, (_, each) in enumerate(waiting) if each == effect), default=0)
        self.delays += [self._now - at for at, _ in waiting[:done]]
        del waiting[:done]
        if done:
            self.last_settled_at = self._now

    def buried(self, process: str, letter: Letter) -> None:  # noqa: ARG002 - as the base class has it
        """Somebody is given up, or something."""
        self.last_settled_at = self._now
        if letter.user is not None:
            self.users_given_up.add(letter.user)

    @property
    def calls_in_trouble(self) -> int:
        """Calls that left while it lasted."""
        begins, ends = self._trouble
        return sum(begins <= at < ends for at in self._sent_at)

    @property
    def longest_silence_seconds(self) -> float:
        """The longest time between two calls."""
        pairs = zip(self._sent_at, self._sent_at[1:], strict=False)
        return max((later - earlier for earlier, later in pairs), default=0.0)

    @property
    def calls_per_second_mean(self) -> float:
        """From the first call to the last one."""
        sent = self._sent_at
        return (len(sent) - 1) / (sent[-1] - sent[0]) if len(sent) > 1 else 0.0

    @property
    def users_in_step(self) -> int:
        """Users of whom the API has the last word on everything."""
        world = self._world
        unlike = {
            user for user, name in self._unconfirmed if not world.promises.has_the_last_word(user, name)
        }
        return len({user for user, _ in self._unconfirmed} - unlike)

    @property
    def in_step_after_seconds(self) -> float:
        """From the last event, and the end of what had broken, until all was settled."""
        return max(0.0, self.last_settled_at - max(self.last_event_at, self._trouble[1]))

    def delay_seconds(self, part: float) -> float:
        """From an event until the API had it, or something newer: of that part of the changes, at most."""
        delays = sorted(self.delays)
        return delays[max(0, math.ceil(part * len(delays)) - 1)] if delays else 0.0

    def of(self, name: str) -> float:
        """The figure of that name."""
        return _FIGURES[name](self, self._world)


_FIGURES: Final[Mapping[str, Callable[[Figures, World], float]]] = {
    "users_in_step": lambda figures, _: figures.users_in_step,
    "users_given_up": lambda figures, _: len(figures.users_given_up),
    "dead_letters": lambda _, world: len(world.letters.letters),
    "calls": lambda _, world: world.promises.calls,
    "calls_in_trouble": lambda figures, _: figures.calls_in_trouble,
    "calls_refused": lambda _, world: world.server.refused_for_rate,
    "calls_per_second_mean": lambda figures, _: figures.calls_per_second_mean,
    "calls_in_a_second_most": lambda figures, _: max(
        count for what, count in figures.most_in_a_second.items() if what != "all"
    ),
    "calls_of_app_in_a_second_most": lambda figures, _: figures.most_in_a_second["all"],
    "users_a_call_mean": lambda figures, world: figures.users_sent / max(1, world.promises.calls),
    "delay_seconds_p50": lambda figures, _: figures.delay_seconds(0.5),
    "delay_seconds_p99": lambda figures, _: figures.delay_seconds(0.99),
    "delay_seconds_most": lambda figures, _: figures.delay_seconds(1.0),
    "in_step_after_seconds": lambda figures, _: figures.in_step_after_seconds,
    "longest_silence_seconds": lambda figures, _: figures.longest_silence_seconds,
    "users_waiting_most": lambda figures, _: figures.users_waiting_most,
    "records_unsettled_most": lambda figures, _: figures.records_unsettled_most,
    "values_sent_again": lambda _, world: world.promises.sent_again,
    "generations_of_the_group": lambda _, world: world.group.generation,
}
NAMES: Final = tuple(_FIGURES)
"""The figures that a scenario may give a range."""
