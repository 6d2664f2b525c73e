"""Records into what the planner takes: translated, each with the moment at which it came."""

from collections.abc import Callable, Iterable, Iterator

from audience_sync.core.event import Translated, Translation
from audience_sync.core.planner import Arrival
from audience_sync.events.recorded import Recorded


def arrivals(
    records: Iterable[Recorded],
    translate: Callable[[Recorded], Translation],
    *,
    events_per_second: float | None = None,
) -> Iterator[Arrival]:
    """Each record with its moment: its own time stamp; else its event's time; else that of the record before it.

    events_per_second: evenly so many instead, whatever was recorded.
    """
    at = 0.0
    for number, record in enumerate(records):
        came = translate(record)
        if events_per_second is not None:
            at = number / events_per_second
        elif record.timestamp is not None:
            at = record.timestamp / 1000
        elif isinstance(came, Translated) and came.event_seconds is not None:
            at = came.event_seconds
        yield Arrival(at, record.partition, record.position, at, came)
