"""Letters replayed at somebody's wish: `audience-sync dead-letters replay`, as a process beside the service.

It is the same program that is typed by hand, with the same settings. It reads the topic of dead letters, and the log
behind them, however long they are: that costs the service neither memory nor turns of its loop.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

MOST_LETTERS: Final = 100
"""Letters that one wish may name. Ours: what somebody has looked at. For more there is the command."""

MOST_KEPT: Final = 200
"""Lines of what became of letters that are kept; all of them are counted."""

MOST_LINE_BYTES: Final = 4 * 1024 * 1024
MOST_CHARACTERS: Final = 2000
PATIENCE_SECONDS: Final = 5.0
"""How long a process may take to end that is told to."""


class BusyError(Exception):
    """A replay is under way; the next one has to wait for it."""


class LetterTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one letter: an end as the command names it, and why."""

    id: str
    user: str | None
    end: str
    info: str = ""
    changes: list[list[str]] = []


class ReplayTold(msgspec.Struct, frozen=True, kw_only=True):
    """The last wish, and what came of it. Moments are epoch seconds.

    asked: how many letters. ended_at: None while it is under way. exit_code: of the command. ends: {end: how many}.
    message: what the command said besides.
    """

    asked: int
    started_at: float
    ended_at: float | None
    exit_code: int | None
    ends: dict[str, int]
    letters: list[LetterTold]
    message: str


class ReplayJob:
    """At most one replay at a time. command: how the program is called, without arguments."""

    def __init__(self, command: Sequence[str], *, clock: Callable[[], float]) -> None:
        self._command = command
        self._clock = clock
        self._wish: tuple[str, ...] | None = None
        self._wished = asyncio.Event()
        self._started_at = 0.0
        self._ended_at: float | None = None
        self._asked = 0
        self._exit_code: int | None = None
        self._ends: Counter[str] = Counter()
        self._letters: deque[LetterTold] = deque(maxlen=MOST_KEPT)
        self._message = ""

    def begin(self, ids: Sequence[str]) -> None:
        """Replay these letters, soon. Raises BusyError, ValueError."""
        if self._wish is not None:
            raise BusyError("a replay is under way; wait until it has ended")
        wish = tuple(dict.fromkeys(ids))
        if not wish or len(wish) > MOST_LETTERS:
            raise ValueError(
                f"{len(wish)} letters; name 1 to {MOST_LETTERS}, or use `audience-sync dead-letters replay`"
            )
        if any(not each or "\0" in each for each in wish):
            raise ValueError("an id of a letter is text that is not empty; `dead-letters list` shows them")
        self._wish, self._asked = wish, len(wish)
        self._started_at, self._ended_at, self._exit_code = self._clock(), None, None
        self._ends.clear()
        self._letters.clear()
        self._message = ""
        self._wished.set()

    def told(self) -> ReplayTold | None:
        """The last replay; None if there was none."""
        if not self._asked:
            return None
        return ReplayTold(
            asked=self._asked,
            started_at=self._started_at,
            ended_at=self._ended_at,
            exit_code=self._exit_code,
            ends=dict(self._ends),
            letters=list(self._letters),
            message=self._message,
        )

    async def run(self) -> None:
        """Do what is wished for, until cancelled. What was written by then is not lost: the service reads it."""
        while True:
            await self._wished.wait()
            self._wished.clear()
            try:
                self._exit_code = await self._replay(self._wish or ())
            except OSError as error:
                self._exit_code, self._message = -1, f"the command can't be run: {error}"
            finally:
                self._wish, self._ended_at = None, self._clock()

    async def _replay(self, ids: Sequence[str]) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            "dead-letters",
            "replay",
            "--yes",
            "--json",
            "--",
            *ids,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=MOST_LINE_BYTES,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(process.stdout))
                tasks.create_task(self._hear_besides(process.stderr))
            return await process.wait()
        finally:
            if process.returncode is None:
                await _end(process)

    async def _hear(self, told: asyncio.StreamReader) -> None:
        while line := await _line(told):
            try:
                letter = msgspec.json.decode(line, type=LetterTold)
            except (ValueError, RecursionError):
                continue  # of a letter above the bound of a line, the rest
            self._ends[letter.end] += 1
            self._letters.append(letter)

    async def _hear_besides(self, told: asyncio.StreamReader) -> None:
        while line := await _line(told):
            self._message = f"{self._message}{line.decode(errors='replace')}"[-MOST_CHARACTERS:]


async def _line(told: asyncio.StreamReader) -> bytes:
    """The next line; of one that is too long what is behind its bound. Empty at the end."""
    while True:
        try:
            return await told.readline()
        except ValueError:
            continue


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
