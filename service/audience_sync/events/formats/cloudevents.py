"""CloudEvents 1.0 in structured mode: the envelope and its data in one JSON object.

Only `type` is needed of the envelope, and `time` is used if it is there; rules may name any of it. Data in
base64 (`data_base64`) is not opened.
"""

from audience_sync.core.event import Cause, Event, Unusable
from audience_sync.events.formats.json import decoded_object, epoch_seconds
from audience_sync.formats import Record


def cloudevent(record: Record) -> Event | Unusable:
    """A record into an event, or the reason why not. Never raises."""
    fields = decoded_object(record.value)
    if isinstance(fields, Unusable):
        return fields
    kind = fields.get("type")
    if not isinstance(kind, str) or not kind:
        return Unusable(Cause.NO_TYPE, "the CloudEvent's `type` is missing, empty or no text")
    return Event(kind, fields, epoch_seconds(fields.get("time")))
