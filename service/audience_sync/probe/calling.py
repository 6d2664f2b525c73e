"""One call after the other: spaced, repeated when that is safe, given up, or the end of all asking."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Final, NoReturn, Protocol

from audience_sync.chat_api.errors import ChatApiError, NotAllowed, TryAgain, error_class
from audience_sync.chat_api.wire import Command, Family
from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import Body, users_in

PUSH_SECONDS: Final = 2.0
"""Between two pushes. Documented: more than one second."""

TRIES: Final = 3
"""So often a call is made that may pass later."""

TRY_AGAIN_SECONDS: Final = 1.0
"""Before the second try; before the third, twice as long."""

FEATURE_OFF: Final = 90045
"""Push to all users is not switched on."""

OF_ONE_CALL: Final = frozenset({70398, 71000, 72000, 72001, 72002, 90047})
"""Codes that need a person, but stand in the way of one call only: what the plan, or the console, does not give."""

ONCE: Final = frozenset({Command.PUSH, Command.DELETE_ACCOUNTS})
"""Calls that are never repeated: nobody can say what a second one would do."""

READING: Final = frozenset(
    {Command.GET_TAGS, Command.GET_ATTRIBUTES, Command.GET_ATTRIBUTE_NAMES, Command.CHECK_ACCOUNTS}
)
"""Calls that change nothing."""


class Asks(Protocol):
    """What the probe needs of a client: `ChatApi` has it."""

    family: Family

    async def ask(
        self, command: Command, body: Mapping[str, object], *, family: Family | None = None
    ) -> Mapping[str, object]:
        """Send *body* as it is, and return the answer as it came, whatever its code."""


class UnansweredError(Exception):
    """A question can't be asked to its end. The message says why; the next one can."""


class StoppedError(Exception):
    """Nothing more can be asked until a person acts. The message says why, the cause what the app said."""


class Caller:
    """Makes the calls of a probe, one at a time. *now* and *sleep* are of one clock, in seconds."""

    def __init__(
        self,
        chat: Asks,
        *,
        calls_per_second: float,
        push_seconds: float = PUSH_SECONDS,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        if not calls_per_second > 0:
            raise ValueError(f"calls_per_second is {calls_per_second}; it must be above 0")
        self.chat, self.sleep = chat, sleep
        self.push_seconds = push_seconds
        """Between two pushes."""

        self.calls = 0
        """Made so far."""

        self.touched: set[str] = set()
        """Users whom a writing call has named since somebody looked after them."""

        self.has_changed = False
        """Whether anything was written at all."""

        self.names_touched = False
        """Whether attribute names were defined since somebody looked after them."""

        self.reading_waits_seconds = 0.0
        """How long the first read after a write waits: what an app was seen to need until a write shows."""

        self._now = now
        self._interval_seconds = 1 / calls_per_second
        self._next_at = self._next_push_at = now()
        self._has_written = False

    async def call(
        self,
        command: Command,
        body: Body,
        *,
        family: Family | None = None,
        via: Asks | None = None,
        whatever: bool = False,
    ) -> Answer:
        """One answer.

        whatever: any code is an answer, also one that would end the asking.
        Raises UnansweredError when none came, and StoppedError when none will.
        """
        for number in count(1):
            is_last = number == TRIES or command in ONCE
            await self._turn(command)
            self._note(command, body)
            try:
                answer = Answer(await (via or self.chat).ask(command, body, family=family))
            except TryAgain as error:
                if is_last:
                    raise UnansweredError(str(error)) from error
            except ChatApiError as error:
                _end(error, whatever=whatever)
            else:
                if not _may_pass_later(answer) or (whatever and is_last):
                    return _let_through(answer, command, whatever=whatever)
                if is_last:
                    raise UnansweredError(f"{command} answered {answer.code} to the end: {answer.info}")
            await self.sleep(TRY_AGAIN_SECONDS * number)
        raise AssertionError("counting does not end")

    async def _turn(self, command: Command) -> None:
        at = max(self._now(), self._next_at)
        if command is Command.PUSH:
            at = max(at, self._next_push_at)
            self._next_push_at = at + self.push_seconds
        elif command in READING and self._has_written:
            at += self.reading_waits_seconds
        if (wait := at - self._now()) > 0:
            await self.sleep(wait)
        self._next_at = at + self._interval_seconds
        self._has_written = command not in READING

    def _note(self, command: Command, body: Body) -> None:
        self.calls += 1
        self.has_changed |= command not in READING
        if command is Command.SET_ATTRIBUTE_NAMES:
            self.names_touched = True
        elif command not in READING:
            self.touched |= users_in(body)


def _may_pass_later(answer: Answer) -> bool:
    return answer.code != 0 and issubclass(error_class(answer.code), TryAgain)


def _let_through(answer: Answer, command: Command, *, whatever: bool) -> Answer:
    code = answer.code
    if whatever or not code or not issubclass(error_class(code), NotAllowed):
        return answer
    if code in OF_ONE_CALL or (code == FEATURE_OFF and command is Command.PUSH):
        return answer
    error = error_class(code)(command, code, answer.info)
    raise StoppedError(str(error)) from error


def _end(error: ChatApiError, *, whatever: bool) -> NoReturn:
    if whatever:
        raise UnansweredError(str(error)) from error
    raise StoppedError(str(error)) from error
