"""Records into what the planner takes: translated, each with the moment at which it came."""

from collections.abc import Callable, Collection, Iterable, Iterator

from audience_sync.core.event import Translated, TranslatedMany, Translation, Wanting
from audience_sync.core.planner import Arrival
from audience_sync.events.keys import is_keyed_by
from audience_sync.events.recorded import Recorded


class SchemaMissingError(Exception):
    """An event can't be read without a schema that nobody fetches."""


def arrivals(
    records: Iterable[Recorded],
    translate: Callable[[Recorded], Translation],
    *,
    events_per_second: float | None = None,
    rekeyed: Collection[str] = (),
) -> Iterator[Arrival]:
    """Each record with its moment. Raises SchemaMissingError.

    The moment is its own time stamp; else its event's time; else that of the record before it.

    events_per_second: evenly so many instead, whatever was recorded. rekeyed: topics whose keys need not be users.
    """
    at = 0.0
    for number, record in enumerate(records):
        came = translate(record)
        if events_per_second is not None:
            at = number / events_per_second
        elif record.timestamp is not None:
            at = record.timestamp / 1000
        elif isinstance(came, Translated | TranslatedMany) and came.parts[0].event_seconds is not None:
            at = came.parts[0].event_seconds
        yield arrival(record, came, at=at, stamped=at, rekeyed=rekeyed)


def arrival(
    record: Recorded, came: Translation, *, at: float, stamped: float, rekeyed: Collection[str] = ()
) -> Arrival:
    """*record*, of which *came* came, at a moment of its own. Raises SchemaMissingError."""
    if isinstance(came, Wanting):
        raise SchemaMissingError(
            f"{record.partition.topic}, position {record.position}: schema {came.schema_id} is needed, and "
            "its format does not fetch it; plan events of the other topics: --topic"
        )
    foreign = (
        isinstance(came, Translated | TranslatedMany)
        and record.key is not None
        and record.partition.topic not in rekeyed
        and not all(is_keyed_by(record.key, part.user) for part in came.parts)
    )
    return Arrival(at, record.partition, record.position, stamped, came, foreign)
