"""CloudEvents 1.0: in structured mode, the envelope and its data in one JSON object, or binary, with headers.

By the specification's Kafka protocol binding, version 1.0.2: a record whose content type begins with
`application/cloudevents` is structured; of others, headers that begin with `ce_` make a binary one. What has
neither is read as structured, since not every producer sets the header. Only `type` is needed of the
envelope, and `time` is used if it is there; rules may name any of it. Data in base64 (`data_base64`) is not opened.
"""

from typing import Final

from audience_sync.core.event import Cause, Event, Fields, Unusable
from audience_sync.events.formats.json import decoded_json, decoded_object
from audience_sync.events.formats.times import epoch_seconds
from audience_sync.formats import Headers, Record

_ENVELOPE: Final = "application/cloudevents"
_JSON: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch"
_PREFIX: Final = "ce_"
_CONTENT_TYPE: Final = "content-type"


def cloudevent(record: Record) -> Event | Unusable:
    """A record into an event, or the reason why not. Never raises."""
    event = untimed_cloudevent(record)
    if isinstance(event, Unusable):
        return event
    return Event(event.type, event.fields, epoch_seconds(event.fields.get("time")))


def untimed_cloudevent(record: Record) -> Event | Unusable:
    """The same without its time, for a source of which nobody asks."""
    fields = decoded_object(record.value) if not record.headers else _with_headers(record)
    if isinstance(fields, Unusable):
        return fields
    kind = fields.get("type")
    if not isinstance(kind, str) or not kind:
        return Unusable(Cause.NO_TYPE, "the CloudEvent's `type` is missing, empty or no text")
    return Event(kind, fields)


def is_structured(headers: Headers) -> bool:
    """Whether *headers* say that envelope and data are one object of JSON, which is the record's value."""
    return _media_type(headers) in (_ENVELOPE, _JSON)


def _with_headers(record: Record) -> Fields | Unusable:
    """The envelope and its data, in the mode that the headers tell."""
    media_type = _media_type(record.headers)
    if media_type.startswith(_BATCH):
        return Unusable(
            Cause.UNREADABLE, "the record is a batch of CloudEvents; let its producer send one event a record"
        )
    if media_type.startswith(_ENVELOPE):
        if media_type not in (_ENVELOPE, _JSON):
            return Unusable(
                Cause.UNREADABLE, f"the CloudEvent is written as {media_type}; only {_JSON} is read"
            )
        return decoded_object(record.value)
    if any(name.startswith(_PREFIX) for name, _ in record.headers):
        return _binary(record, media_type)
    return decoded_object(record.value)


def _binary(record: Record, media_type: str) -> Fields | Unusable:
    """The headers as the envelope, and the value as its data."""
    fields: dict[str, object] = {}
    for name, value in record.headers:
        if name.startswith(_PREFIX) and value is not None:
            try:
                fields[name.removeprefix(_PREFIX)] = value.decode()
            except UnicodeDecodeError:
                return Unusable(Cause.UNREADABLE, f"the header {name} of the CloudEvent is not UTF-8")
    if media_type:
        fields["datacontenttype"] = media_type
    if not record.value:
        return fields  # an event need not have data
    data = _data(record.value, media_type)
    if isinstance(data, Unusable):
        return data
    if data is not None:
        fields["data"] = data
    return fields


def _data(value: bytes, media_type: str) -> object:
    """JSON or text; None for what is neither, so that rules which need only the envelope apply all the same."""
    if not media_type or media_type.endswith(("/json", "+json")):
        return decoded_json(value)
    if media_type.startswith("text/"):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            return Unusable(Cause.UNREADABLE, f"the value is {media_type}, and not UTF-8: {error.reason}")
    return None


def _media_type(headers: Headers) -> str:
    """The content type without its parameters, in lower case; empty if there is none."""
    for name, value in headers:
        if value is not None and name.lower() == _CONTENT_TYPE:
            return value.decode(errors="replace").partition(";")[0].strip().lower()
    return ""
