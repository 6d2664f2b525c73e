"""What could not be applied, kept with the reason in a Kafka topic."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec

from audience_sync.core.backoff import backoff_seconds
from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.ledger import Mark, Origin
from audience_sync.core.verdicts import Refusal
from audience_sync.formats import RawRecord, Record

MOST_WAITING: Final = 1000
"""Dead letters that the broker has not acknowledged; above that nothing further is read."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One record that can't be read, or one user's changes that the API refuses. Encoded as JSON.

    id: the same for the same loss, however often it is met again.
    changes: [kind, ...its fields]; empty for a record that can't be read.
    key, value: the record's original bytes in base64, exactly; None where the record had none.
    headers: its headers, in their order: [name, value in base64], or [name] where the value is null.
    """

    v: int = 1
    id: str
    cause: str
    info: str
    code: int | None = None
    user: str | None = None
    changes: list[list[str]] = []
    origins: list[Origin]
    key: str | None = None
    value: str | None = None
    headers: list[list[str]] = []
    given_up_at: float

    def original(self) -> RawRecord:
        """The record that could not be used, as it was. Raises ValueError for what is no base64."""
        return RawRecord(
            _bytes_told(self.value),
            _bytes_told(self.key),
            tuple((name, _bytes_told(value[0]) if value else None) for name, *value in self.headers),
        )


class Watch(Protocol):
    """What an operator gets to see of dead letters."""

    def buried(self, letter_id: str, cause: str, info: str) -> None:
        """The broker has acknowledged a dead letter."""

    def not_buried(self, letter_id: str, error: str) -> None:
        """The broker has not; it is tried again."""


Publish = Callable[[bytes | None, bytes], Awaitable[None]]
"""Writes key and value to the topic, and returns when all in-sync replicas have it. Raises OSError if not."""


class DeadLetters:
    """Writes dead letters in the order in which they came, and settles their marks when they stand there."""

    def __init__(
        self,
        *,
        publish: Publish,
        watch: Watch,
        chance: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._publish = publish
        self._watch = watch
        self._chance = chance
        self._sleep = sleep
        self._waiting: asyncio.Queue[tuple[bytes | None, DeadLetter, Callable[[], None]]] = asyncio.Queue()

    @property
    def full(self) -> bool:
        """Whether so many wait for the broker that nothing more may be read."""
        return self._waiting.qsize() >= MOST_WAITING

    def bury(self, key: bytes | None, letter: DeadLetter, then: Callable[[], None]) -> None:
        """Keep *letter*; *then* is called when the broker has it. Writing it twice is recognised by its id."""
        self._waiting.put_nowait((key, letter, then))

    async def bury_and_wait(self, key: bytes | None, letter: DeadLetter) -> None:
        """Keep *letter*, and return when the broker has it."""
        done = asyncio.Event()
        self.bury(key, letter, done.set)
        await done.wait()

    async def run(self) -> None:
        """Write what comes, until cancelled. A letter that the broker does not take is tried until it does."""
        while True:
            key, letter, then = await self._waiting.get()
            await self._write(key, letter)
            then()
            self._waiting.task_done()

    async def written(self) -> None:
        """Return when the broker has all that was buried so far."""
        await self._waiting.join()

    async def _write(self, key: bytes | None, letter: DeadLetter) -> None:
        failures = 0
        while True:
            try:
                await self._publish(key, msgspec.json.encode(letter))
            except OSError as error:
                failures += 1
                self._watch.not_buried(letter.id, str(error))
                await self._sleep(backoff_seconds(failures, self._chance()))
            else:
                self._watch.buried(letter.id, letter.cause, letter.info)
                return


def unusable_letter(record: Record, *, origin: Origin, cause: str, info: str, now: float) -> DeadLetter:
    """The dead letter of a *record* that causes nothing because it can't be used."""
    headers = ((name, _told_bytes(value)) for name, value in record.headers)
    return DeadLetter(
        id=f"{origin.topic}/{origin.partition}/{origin.position}",
        cause=cause,
        info=info,
        origins=[origin],
        key=_told_bytes(record.key),
        value=_told_bytes(record.value),
        headers=[[name] if value is None else [name, value] for name, value in headers],
        given_up_at=now,
    )


def refused_letter(
    *,
    user_id: UserId,
    changes: Iterable[Change],
    marks: Iterable[Mark],
    cause: str,
    refusal: Refusal,
    now: float,
) -> DeadLetter:
    """The dead letter of a user's changes that the API refuses. *marks*: where what he waits for began."""
    told = told_changes(changes)
    origins = [origin for mark in marks for origin in mark.origins]
    places = ",".join(f"{origin.topic}/{origin.partition}/{origin.position}" for origin in origins)
    names = ",".join(change[0] + ":" + change[1] if len(change) > 1 else change[0] for change in told)
    return DeadLetter(
        id=f"{user_id}@{places}#{names}",
        cause=cause,
        info=refusal.info,
        code=refusal.code,
        user=user_id,
        changes=told,
        origins=origins,
        given_up_at=now,
    )


_KINDS: Final[dict[str, type[Change]]] = {
    kind.__name__: kind for kind in (SetAttribute, RemoveAttribute, AddTag, RemoveTag, RemoveAllTags)
}


def told_changes(changes: Iterable[Change]) -> list[list[str]]:
    """*changes* as a dead letter tells them: [kind, ...its fields]."""
    return [[type(change).__name__, *msgspec.structs.astuple(change)] for change in changes]


def changes_told(told: Iterable[Sequence[str]]) -> list[Change]:
    """The changes that a dead letter tells. Raises ValueError for what is none."""
    changes: list[Change] = []
    for name, *values in filter(None, told):
        kind = _KINDS.get(name)
        if kind is None or len(values) != len(kind.__struct_fields__):
            raise ValueError(f"{name!r} with {len(values)} values is no change")
        changes.append(kind(*values))
    return changes


def _told_bytes(raw: bytes | None) -> str | None:
    return None if raw is None else b64encode(raw).decode()


def _bytes_told(told: str | None) -> bytes | None:
    return None if told is None else b64decode(told, validate=True)
