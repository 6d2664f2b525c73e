"""What a format is to the rest: a record's bytes in, an event out. Installed formats are written against it.

A distribution adds a format with an entry point of the group `audience_sync.formats`: the name that rules give,
and a function that makes a decoder for one source. docs/formats.md has an example.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol

import msgspec

from audience_sync.core.event import Cause, Decoded, Event, Ignored, Unusable, Wanting
from audience_sync.core.rule import Format, Source

__all__ = [
    "Cause",
    "Decoded",
    "Decoder",
    "Event",
    "FormatError",
    "Headers",
    "Ignored",
    "MakeDecoder",
    "RawRecord",
    "Record",
    "Source",
    "Unusable",
    "Wanting",
    "installed",
    "known",
    "made_by",
]

GROUP: Final = "audience_sync.formats"
"""Where distributions announce their formats."""

Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers, in their order; a name may stand twice, and a value may be null."""


class Record(Protocol):
    """What a decoder gets of a record."""

    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


class RawRecord(msgspec.Struct, frozen=True):
    """A record that comes from elsewhere than a consumer: a sample, a file, a dead letter."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()


Decoder = Callable[[Record], Decoded]
"""A record into an event, or the reason why not. Never raises, and never waits."""

MakeDecoder = Callable[[Source], Decoder]
"""What an entry point names. Raises ValueError, with a message for the operator, if the source doesn't suit it."""


class FormatError(ValueError):
    """A source can't be read as its format says. The message names the format, and the way out."""


def installed() -> Mapping[str, EntryPoint]:
    """The formats that installed distributions add, by name. A built-in format can't be replaced."""
    found = {each.name: each for each in entry_points(group=GROUP)}
    return {name: found[name] for name in sorted(found.keys() - set(Format))}


def known() -> tuple[str, ...]:
    """The names of all formats that a source may have: the built-in ones, then the installed ones."""
    return (*Format, *installed())


def made_by(name: str) -> MakeDecoder:
    """What makes decoders of the installed format *name*. Raises FormatError."""
    found = installed().get(name)
    if found is None:
        raise FormatError(
            f"{name!r} is no format; write one of {', '.join(known())}, or install the package that adds it"
        )
    try:
        make = found.load()
    except Exception as error:  # the import runs foreign code
        raise FormatError(
            f"format {name!r} can't be loaded from {found.value}: {type(error).__name__}: {error}; "
            "repair or reinstall the package"
        ) from error
    if not callable(make):
        raise FormatError(f"format {name!r}: {found.value} is no function; correct the package's entry point")
    made: MakeDecoder = make
    return made
