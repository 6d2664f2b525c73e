"""P4: what nobody can use is no flood of dead letters, and a flood is stopped at so many a minute."""

from collections.abc import Callable, Sequence
from typing import Final

from audience_sync.core.tenure import Tenure
from audience_sync.events.intake import Record as TakenRecord
from tests.simulation.chat import Judge
from tests.simulation.letters import Letter
from tests.simulation.plan import Plan

LOOKS: Final = (5.0, 15.0, 35.0, 75.0)
"""So long after a flood was stopped one more letter is let through, and another one, and so on: after 5 s, then after
twice as long each time, up to a minute."""

AT_ONCE_SECONDS: Final = 60.0
"""How far back is looked."""

SLACK: Final = 1
"""For the part of a letter that has come free meanwhile."""


class Floods(Judge):
    """Counts what each process writes for the first time. What a hold makes it read again is not held back."""

    def __init__(
        self, plan: Plan, now: Callable[[], float], *, broken: Callable[[str, str, tuple[str, ...]], None]
    ) -> None:
        self._most = plan.knobs.most_letters_per_minute
        self._now = now
        self._broken = broken
        self._seen: set[str] = set()
        self._held: set[tuple[str, int, int]] = set()
        self._written: dict[str, list[float]] = {}

    def taken(self, tenure: Tenure, records: Sequence[TakenRecord]) -> None:
        """Up to a hold's target, everything is taken in, and everything is written that can't be used."""
        for key, partition in tenure.ownership.partitions.items():
            for record in records:
                topic, number = record.topic, record.partition  # type: ignore[attr-defined]  # the log's own records
                if key == (topic, number) and record.offset < partition.start.target:
                    self._held.add((topic, number, record.offset))

    def buried(self, process: str, letter: Letter) -> None:
        """One more, if it is a new one."""
        origin = letter.origins[0]
        is_held = (origin["topic"], origin["partition"], origin["position"]) in self._held
        if letter.id in self._seen or (letter.user is None and is_held):
            return
        self._seen.add(letter.id)
        now, written = self._now(), self._written.setdefault(process, [])
        written.append(now)
        for count, since in enumerate(reversed(written), 1):
            seconds = now - since
            if seconds > AT_ONCE_SECONDS:
                break
            looks = sum(seconds >= look for look in LOOKS)
            if count > self._most + seconds * self._most / 60.0 + looks + SLACK:
                self._broken(
                    "P4",
                    f"{process} writes {count} dead letters in {seconds:.1f} s, {self._most} a minute are allowed",
                    (process,),
                )
                return
