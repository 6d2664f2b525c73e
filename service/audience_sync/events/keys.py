"""Whether a record's key names its user, so that all his events are in one partition, in order."""

from audience_sync.core.changes import UserId
from audience_sync.core.event import Unusable
from audience_sync.events.formats.debezium import without_schema
from audience_sync.events.formats.json import decoded_object


def is_keyed_by(key: bytes | None, user: UserId) -> bool:
    """Whether *key* is the user's id, or a JSON object with nothing but that in it.

    Such an object is what connectors make of a table's primary key of one column, with a schema around it or
    without. With more columns, one user would have several keys, and so several partitions.
    """
    if key is None:
        return False
    return key == user.encode() or (key.startswith(b"{") and _only_value(key) == user)


def _only_value(key: bytes) -> str | None:
    """The value of an object that has one, as a template would write it."""
    fields = decoded_object(key)
    row = None if isinstance(fields, Unusable) else without_schema(fields)
    if not isinstance(row, dict) or len(row) != 1:
        return None
    [value] = row.values()
    return str(value) if type(value) in (str, int) else None
