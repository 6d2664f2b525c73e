"""The time from an assignment to its revocation: everything that is forgotten together at its end."""

from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.doubt import Doubt
from audience_sync.core.ownership import Ownership


class Tenure:
    """What we own, and the users who wait. What ends in an earlier tenure settles there, and harms no later one."""

    def __init__(self, ownership: Ownership, times: DebounceTimes) -> None:
        self.ownership = ownership
        self.debouncer = Debouncer(times, may_send=ownership.may_send)
        self.doubt = Doubt()
        self.requests_in_flight = 0
