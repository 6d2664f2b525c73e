"""A dress rehearsal beside production: live events, the planner on a real clock, and nothing that could write.

There is no client of the Chat API in here, no producer and no membership of a group. What would be sent is counted.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec
import structlog

from audience_sync.commands.planning.arrivals import arrival
from audience_sync.commands.planning.told import Bounds, limits
from audience_sync.core.changes import Request
from audience_sync.core.event import Ignored, Translated, TranslatedMany, Translation, Unusable
from audience_sync.core.pace import HEADROOM
from audience_sync.core.plan_figures import Figures
from audience_sync.core.planner import Arrival, Assumed, Planner
from audience_sync.core.user_state import Round
from audience_sync.core.verdicts import Outcome, Verdict
from audience_sync.events.onlooker import POLL_SECONDS, Onlooker, Positions
from audience_sync.events.recorded import Recorded
from audience_sync.events.schemas import RegistryError
from audience_sync.telemetry.metrics import Metrics
from audience_sync.telemetry.watch import Watch

ASK_AGAIN_SECONDS: Final = 5.0
"""So long after the schema registry gave no definite answer it is asked again. Ours."""


class Rehearsal:
    """Reads on from given positions, plans as records come, and tells what would have been sent."""

    def __init__(
        self,
        *,
        kafka: Onlooker,
        translate: Callable[[Recorded], Translation],
        rekeyed: Collection[str],
        assumed: Assumed,
        bounds: Bounds,
        report_seconds: float,
        metrics: Metrics,
        log: structlog.stdlib.BoundLogger,
        clock: Callable[[], float],
    ) -> None:
        """Take the parts. *bounds*: those of the settings."""
        self._kafka = kafka
        self._translate = translate
        self._rekeyed = rekeyed
        self._assumed = assumed
        self._bounds = bounds
        self._report_seconds = report_seconds
        self._log = log
        self._clock = clock
        self._seen = _Seen(Watch(metrics, log), assumed)
        self._planner = Planner(assumed, watch=self._seen, now=clock())
        metrics.waiting_users.set_function(lambda: self._planner.waiting_users)
        metrics.unread_records.set_function(lambda: kafka.unread)
        metrics.partitions.set(len(kafka.partitions))
        metrics.ready.set(1)
        for endpoint in self._seen.minute.calls:
            metrics.pace.labels(endpoint).set(HEADROOM * assumed.calls_per_second)

    async def run(self, stop: asyncio.Event, starts: Positions, *, admin_port: int) -> None:
        """Rehearse until *stop* is set. Raises KafkaAdminError. *admin_port*: where metrics are served."""
        self._log.info("rehearsing", admin_port=admin_port, sends="nothing", commits="nothing")
        self._kafka.follow(starts)
        report_at = self._clock() + self._report_seconds
        while not stop.is_set():
            if self._planner.waiting_users < self._bounds.max_waiting_users:
                await self._take(await self._kafka.poll())
            else:
                await asyncio.sleep(POLL_SECONDS)
            now = self._clock()
            self._planner.run_until(now)
            if now >= report_at:
                self._report()
                report_at = now + self._report_seconds
        self._report()
        self._log.info("rehearsal_ended")

    async def _take(self, records: Sequence[Recorded]) -> None:
        for record in records:
            came = await self._translated(record)
            now = self._clock()
            stamped = now if record.timestamp is None else min(now, record.timestamp / 1000)
            self._planner.take(arrival(record, came, at=now, stamped=stamped, rekeyed=self._rekeyed))

    async def _translated(self, record: Recorded) -> Translation:
        """As the service does: while the registry does not answer, records wait."""
        while True:
            try:
                return self._translate(record)
            except RegistryError as error:
                self._log.warning(
                    "rehearsal_waits_for_a_schema", topic=record.partition.topic, error=str(error)
                )
                await asyncio.sleep(ASK_AGAIN_SECONDS)

    def _report(self) -> None:
        """One line of what would have been done since the last one."""
        figures, self._seen.minute = self._seen.minute, Figures()
        half, most = figures.delay_at(0.5, 0.99)
        needed = msgspec.structs.replace(
            self._bounds,
            most_waiting_users=self._planner.most_waiting_users,
            most_unsettled_records=self._planner.most_unsettled_records,
        )
        self._log.info(
            "rehearsed",
            records=figures.records,
            dead_letters=sum(figures.unusable.values()),
            causes={cause.value: count for cause, count in figures.unusable.items()},
            calls={endpoint.value: each.calls for endpoint, each in figures.calls.items() if each.calls},
            users_sent=sum(each.users for each in figures.calls.values()),
            calls_one_by_one=figures.one_by_one,
            repeats_skipped=figures.skipped,
            waiting_users=self._planner.waiting_users,
            unread_records=self._kafka.unread,
            delay_seconds_half=round(half, 2),
            delay_seconds_99_percent=round(most, 2),
            limits=list(limits(figures, self._assumed, needed)),
        )


class _Seen:
    """What the planner does, as metrics and in the minute's figures."""

    def __init__(self, watch: Watch, assumed: Assumed) -> None:
        self._watch = watch
        self._answer_seconds = assumed.answer_seconds
        self.minute = Figures()

    def arrived(self, arrival: Arrival) -> None:
        """A record was read."""
        self.minute.arrived(arrival)
        topic, came = arrival.partition.topic, arrival.came
        if isinstance(came, Translated | TranslatedMany):
            self._watch.translated(topic, [came])
            if arrival.foreign_key:
                self._watch.foreign_key(topic, came.parts[0].user)
        elif isinstance(came, Unusable):
            self._watch.unusable(topic, came)
        elif isinstance(came, Ignored):
            self._watch.ignored(topic, 1)

    def cut(self, request: Request, *, at: float, ready: int) -> None:
        """A request would leave, and be confirmed."""
        self.minute.cut(request, at=at, ready=ready)
        self._watch.request_cut(request, ready=max(ready, len(request.parts)))
        self._watch.request_ended(request, Verdict(outcome=Outcome.CONFIRMED), self._answer_seconds)

    def repeats_skipped(self, changes: int) -> None:
        """So many changes would not be sent."""
        self.minute.repeats_skipped(changes)
        self._watch.repeats_skipped(changes)

    def settled(self, ended: Round, *, at: float) -> None:
        """A user's round would be confirmed."""
        self.minute.settled(ended, at=at)
        self._watch.rounds_ended([ended], at)

    def too_many_dead_letters(self, reason: str, *, at: float) -> None:
        """The service would stop reading."""
        self.minute.too_many_dead_letters(reason, at=at)
        self._watch.too_many_dead_letters(reason)
