"""The topics that dead letters stand in and are replayed through, and what is read of them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Literal, NamedTuple, TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audience_sync.commands.configuration import kafka_or_stop
from audience_sync.commands.dead_letters.index import Index, NoRoomError
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.event import Unusable
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.dead_letters import DeadLetter
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdminError, ask
from audience_sync.events.log_reading import LogReader, Span
from audience_sync.events.replays import read_replay
from audience_sync.events.security import KafkaSecurityError
from audience_sync.settings import PREFIX, Settings

T = TypeVar("T")


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    """Where Kafka is, and what is what there."""

    address: KafkaAddress
    dead_letters: str
    replays: str
    rekeyed: str
    group: str
    isolation_level: Literal["read_committed", "read_uncommitted"]

    def reader(self) -> LogReader:
        """Reads any part of any topic."""
        return LogReader(self.address, isolation_level=self.isolation_level)


def topics_of(settings: Settings) -> Topics:
    """What the settings say of them. Stop if files that they name can't be used."""
    return Topics(
        address=kafka_or_stop(settings),
        dead_letters=settings.dead_letters.topic,
        replays=settings.dead_letters.replays,
        rekeyed=settings.kafka.rekeyed_topic,
        group=settings.kafka.group_id,
        isolation_level=settings.kafka.isolation_level,
    )


def run(topics: Topics, main: Callable[[], Awaitable[T]]) -> T:
    """Run *main* where the topic of dead letters is there. However it fails, Stop says what to do next."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)  # what it has to say, its errors say

    async def first_ask() -> T:
        found = await asyncio.to_thread(
            ask, topics.address, lambda kafka: kafka.partitions([topics.dead_letters])
        )
        if not found:
            raise Stop(
                ExitCode.UNAVAILABLE,
                f"Kafka at {topics.address.bootstrap} has no topic {topics.dead_letters!r}, or does not show it to "
                f"this user; see {PREFIX}DEAD_LETTERS__TOPIC",
            )
        return await main()

    try:
        return asyncio.run(first_ask())
    except KafkaSecurityError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    except (KafkaAdminError, NoRoomError) as error:
        raise Stop(ExitCode.UNAVAILABLE, str(error)) from error
    except KeyboardInterrupt as error:
        raise Stop(ExitCode.INTERRUPTED, "Interrupted.") from error


class Found(NamedTuple):
    """A record of the topic of dead letters, and the letter in it, if there is one."""

    partition: int
    position: int
    key: bytes | None
    letter: DeadLetter | None


async def letters_in(reader: LogReader, spans: Mapping[PartitionKey, Span]) -> AsyncIterator[Found]:
    """The records of a part of the topic of dead letters."""
    with bar_of("dead letters", spans) as advance:
        async for records in reader.read(spans):
            for record in records:
                yield Found(record.partition, record.offset, record.key, _letter(record.value))
            advance(len(records))


async def replays_in(reader: LogReader, topic: str) -> AsyncIterator[tuple[str, float]]:
    """The id of each replay, and when it was written (epoch seconds). Nothing if the topic is not there."""
    spans = await reader.whole(await reader.partitions(topic))
    with bar_of("replays", spans) as advance:
        async for records in reader.read(spans):
            for record in records:
                replay = read_replay(record.value)
                if not isinstance(replay, Unusable):
                    yield replay.id, record.timestamp / 1000
            advance(len(records))


async def fill(index: Index, reader: LogReader, topics: Topics) -> dict[PartitionKey, Span]:
    """Put all letters in the index, and which were replayed. Returns how far the topic was read."""
    spans = await reader.whole(await reader.partitions(topics.dead_letters))
    async for found in letters_in(reader, spans):
        if found.letter is None:
            index.foreign_records += 1
        else:
            index.add(found.partition, found.position, found.key, found.letter)
    async for letter_id, at in replays_in(reader, topics.replays):
        index.replayed(letter_id, at)
    return spans


async def keep_selected(index: Index, reader: LogReader, spans: Mapping[PartitionKey, Span]) -> None:
    """Put the letters that are selected in the index, whole, and the others of their users."""
    async for found in letters_in(reader, spans):
        if found.letter is not None and index.wants(found.partition, found.position):
            index.keep_whole(found.letter)


def _letter(value: bytes | None) -> DeadLetter | None:
    try:
        letter = msgspec.json.decode(value or b"", type=DeadLetter)
    except (ValueError, RecursionError):
        return None
    return letter if letter.v == 1 else None  # what another version means by the same fields is not known


FEW_RECORDS: Final = 20_000
"""They are read before a bar could be."""


@contextmanager
def bar(what: str, total: int, *, least: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar on standard error of a terminal, gone at its end; none below the *least* total that is worth one.

    It is told how many more are done.
    """
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=total < least or not console.is_terminal,
    )
    task = progress.add_task(what, total=total)
    with progress:
        yield lambda done: progress.update(task, advance=done)


def bar_of(what: str, spans: Mapping[PartitionKey, Span]) -> AbstractContextManager[Callable[[int], None]]:
    """A bar of records to read."""
    return bar(what, sum(span.records for span in spans.values()), least=FEW_RECORDS)
