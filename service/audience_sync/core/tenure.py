"""The time from an assignment to its revocation: everything that is forgotten together at its end."""

import msgspec

from audience_sync.core.confirmations import Confirmations
from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.doubt import Doubt
from audience_sync.core.event_times import EventTimes
from audience_sync.core.ownership import Ownership


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of users beyond what they wait for.

    confirmed_seconds: how long, so that repeats are not sent; 0: all are. confirmed_names: how much, at most.
    timed_names: how much, at most, so that late events are known as such.
    """

    confirmed_seconds: float = 0.0
    confirmed_names: int = 0
    timed_names: int = 1000


class Tenure:
    """What we own, and the users who wait. What ends in an earlier tenure settles there, and harms no later one."""

    def __init__(self, ownership: Ownership, times: DebounceTimes, memory: Memory = Memory()) -> None:  # noqa: B008 - it is never altered
        self.ownership = ownership
        confirmations = Confirmations(seconds=memory.confirmed_seconds, most_names=memory.confirmed_names)
        self.debouncer = Debouncer(times, may_send=ownership.may_send, confirmations=confirmations)
        self.event_times = EventTimes(most_names=memory.timed_names)
        self.doubt = Doubt()
        self.requests_in_flight = 0
