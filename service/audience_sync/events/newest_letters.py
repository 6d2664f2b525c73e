"""The newest dead letters of the topic, so many and no more, however long it is."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from audience_sync.core.event import Unusable
from audience_sync.core.ledger import Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.log_reading import LogReader, Span
from audience_sync.events.replays import read_replay

MOST_READ: Final = 1000
"""Records that are read of each topic, of all its partitions together. Ours: a second's work, in the worst case."""


class NewestLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter without its bytes; the last record of its id.

    user: None of a record that could not be used. given_up_at, replayed_at: epoch seconds; the latter None if it
    was not replayed since, as far as the newest replays tell.
    """

    id: str
    user: str | None = None
    cause: str
    code: int | None = None
    info: str
    changes: list[list[str]] = []
    origins: list[Origin]
    given_up_at: float
    replayed_at: float | None = None


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """The newest letters, the last given up first. read: how many records were looked at, of how many there are."""

    letters: list[NewestLetter]
    read: int
    records: int


async def newest_letters(
    reader: LogReader,
    *,
    topic: str,
    replays: str,
    most: int,
    users: frozenset[str] = frozenset(),
    codes: frozenset[int] = frozenset(),
) -> Newest:
    """At most so many of these users and codes, where any are named. Raises KafkaAdminError."""
    whole = await reader.whole(await reader.partitions(topic))
    spans = _ends_of(whole)
    found: dict[str, NewestLetter] = {}
    async for records in reader.read(spans):
        for record in records:
            letter = _letter(record.value)
            if letter is None or (users and letter.user not in users) or (codes and letter.code not in codes):
                continue
            before = found.get(letter.id)
            if before is None or letter.given_up_at >= before.given_up_at:
                found[letter.id] = letter
    replayed = await _replayed(reader, replays) if found else {}
    letters = [
        msgspec.structs.replace(letter, replayed_at=at)
        if (at := replayed.get(letter.id, 0.0)) > letter.given_up_at
        else letter
        for letter in sorted(found.values(), key=lambda letter: letter.given_up_at, reverse=True)[:most]
    ]
    return Newest(
        letters=letters,
        read=sum(span.records for span in spans.values()),
        records=sum(span.records for span in whole.values()),
    )


async def _replayed(reader: LogReader, topic: str) -> dict[str, float]:
    """{id: when it was written} of the newest replays; nothing if there is no such topic."""
    found: dict[str, float] = {}
    async for records in reader.read(_ends_of(await reader.whole(await reader.partitions(topic)))):
        for record in records:
            replay = read_replay(record.value)
            if not isinstance(replay, Unusable):
                found[replay.id] = record.timestamp / 1000
    return found


def _ends_of(whole: Mapping[PartitionKey, Span]) -> dict[PartitionKey, Span]:
    """The ends of the partitions: as much of each."""
    most = MOST_READ // max(1, len(whole))
    return {key: Span(max(span.start, span.end - most), span.end) for key, span in whole.items()}


_DECODER: Final[Any] = msgspec.json.Decoder(NewestLetter)


def _letter(value: bytes | None) -> NewestLetter | None:
    try:
        letter: NewestLetter = _DECODER.decode(value or b"")
    except (ValueError, RecursionError):
        return None
    return letter
