"""The connection between one process and Kafka: requests arrive in their order, late, or not at all."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, Final

from aiokafka.errors import KafkaConnectionError, RequestTimedOutError

from tests.simulation.loop import WorldLoop

CALL_SECONDS: Final = 10.0
"""aiokafka's `request_timeout_ms`, as the service sets it: then the connection ends, with all that it carries."""

_APART_SECONDS: Final = 1e-6
"""Between two requests on one connection, so that they stay in order."""


class _Call:
    """One request under way. *dropped*: the connection has ended before it arrived."""

    __slots__ = ("answer", "ask", "dropped")

    def __init__(self, ask: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.ask = ask
        self.answer = answer
        self.dropped = False


class Link:
    """What one process has of Kafka. All requests go over one connection, as coordination does in aiokafka.

    owner: the process. restored: is called when the process can reach Kafka again.
    """

    def __init__(self, loop: WorldLoop, chance: Random, owner: str) -> None:
        self.owner = owner
        self._loop = loop
        self._chance = chance
        self._calls: dict[_Call, None] = {}
        self._last_arrival = 0.0
        self._down = 0
        self._slow_until = 0.0
        self.closed = False
        """The history is over: everything fails at once."""
        self.restored: Callable[[], None] = lambda: None

    @property
    def is_up(self) -> bool:
        """Whether requests arrive at all."""
        return not self._down

    def cut(self) -> None:
        """Nothing passes any more, and whoever waits for an answer waits in vain."""
        self._down += 1
        self.reset()

    def mend(self) -> None:
        """The opposite of a `cut`."""
        self._down -= 1
        if self.is_up:
            self.restored()

    def reset(self) -> None:
        """The connection ends: what has not arrived is lost, what has is done, and no answer comes of either."""
        calls, self._calls = self._calls, {}
        seconds = self._chance.choice((0.0, 0.05, 1.0))
        for call in calls:
            call.dropped = True
            self._loop.later(seconds, _fail, call.answer, KafkaConnectionError("the connection was reset"))

    def stall(self, seconds: float) -> None:
        """Nothing is lost, and everything takes that much longer, in both directions."""
        self._slow_until = max(self._slow_until, self._loop.time() + seconds)

    async def call(self, ask: Callable[[], Any]) -> Any:
        """Let the broker do *ask*, and return what it returns, once that is there. Raises KafkaError."""
        loop = self._loop
        if self.closed:
            raise KafkaConnectionError("the history is over")
        if self._down:
            await asyncio.sleep(self._chance.uniform(0.02, 0.3))
            raise KafkaConnectionError("Kafka can't be reached")
        call = _Call(ask, loop.create_future())
        self._calls[call] = None
        arrival = max(loop.time() + self._latency(), self._last_arrival + _APART_SECONDS, self._slow_until)
        self._last_arrival = arrival
        loop.later(arrival - loop.time(), self._arrive, call)
        given_up = loop.later(CALL_SECONDS, self._give_up, call)
        try:
            return await call.answer
        finally:
            given_up.cancel()

    def _latency(self) -> float:
        return self._chance.uniform(0.001, 0.02)

    def _arrive(self, call: _Call) -> None:
        if call.dropped:
            return
        now = self._loop.time()
        if now < self._slow_until:
            self._last_arrival = max(self._last_arrival, self._slow_until) + _APART_SECONDS
            self._loop.later(self._last_arrival - now, self._arrive, call)
            return
        try:
            outcome = call.ask()
        except Exception as error:
            self._loop.later(self._latency(), self._answer, call, None, error)
            return
        if isinstance(outcome, asyncio.Future):
            outcome.add_done_callback(lambda done: self._answer_later(call, done))
        else:
            self._loop.later(self._latency(), self._answer, call, outcome, None)

    def _answer_later(self, call: _Call, done: asyncio.Future[Any]) -> None:
        if not done.cancelled():
            error = done.exception()
            result = None if error else done.result()
            self._loop.later(self._latency(), self._answer, call, result, error)

    def _answer(self, call: _Call, result: Any, error: BaseException | None) -> None:
        if call.dropped:
            return
        now = self._loop.time()
        if now < self._slow_until:
            self._loop.later(self._slow_until - now, self._answer, call, result, error)
            return
        self._calls.pop(call, None)
        if error is not None:
            _fail(call.answer, error)
        elif not call.answer.done():
            call.answer.set_result(result)

    def _give_up(self, call: _Call) -> None:
        """Whoever asked has waited long enough: as aiokafka does, the connection is closed with all it carries."""
        if call in self._calls:
            _fail(call.answer, RequestTimedOutError())
            self.reset()


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
