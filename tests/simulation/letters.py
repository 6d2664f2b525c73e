"""The topic of the dead letters: it takes them, fails, is away for a while, or takes one and does not say so."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from tests.simulation.link import Link
from tests.simulation.loop import WorldLoop


class Letter(msgspec.Struct, frozen=True):
    """A dead letter, read as somebody would who knows its documentation and not the code that writes it."""

    id: str
    cause: str
    info: str
    origins: list[dict[str, Any]]
    code: int | None = None
    user: str | None = None
    changes: list[list[str]] = []
    key: str | None = None
    value: str | None = None
    given_up_at: float = 0.0

    def original(self) -> bytes | None:
        """The record's bytes, if it is one that could not be used."""
        return None if self.value is None else b64decode(self.value)


class LetterTopic:
    """All dead letters. written: is told of each and of the process that wrote it, before its writer is.

    is_up: whether the topic can be written to. lost_answers: the part of the writes that are not acknowledged.
    """

    def __init__(self, loop: WorldLoop, chance: Random) -> None:
        self._loop = loop
        self._chance = chance
        self.letters: list[Letter] = []
        self.is_up = True
        self.lost_answers = 0.0
        self.written: Callable[[str, Letter], None] = lambda *_: None

    async def publish(self, topic: str, key: bytes | None, value: bytes, *, link: Link) -> None:
        """Write one. Raises OSError if it may not be there."""
        await asyncio.sleep(self._chance.uniform(0.002, 0.05))
        if not (self.is_up and link.is_up) or link.closed:
            await asyncio.sleep(self._chance.choice((0.0, 0.5, 2.0)))
            raise OSError(f"{topic}: the broker does not answer")
        letter = msgspec.json.decode(value, type=Letter)
        assert key is None or letter.user is None or key == letter.user.encode()
        self.letters.append(letter)
        self.written(link.owner, letter)
        if self._chance.random() < self.lost_answers:
            raise OSError(f"{topic}: no answer")
        await asyncio.sleep(self._chance.uniform(0.001, 0.02))
