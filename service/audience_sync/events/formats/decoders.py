"""The decoder of a source: its format's own, and around it only what the source asks for."""

from typing import Final

import msgspec

from audience_sync.core.event import Cause, Decoded, Event, Ignored, Unusable, Wanting
from audience_sync.core.rule import Format, Source
from audience_sync.events.formats.cloudevents import cloudevent, untimed_cloudevent
from audience_sync.events.formats.debezium import debezium
from audience_sync.events.formats.json import plain_json
from audience_sync.events.formats.reserved import with_reserved, with_tombstones
from audience_sync.events.formats.wire import KINDS, Find, of_schemas, opening
from audience_sync.formats import Decoder, FormatError, Record, made_by


def decoder_of(source: Source, find: Find | None = None) -> Decoder:
    """What reads the records of *source*; *find* looks up schemas, where a registry is known.

    Raises FormatError.
    """
    decode = _of_format(source, find)
    if source.tombstones is not None or source.tombstone_type is not None:
        decode = with_tombstones(decode, source)
    return with_reserved(decode, source, opening(find)) if source.wants else decode


def _of_format(source: Source, find: Find | None) -> Decoder:
    match source.format:
        case Format.CLOUDEVENTS:
            return cloudevent if source.timed else untimed_cloudevent
        case Format.JSON:
            return plain_json(source)
        case Format.DEBEZIUM:
            return debezium(source, opening(find))
        case name if name in KINDS:
            if find is None:
                raise FormatError(
                    f"topic {source.topic!r}, format {name}: it needs a schema registry; set "
                    "AUDIENCE_SYNC_REGISTRY__URL"
                )
            return of_schemas(source, find)
        case _:
            return _installed(source)


def _installed(source: Source) -> Decoder:
    try:
        decode = made_by(source.format)(source)
    except FormatError:
        raise
    except Exception as error:  # foreign code, which may say in a ValueError what is wrong with the source
        what = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise FormatError(f"topic {source.topic!r}, format {source.format!r}: {what}") from error
    return _guarded(source.format, decode)


def _guarded(name: str, decode: Decoder) -> Decoder:
    """A foreign decoder that keeps to the rules: what breaks in it is a dead letter and not the end of reading."""

    def guarded(record: Record) -> Decoded:
        try:
            decoded = decode(record)
            if isinstance(decoded, Event):
                msgspec.json.encode(decoded.fields)  # text that can't be carried on would break later
            return decoded if _is_sound(decoded) else _unusable(name, f"gave {type(decoded).__name__}")
        except Exception as error:  # foreign code: whatever it is, one record is at fault
            return _unusable(name, f"raised {type(error).__name__}: {error}")

    return guarded


def _is_sound(decoded: object) -> bool:
    match decoded:
        case Event(type=kind, fields=fields, seconds=seconds):
            return bool(kind) and type(kind) is str and type(fields) is dict and type(seconds) in _SECONDS
        case Unusable(info=info):
            return type(info) is str
        case _:
            return isinstance(decoded, Ignored | Wanting)


_SECONDS: Final = (float, int, type(None))


def _unusable(name: str, what: str) -> Unusable:
    """The reason, in characters that UTF-8 can carry."""
    text = f"format {name!r} {what}"
    return Unusable(Cause.UNREADABLE, text[:500].encode(errors="replace").decode())
