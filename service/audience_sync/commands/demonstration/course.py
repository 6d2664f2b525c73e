"""What happens on the stage: events are sent and watched, until every user is in step."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audience_sync.commands.demonstration.broker import EmbeddedBroker
from audience_sync.commands.demonstration.findings import out_of_step
from audience_sync.commands.demonstration.product import Product
from audience_sync.commands.demonstration.programs import START_SECONDS, Program, ProgramError
from audience_sync.commands.demonstration.reading import Instruments, Reading
from audience_sync.commands.demonstration.stopping import Stopping
from audience_sync.commands.demonstration.timetable import timetable
from audience_sync.commands.demonstration.view import Moment, View

LOOK_EVERY_SECONDS: Final = 0.25
COMPARE_EVERY_SECONDS: Final = 1.0
"""All users are compared this often while events arrive, and at each look afterwards."""
PATIENCE_SECONDS: Final = 45.0
"""How long after the last event everybody may take to be in step, before it counts as failed."""


@dataclass(frozen=True)
class Plan:
    """What is played: events for so long, of so many users, so many a second; chance comes from the seed."""

    seconds: float
    users: int
    rate: int
    seed: int


class Course:
    """Sends, watches and waits, once everything runs. Made for one demo."""

    def __init__(
        self,
        plan: Plan,
        product: Product,
        broker: EmbeddedBroker,
        programs: Sequence[Program],
        instruments: Instruments,
        *,
        view: View,
        stopping: Stopping,
    ) -> None:
        self._plan, self._product, self._broker = plan, product, broker
        self._programs, self._instruments = programs, instruments
        self._view, self._stopping = view, stopping
        self._start = self._look_at = self._compare_at = 0.0
        self._reading = Reading()
        self._in_step = 0
        self._read: deque[tuple[float, int]] = deque(maxlen=5)
        self.sent = self.unusable = 0

    def wait_until_ready(self) -> None:
        """Wait until the service does its work. Raises ProgramError if that takes too long."""
        until = time.monotonic() + START_SECONDS
        while not self._instruments.ready():
            self._all_run()
            if time.monotonic() > until:
                raise ProgramError(f"the service is not ready after {START_SECONDS:.0f} s")
            self._stopping.wait(0.1)

    def send_events(self) -> None:
        """Send all events, each in its slot, or late where the machine is slow."""
        self._start = self._look_at = self._compare_at = time.monotonic()
        self._read.append((self._start, 0))
        for slot in timetable(seconds=self._plan.seconds, rate=self._plan.rate):
            self._watch_until(self._start + slot.seconds)
            for record in self._product.records(slot):
                self._broker.send(*record)
                self.sent += 1
            self.unusable += slot.unusable
        self._broker.flush()

    def wait_until_in_step(self) -> float:
        """Wait until all is read and settled and every user is in step; the seconds that it took.

        Returns too when that takes longer than PATIENCE_SECONDS.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < PATIENCE_SECONDS:
            self._compare_at = 0.0
            self._look()
            if (
                self._reading.events == self.sent
                and self._reading.unsettled_records == 0
                and self._in_step == len(self._product.truth)
            ):
                break
            self._stopping.wait(LOOK_EVERY_SECONDS)
        return waited

    def last_reading(self) -> Reading:
        """As it was last seen."""
        return self._reading

    def _watch_until(self, moment: float) -> None:
        self._stopping.wait(0)
        while (now := time.monotonic()) < moment or now >= self._look_at:
            if now >= self._look_at:
                self._look()
                self._look_at = now + LOOK_EVERY_SECONDS
            else:
                self._stopping.wait(min(moment, self._look_at) - now)

    def _all_run(self) -> None:
        for each in self._programs:
            each.must_run()

    def _look(self) -> None:
        self._all_run()
        self._reading = self._instruments.read()
        now = time.monotonic()
        if now >= self._compare_at:
            truth = self._product.truth
            self._in_step = len(truth) - len(out_of_step(truth, self._instruments.users()))
            self._compare_at = now + COMPARE_EVERY_SECONDS
        first_at, first = self._read[0]
        self._read.append((now, self._reading.events))
        self._view.show(
            Moment(
                seconds=now - self._start,
                of_seconds=self._plan.seconds,
                sent=self.sent,
                events_per_second=(self._reading.events - first) / (now - first_at),
                users=len(self._product.truth),
                users_in_step=self._in_step,
                reading=self._reading,
            )
        )
