"""What the service is doing: for probes to judge, and for people to read."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from audience_sync.core.changes import Endpoint
from audience_sync.core.guard import Guard
from audience_sync.core.halt import Halt
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.pace import Pace
from audience_sync.core.pauses import Pauses
from audience_sync.core.tenure import Tenure
from audience_sync.telemetry.health import State, not_live, not_ready


class Status:
    """Reads the state of the parts when it is asked. The rest is told by whoever runs them.

    waits_for: what the start waits for before anything is read, or None.
    """

    def __init__(
        self,
        *,
        version: str,
        tenure: Callable[[], Tenure | None],
        paces: Mapping[Endpoint, Pace],
        halt: Halt,
        guard: Guard,
        pauses: Pauses,
        dead_letters_full: Callable[[], bool],
        loop_turned_at: Callable[[], float],
        polled_seconds_ago: Callable[[], float],
        unread: Callable[[PartitionKey, int], int],
        clock: Callable[[], float],
    ) -> None:
        self._version = version
        self._tenure = tenure
        self._paces = paces
        self._halt = halt
        self._guard = guard
        self._pauses = pauses
        self._dead_letters_full = dead_letters_full
        self._loop_turned_at = loop_turned_at
        self._polled_seconds_ago = polled_seconds_ago
        self._unread = unread
        self._clock = clock
        self.started = False
        self.draining = False
        self.waits_for: str | None = None

    def state(self) -> State:
        """What health is judged by."""
        now, tenure = self._clock(), self._tenure()
        ownership = tenure.ownership if tenure else None
        return State(
            started=self.started,
            draining=self.draining,
            loop_turned_ago=now - self._loop_turned_at(),
            polled_ago=self._polled_seconds_ago() if self.started else 0.0,
            assigned=ownership is not None,
            lease_valid=ownership is not None and ownership.lease_valid(now),
            held_numbers=len(ownership.held_numbers) if ownership else 0,
            incomplete_numbers=len(ownership.incomplete_numbers) if ownership else 0,
            dead_letters_full=self._dead_letters_full(),
            stopped=self._halt.reason or self._guard.reason,
            waits_for=self.waits_for,
            paused=self._pauses.reason,
        )

    def ready(self) -> bool:
        """Whether the service does its work."""
        return not_ready(self.state()) is None

    def tell(self) -> dict[str, Any]:
        """What /status tells, ready for JSON. No user is named."""
        now, state, tenure = self._clock(), self.state(), self._tenure()
        return {
            "version": self._version,
            "live": not_live(state) is None,
            "ready": not_ready(state) is None,
            "reason": not_live(state) or not_ready(state),
            "waiting_users": len(tenure.debouncer) if tenure else 0,
            "endpoints": {
                endpoint: {
                    "ready_users": tenure.debouncer.ready.waiting(endpoint) if tenure else 0,
                    "in_flight": pace.in_flight,
                    "calls_per_second": round(pace.calls_per_second(now), 3),
                }
                for endpoint, pace in self._paces.items()
            },
            "paused": [msgspec.structs.asdict(pause) for pause in self._pauses],
            "partitions": self._partitions(tenure) if tenure else [],
        }

    def _partitions(self, tenure: Tenure) -> list[dict[str, Any]]:
        held = set(tenure.ownership.held_numbers)
        return [
            {
                "topic": key.topic,
                "partition": key.number,
                "read_position": ledger.read_position,
                "settled_position": ledger.settled_position,
                "unread": self._unread(key, ledger.read_position),
                "held": key.number in held,
            }
            for key, ledger in tenure.ownership.ledgers()
        ]
