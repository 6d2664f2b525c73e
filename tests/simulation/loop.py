"""Virtual time for several processes in one event loop: each can be frozen or killed between any two steps."""

import asyncio
import contextvars
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START: Final = 1_000_000.0
"""Where time begins: high enough for records of long before, low enough for exact milliseconds."""

MOST_STEPS: Final = 1_000_000
"""A history that has taken so many steps runs in circles: they have some ten thousand."""


class StalledError(AssertionError):
    """Everyone waits, and nothing will ever happen; or steps follow each other without end."""


class Process:
    """One process: while it is parked, none of its steps is taken, and none is lost."""

    __slots__ = ("fuse", "is_parked", "name", "parked", "when_blown")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_parked = False
        self.parked: list[tuple[bool, _Step]] = []
        """Steps that are due, and whether a timer brought them."""
        self.fuse: int | None = None
        """So many steps are taken before the process is parked."""
        self.when_blown: Callable[[], None] = lambda: None

    def context(self) -> contextvars.Context:
        """Where what belongs to the process is started."""
        context = contextvars.Context()
        context.run(_PROCESS.set, self)
        return context


_PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


def this_process() -> Process:
    """The one whose step is being taken."""
    process = _PROCESS.get()
    assert process is not None, "this is a step of the world"
    return process


WORLD: Final = contextvars.Context()
"""The context of what belongs to no process: the network, brokers, the Chat API."""


class _Step(asyncio.TimerHandle):
    """A handle without what only debugging needs: a history makes ten thousands of them."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._context = contextvars.copy_context() if context is None else context
        self._cancelled = False

    def cancel(self) -> None:
        """Let it not be taken."""
        self._cancelled = True


class WorldLoop(asyncio.BaseEventLoop):
    """An event loop without sockets and threads, where time passes at once.

    failure: the first exception that nobody has caught. tasks: all that were ever started, in their order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.steps = 0
        self.failure: BaseException | None = None
        self.tasks: list[asyncio.Task[Any]] = []
        self._due: deque[_Step] = deque()
        self._timers: list[tuple[float, int, _Step]] = []
        self._numbers = count()
        self.set_exception_handler(lambda _loop, context: self._failed(context))

    def time(self) -> float:
        """Virtual seconds."""
        return self.now

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """The next step of somebody."""
        step = _Step(0.0, callback, args, context)
        self._due.append(step)
        return step

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """A step at its moment; those of one moment in the order of their coming."""
        step = _Step(when, callback, args, context)
        heappush(self._timers, (when, next(self._numbers), step))
        return step

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """A step after so many seconds."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def later(
        self, seconds: float, callback: Callable[[*Ts], object], *arguments: *Ts
    ) -> asyncio.TimerHandle:
        """Call back for the world, whichever process asks for it."""
        return self.call_at(self.now + seconds, callback, *arguments, context=WORLD)

    def thaw(self, process: Process, *, timers_first: bool) -> None:
        """Let *process* go on: what became due meanwhile is taken at once."""
        process.is_parked = False
        parked, process.parked = process.parked, []
        ordered = sorted(parked, key=lambda item: item[0] is not timers_first)
        self._due.extend(step for _, step in ordered)

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - as the base class has it
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """What would run in a thread runs at once."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # it belongs to whoever awaits
            future.set_exception(error)
        return future

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        """A task, as asyncio makes it."""
        task = asyncio.Task(coro, loop=self, name="" if name is None else str(name), context=context)
        self.tasks.append(task)
        return task

    def start(self, coroutine: Coroutine[Any, Any, T], process: Process) -> asyncio.Task[T]:
        """Start a task of *process*."""
        return self.create_task(coroutine, context=process.context())

    def _failed(self, context: dict[str, Any]) -> None:
        if self.failure is None and isinstance(error := context.get("exception"), BaseException):
            self.failure = error

    def _run_once(self) -> None:
        """Take all steps that are due; if there are none, time jumps to the next timer."""
        due, timers = self._due, self._timers
        if not due:
            while timers and timers[0][2]._cancelled:
                heappop(timers)
            if not timers:
                raise StalledError("everyone waits, and nothing will ever happen")
            self.now = max(self.now, timers[0][0])
        now = self.now
        while timers and timers[0][0] <= now:
            step = heappop(timers)[2]
            if not step._cancelled:
                process = step._context.get(_PROCESS)
                if process is not None and process.is_parked:
                    process.parked.append((True, step))
                else:
                    due.append(step)
        self.steps += len(due)
        if self.steps > MOST_STEPS:
            raise StalledError(f"{MOST_STEPS} steps, and no end")
        for _ in range(len(due)):
            self._take(due.popleft())

    def _take(self, step: _Step) -> None:
        if step._cancelled:
            return
        process = step._context.get(_PROCESS)
        if process is not None and (process.is_parked or process.fuse is not None):
            if not process.is_parked:
                assert process.fuse is not None
                process.fuse -= 1
                if process.fuse < 0:
                    process.fuse, process.is_parked = None, True
                    WORLD.run(process.when_blown)
            if process.is_parked:
                process.parked.append((False, step))
                return
        try:
            step._context.run(step._callback, *step._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # nobody else will see it
            self._failed({"exception": error})


def on_world_time(main: Callable[[WorldLoop], Coroutine[Any, Any, T]]) -> T:
    """Run *main* to its end on a loop of its own. Raises StalledError where it would wait for ever."""
    loop = WorldLoop()
    try:
        events.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        events.set_event_loop(None)
        loop.close()
