"""Replaying letters: look for what is newer, write, wait until it is settled, and look again."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from audience_sync.commands.dead_letters.asked import (
    Asked,
    End,
    Told,
    ended,
    newer_known,
    overruled,
    replay_of,
    tells_of,
)
from audience_sync.commands.dead_letters.index import Index
from audience_sync.commands.dead_letters.looking import Looking
from audience_sync.commands.dead_letters.topics import Topics, bar, letters_in
from audience_sync.core.changes import UserId
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.dead_letters import told_changes
from audience_sync.events.kafka_admin import ask
from audience_sync.events.log_reading import LogReader, Span
from audience_sync.events.replay_evidence import Candidate, Translate, candidates_of, hear_later_letters
from audience_sync.events.replay_writing import ReplayWriter

MOST_LOOKED_FOR: Final = 20_000
"""Letters that one pass through the log serves: what they say is kept in memory."""

MOST_WRITTEN: Final = 500
"""Letters under way at a time: few enough to see early that most are given up again."""

FEW_TO_JUDGE: Final = 10
"""Of fewer letters it says nothing that most were given up again."""

LOOK_SECONDS: Final = 0.5
MOST_ROUNDS: Final = 5
"""Of looking again. Each needs yet another event of the same user and name within moments."""


class NotSettledError(Exception):
    """The service has not settled in time what was written."""


class Run:
    """One run over the letters that an index has selected.

    wait_seconds: how long nothing may be settled before the service counts as not running; None: nobody waits.
    """

    def __init__(
        self,
        topics: Topics,
        index: Index,
        reader: LogReader,
        *,
        looking: Looking | None,
        translate: Translate,
        wait_seconds: float | None,
    ) -> None:
        self._topics = topics
        self._index = index
        self._reader = reader
        self._looking = looking
        self._translate = translate
        self._wait_seconds = wait_seconds

    async def dry(self) -> AsyncIterator[Told]:
        """What would become of each letter. Nothing is written."""
        async for candidates, unusable in self._looked_for():
            for told in unusable:
                yield told
            for candidate in candidates:
                changes = told_changes(candidate.left.changes())
                end = End.WRITTEN if changes else End.NEWER_KNOWN
                yield Told(id=candidate.letter.id, user=candidate.user, end=end, changes=changes)

    async def write(self, writer: ReplayWriter) -> AsyncIterator[Told]:
        """Replay all letters, and tell what became of each. Raises NotSettledError.

        Ends early when most of the last ones were given up again.
        """
        async for candidates, unusable in self._looked_for():
            for told in unusable:
                yield told
            for some in _in_pieces(candidates, MOST_WRITTEN):
                given_up = 0
                for told in await self._replay(writer, some):
                    given_up += told.end is End.GIVEN_UP_AGAIN
                    yield told
                if len(some) >= FEW_TO_JUDGE and given_up * 2 > len(some):
                    return

    async def _looked_for(self) -> AsyncIterator[tuple[list[Candidate], list[Told]]]:
        """The letters as far as they can be used, each with what is newer; and those that can't."""
        letters = self._index.selected()
        while chunk := list(islice(letters, MOST_LOOKED_FOR)):
            candidates: list[Candidate] = []
            unusable: list[Told] = []
            for letter, first_given_up_at in chunk:
                found = candidates_of(letter, first_given_up_at, self._translate)
                if isinstance(found, str):
                    unusable.append(Told(id=letter.id, user=letter.user, end=End.NOT_USABLE, info=found))
                else:
                    candidates += found
            self._hear_other_letters(candidates)
            if self._looking is not None:
                await self._looking.begin(candidates)
                await self._looking.look()
            yield candidates, unusable

    def _hear_other_letters(self, candidates: Sequence[Candidate]) -> None:
        users = dict.fromkeys(candidate.user for candidate in candidates)
        others = [
            other
            for user in users
            for letter, first_given_up_at in self._index.letters_of(user)
            for other in candidates_of(letter, first_given_up_at, self._translate)
            if isinstance(other, Candidate)  # and not the reason why there is none
        ]
        hear_later_letters(candidates, others)

    async def _replay(self, writer: ReplayWriter, candidates: Sequence[Candidate]) -> list[Told]:
        looked_below = await self._looking.look() if self._looking is not None else {}
        asked: list[Asked] = []
        told: list[Told] = []
        for candidate in candidates:
            if words := candidate.left:
                asked.append(Asked(candidate, words, await self._number_of(candidate)))
            else:
                told.append(newer_known(candidate))
        dead_letters = await self._reader.whole(await self._reader.partitions(self._topics.dead_letters))
        await self._write(writer, asked, looked_below)
        if self._wait_seconds is None:
            return told + [ended(each, End.WRITTEN) for each in asked]
        await self._settled(asked)
        await self._look_again(writer, asked)
        given_up = await self._given_up_since(dead_letters, asked)
        for each in asked:
            why = given_up.get((each.candidate.letter.id, each.candidate.user))
            told.append(ended(each, End.REPLAYED) if why is None else ended(each, End.GIVEN_UP_AGAIN, why))
        return told

    async def _number_of(self, candidate: Candidate) -> int:
        if self._looking is None:
            return candidate.letter.origins[0].partition
        return await self._looking.number_of(candidate)

    async def _write(
        self, writer: ReplayWriter, asked: Sequence[Asked], looked_below: Mapping[PartitionKey, int]
    ) -> None:
        positions = await writer.write((each.number, replay_of(each, looked_below)) for each in asked)
        for each, position in zip(asked, positions, strict=True):
            each.settled_at = position

    async def _settled(self, asked: Sequence[Asked]) -> None:
        """Wait until the service has committed all of it. Raises NotSettledError."""
        clock = asyncio.get_running_loop().time
        assert self._wait_seconds is not None
        moved_at, left, topic = clock(), len(asked), self._topics.replays
        with bar("settled", len(asked)) as advance:
            while left:
                committed = await asyncio.to_thread(self._committed)
                unsettled = sum(committed.get((topic, each.number), 0) < each.settled_at for each in asked)
                if unsettled < left:
                    advance(left - unsettled)
                    moved_at, left = clock(), unsettled
                elif clock() > moved_at + self._wait_seconds:
                    raise NotSettledError(
                        f"{left} letters are written and not settled after {self._wait_seconds:g} s. Nothing is "
                        f"lost: they wait in the topic {self._topics.replays!r}. Is the service running, as the "
                        f"group {self._topics.group!r}, and is it ready?"
                    )
                else:
                    await asyncio.sleep(LOOK_SECONDS)

    def _committed(self) -> Mapping[tuple[str, int], int]:
        return ask(self._topics.address, lambda kafka: kafka.committed(self._topics.group))

    async def _look_again(self, writer: ReplayWriter, asked: Sequence[Asked]) -> None:
        """See that no newer event was settled before a replay was read, or say again what it said."""
        if self._looking is None:
            return
        again = list(asked)
        for _ in range(MOST_ROUNDS):
            looked_below = await self._looking.look()
            again = [since for each in again if (since := overruled(each)) is not None]
            if not again:
                return
            await self._write(writer, again, looked_below)
            await self._settled(again)

    async def _given_up_since(
        self, before: Mapping[PartitionKey, Span], asked: Sequence[Asked]
    ) -> dict[tuple[str, UserId], str]:
        """{(id, user): why} of letters that stand in the dead letters again, maybe in one with others of the user."""
        now = await self._reader.whole(before.keys())
        spans = {partition: Span(before[partition].end, now[partition].end) for partition in before}
        by_user: dict[str, list[Asked]] = {}
        for each in asked:
            by_user.setdefault(each.candidate.user, []).append(each)
        again: dict[tuple[str, UserId], str] = {}
        async for found in letters_in(self._reader, spans):
            letter = found.letter
            if letter is None:
                continue
            why = f"{letter.cause if letter.code is None else f'{letter.cause} {letter.code}'}: {letter.info}"
            for each in by_user.get(letter.user or "", ()):
                if tells_of(letter, each.candidate.letter):
                    again[each.candidate.letter.id, each.candidate.user] = why
        return again


def _in_pieces(candidates: Sequence[Candidate], most: int) -> Iterator[Sequence[Candidate]]:
    for start in range(0, len(candidates), most):
        yield candidates[start : start + most]
