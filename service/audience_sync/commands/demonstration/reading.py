"""What the service and the emulator tell of themselves, asked over HTTP."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from audience_sync.emulator.store import UserState

ANSWER_SECONDS: Final = 5.0

EVENTS: Final = "audience_sync_events_total"
CHANGES: Final = "audience_sync_changes_total"
DEAD_LETTERS: Final = "audience_sync_dead_letters_total"
WAITING_USERS: Final = "audience_sync_waiting_users"
UNSETTLED_RECORDS: Final = "audience_sync_unsettled_records"


class UnansweredError(Exception):
    """The service or the emulator did not answer; the message says which address."""


class Counts(msgspec.Struct, frozen=True):
    """What the emulator has counted, by endpoint or code: `GET /control/counters`, in part."""

    calls: dict[str, int] = {}
    user_parts: dict[str, int] = {}
    """Users named, each as often as he was named."""
    refused: dict[str, int] = {}
    overlaps_count: int = 0
    broken_limits_count: int = 0

    @property
    def requests(self) -> int:
        """Calls of all endpoints."""
        return sum(self.calls.values())

    @property
    def parts(self) -> int:
        """User parts of all endpoints."""
        return sum(self.user_parts.values())


class _State(msgspec.Struct):
    users: dict[str, UserState]


@dataclass(frozen=True)
class Reading:
    """Both at one moment. Counts begin at the start of the demo."""

    events: int = 0
    changes: int = 0
    waiting_users: int = 0
    unsettled_records: int = 0
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    """By cause."""
    counts: Counts = field(default_factory=Counts)

    @property
    def saved_calls(self) -> int:
        """Calls fewer than one for each change of one user."""
        return self.changes - self.counts.requests


class Instruments:
    """The service's metrics and readiness, and the emulator's control address."""

    def __init__(self, client: httpx.Client, *, service: str, emulator: str) -> None:
        self._client, self._service, self._emulator = client, service, emulator

    def ready(self) -> bool:
        """Whether the service does its work."""
        return self._get(f"{self._service}/readyz").status_code == httpx.codes.OK

    def read(self) -> Reading:
        """Both, one after the other. Raises UnansweredError."""
        sums = dict.fromkeys((EVENTS, CHANGES, WAITING_USERS, UNSETTLED_RECORDS), 0)
        causes: Counter[str] = Counter()
        for family in text_string_to_metric_families(self._get(f"{self._service}/metrics").text):
            for sample in family.samples:
                if sample.name in sums:
                    sums[sample.name] += int(sample.value)
                elif sample.name == DEAD_LETTERS and sample.value:
                    causes[sample.labels["cause"]] += int(sample.value)
        return Reading(
            events=sums[EVENTS],
            changes=sums[CHANGES],
            waiting_users=sums[WAITING_USERS],
            unsettled_records=sums[UNSETTLED_RECORDS],
            dead_letters=causes,
            counts=self.counts(),
        )

    def users(self) -> dict[str, UserState]:
        """All users whom the emulator has, with their attributes and tags. Raises UnansweredError."""
        state = self._get(f"{self._emulator}/control/state")
        return msgspec.json.decode(state.content, type=_State).users

    def counts(self) -> Counts:
        """The emulator's alone: the service may have ended. Raises UnansweredError."""
        return msgspec.json.decode(self._get(f"{self._emulator}/control/counters").content, type=Counts)

    def _get(self, address: str) -> httpx.Response:
        try:
            return self._client.get(address)
        except httpx.HTTPError as error:
            raise UnansweredError(f"{address} does not answer: {type(error).__name__}") from error


def loopback_client() -> httpx.Client:
    """A client that knows no proxy."""
    return httpx.Client(trust_env=False, timeout=ANSWER_SECONDS)
