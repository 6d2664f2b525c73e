"""The Chat API: what it keeps of each user, what it refuses, and every way in which an answer can go wrong.

Written from docs/chat-api.md. Of the client, only the reading of answers and the meaning of codes are real.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum, StrEnum, auto
from functools import partial
from random import Random
from typing import Final, cast

import msgspec
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from audience_sync.chat_api.accounts import Account
from audience_sync.chat_api.answers import Answer, Named
from audience_sync.chat_api.calls import refusals
from audience_sync.chat_api.client import Found
from audience_sync.chat_api.errors import NO_ANSWER, NotReached, TryAgain, Withheld, error_class
from audience_sync.chat_api.profile import Profile
from audience_sync.core.changes import Endpoint, Part, Request, UserId
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import Refusal
from audience_sync.events.intake import Record as TakenRecord
from tests.simulation.letters import Letter
from tests.simulation.log import Record
from tests.simulation.loop import WorldLoop

SERVER_SECONDS: Final = 3.0
"""The server's own time-out: so long it may work on a request, whoever still waits for it."""


class BadUsers(StrEnum):
    """What one bad user does to his request; the documentation leaves it open."""

    REJECT = "reject"
    """The whole request is refused, nothing of it is applied, nobody is named."""
    PARTIAL = "partial"
    """The others are applied; he is named with his code."""
    PREFIX = "prefix"
    """Those before him are applied, then the request is refused."""
    IGNORE = "ignore"
    """The request is confirmed, and he stays as he is."""


class Fate(Enum):
    """How a request ends."""

    WELL = auto()
    NOT_REACHED = auto()
    """No connection comes about."""
    RESET_BEFORE = auto()
    """The connection breaks before the request is there."""
    ANSWER_LOST = auto()
    """It is applied, and the connection breaks before the answer is."""
    NEVER = auto()
    """It is taken, and neither applied nor answered."""
    LATE = auto()
    """It arrives at any time before its caller gives up, and is applied as long after as the server may take."""
    INTERNAL_BEFORE = auto()
    """91000, and nothing is applied."""
    INTERNAL_AFTER = auto()
    """91000, and all is applied."""
    INTERNAL_LATE = auto()
    """91000, and all is applied some time later."""
    TWICE = auto()
    """Something on the way repeats it when the first answer is late: it is applied twice, and answered once."""
    SERVER_TIMED_OUT = auto()
    """60008 after three seconds; it may be applied or not."""
    BAD_GATEWAY = auto()
    """HTTP 502; what becomes of the request is anybody's guess."""


class Weather(msgspec.Struct, frozen=True):
    """How the API is doing: what answering takes, and how many requests of each fate there are (in a thousand)."""

    answer_seconds: tuple[float, float] = (0.02, 0.2)
    fates: Mapping[Fate, int] = {}
    named_again: int = 0
    """So many users in a thousand are named with a code that says to try again."""


class Words(msgspec.Struct):
    """What the API keeps of a user: {name: value}, tags with True."""

    of: dict[str, str | bool] = {}


class Call:
    """One request, as the API sees it."""

    __slots__ = ("done", "number", "process", "request", "sent_at")

    def __init__(self, number: int, process: str, request: Request, sent_at: float) -> None:
        self.number = number
        self.process = process
        self.request = request
        self.sent_at = sent_at
        self.done = False

    def __str__(self) -> str:
        parts = " ".join(f"{user}:{_short(part)}" for user, part in self.request.parts.items())
        return f"#{self.number} {self.request.endpoint} {parts}"


def _short(part: Part) -> str:
    if isinstance(part, Mapping):
        return "{" + ",".join(f"{name}={value}" for name, value in part.items()) + "}"
    return "[" + ",".join(part) + "]"


class Judge:
    """Who watches what happens. Each method is called at the moment that it is about."""

    def produced(self, record: Record) -> None:
        """A record is in the log."""

    def taken(self, tenure: Tenure, records: Sequence[TakenRecord]) -> None:
        """Somebody has taken in records of one partition of his."""

    def sent(self, call: Call) -> None:
        """A process has let a request go."""

    def arrived(self, call: Call) -> None:
        """The API has it."""

    def applied(self, call: Call, users: Collection[str]) -> None:
        """The API applies it to these users."""

    def ended(self, call: Call) -> None:
        """The API has nothing more to do with it."""

    def answered(self, call: Call) -> None:
        """Its sender has the answer, or knows that none will come."""

    def buried(self, process: str, letter: Letter) -> None:
        """A dead letter stands in its topic."""

    def committed(self, member: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """The group has accepted a commit."""


class ChatServer:
    """The API of one app.

    bad: {user: code}, of users that it refuses; those in *unknown* have no account. off: the code of a failure
    of the whole, while there is one. calls_per_second: what it allows each endpoint; of_app: all of them together.
    """

    def __init__(
        self,
        loop: WorldLoop,
        chance: Random,
        *,
        calls_per_second: float,
        of_app: float | None,
        mode: BadUsers,
        judges: Sequence[Judge],
    ) -> None:
        self._loop = loop
        self._chance = chance
        self._judges = judges
        self._mode = mode
        self._numbers = 0
        self._arrivals: dict[str, deque[float]] = {}
        self.calls_per_second = calls_per_second
        self._of_app = of_app
        self.words: dict[str, dict[str, str | bool]] = {}
        self.unknown: set[str] = set()
        self.bad: dict[str, int] = {}
        self.undefined: set[str] = set()
        self.off: int | None = None
        self.weather = Weather()
        self.is_over = False
        self.tell: Callable[..., None] = lambda *_: None
        self.refused_for_rate = 0

    def code_of(self, user: str) -> int | None:
        """Why the API refuses the user, or None."""
        if user in self.unknown:
            return 70107 if self._mode is BadUsers.PARTIAL else 90048
        return self.bad.get(user)

    # from the caller's side

    async def send(self, process: str, request: Request, timeout_seconds: float) -> dict[UserId, Refusal]:
        """What `ChatApi.send` does: the users refused by name, or an error that says what comes next."""
        name = request.endpoint
        if self.is_over:
            raise NotReached(name, NO_ANSWER, "the history is over")
        self._numbers += 1
        call = Call(self._numbers, process, request, self._loop.time())
        for judge in self._judges:
            judge.sent(call)
        outcome: asyncio.Future[Answer | Exception] = self._loop.create_future()
        self._decide(call, timeout_seconds, outcome)
        answer = await outcome
        for judge in self._judges:
            judge.answered(call)
        if isinstance(answer, Exception):
            self.tell(process, f"#{call.number}", "ends:", answer)
            raise answer
        self.tell(
            process,
            f"#{call.number}",
            "is answered",
            answer.code,
            *(f"{n.user}:{n.code}" for n in answer.named or ()),
        )
        return refusals(name, request.parts, answer)

    async def check_accounts(self, process: str, users: Collection[str]) -> Found[bool]:
        """What `ChatApi.check_accounts` does."""
        fate = await self._ask("account_check")
        if fate is not None:
            raise fate
        self.tell(process, "checks accounts", *users)
        return Found({user: user not in self.unknown for user in users}, {})

    async def import_account(self, process: str, user: str) -> None:
        """What `ChatApi.import_account` does."""
        fate = await self._ask("account_import")
        if fate is not None:
            raise fate
        self.tell(process, "imports", user)
        self.unknown.discard(user)

    async def _ask(self, name: str) -> Exception | None:
        """How a call ends that changes nobody's words, after it has taken its time."""
        fate = self._draw()
        await asyncio.sleep(self._chance.uniform(*self.weather.answer_seconds))
        match fate:
            case Fate.WELL | Fate.INTERNAL_AFTER if self.off is None and not self.is_over:
                return None
            case Fate.NOT_REACHED:
                return NotReached(name, NO_ANSWER, "no connection")
        if self.off is not None:
            return error_class(self.off)(name, self.off, "")
        return TryAgain(name, NO_ANSWER, "no answer")

    # what becomes of a request

    def _draw(self) -> Fate:
        if not self.weather.fates:
            return Fate.WELL
        number = self._chance.randrange(1000)
        for fate, share in self.weather.fates.items():
            number -= share
            if number < 0:
                return fate
        return Fate.WELL

    def _decide(
        self, call: Call, timeout_seconds: float, outcome: asyncio.Future[Answer | Exception]
    ) -> None:
        later, uniform, fate = self._loop.later, self._chance.uniform, self._draw()
        name = call.request.endpoint
        no_answer = TryAgain(name, NO_ANSWER, f"not within {timeout_seconds:g} seconds")
        late = fate is Fate.LATE
        arrival = uniform(0.0, timeout_seconds) if late else uniform(0.002, 0.03)
        if fate is Fate.NOT_REACHED:
            later(arrival, _end, outcome, NotReached(name, NO_ANSWER, "no connection"))
        elif fate is Fate.RESET_BEFORE:
            later(arrival, _end, outcome, TryAgain(name, NO_ANSWER, "the connection broke"))
        else:
            later(arrival, self._arrive, call, fate, outcome)
        later(timeout_seconds, _end, outcome, no_answer)

    def _arrive(self, call: Call, fate: Fate, outcome: asyncio.Future[Answer | Exception]) -> None:
        later, uniform = self._loop.later, self._chance.uniform
        for judge in self._judges:
            judge.arrived(call)
        answer, users = self._judged(call)
        name = call.request.endpoint
        work = min(uniform(*self.weather.answer_seconds), SERVER_SECONDS)
        back = uniform(0.002, 0.03)
        rest = uniform(0.0, SERVER_SECONDS - 0.01)
        match fate:
            case Fate.NEVER:
                later(work, self._leave, call)
            case Fate.LATE:
                later(rest, self._apply, call, users)
                later(rest + back, _end, outcome, answer)
            case Fate.ANSWER_LOST:
                later(work, self._apply, call, users)
                later(work + back, _end, outcome, TryAgain(name, NO_ANSWER, "the connection broke"))
            case Fate.INTERNAL_BEFORE:
                later(work, self._leave, call)
                later(work + back, _end, outcome, _said(91000))
            case Fate.INTERNAL_AFTER:
                later(work, self._apply, call, users)
                later(work + back, _end, outcome, _said(91000))
            case Fate.INTERNAL_LATE:
                later(work + rest, self._apply, call, users)
                later(work + back, _end, outcome, _said(91000))
            case Fate.TWICE:
                later(work, partial(self._apply, call, users, last=False))
                later(min(work + rest, SERVER_SECONDS), self._apply, call, users)
                later(min(work + rest, SERVER_SECONDS) + back, _end, outcome, answer)
            case Fate.SERVER_TIMED_OUT:
                later(SERVER_SECONDS, self._apply if rest < SERVER_SECONDS / 2 else self._leave, call, users)
                later(SERVER_SECONDS + back, _end, outcome, _said(60008))
            case Fate.BAD_GATEWAY:
                later(work + rest, self._apply if rest < SERVER_SECONDS / 2 else self._leave, call, users)
                later(
                    work + back,
                    _end,
                    outcome,
                    TryAgain(name, 502, "the HTTP status says that the server gave up"),
                )
            case _:
                later(work, self._apply, call, users)
                later(work + back, _end, outcome, answer)

    def _judged(self, call: Call) -> tuple[Answer, Collection[str]]:
        """What is said of the request if nothing goes wrong, and for whom it is applied."""
        parts = call.request.parts
        if (code := self._too_fast(call.request.endpoint)) is not None:
            self.refused_for_rate += 1
            return _said(code), ()
        if self.off is not None:
            return _said(self.off), ()
        if self.undefined and any(
            _names(call.request.endpoint, part) & self.undefined for part in parts.values()
        ):
            return _said(90033), ()
        codes = {user: code for user in parts if (code := self.code_of(user)) is not None}
        again = [user for user in parts if self._chance.randrange(1000) < self.weather.named_again]
        if codes and self._mode in (BadUsers.REJECT, BadUsers.PREFIX):
            users = list(parts)
            first = next(user for user in users if user in codes)
            applied = users[: users.index(first)] if self._mode is BadUsers.PREFIX else []
            return _said(codes[first]), applied
        named = (
            [] if self._mode is BadUsers.IGNORE else [Named(user, code, "") for user, code in codes.items()]
        )
        named += [Named(user, 91000, "") for user in again if user not in codes]
        told = {str(name.user) for name in named}
        return Answer("OK", 0, "", named or None), [user for user in parts if user not in told]

    def _too_fast(self, endpoint: str) -> int | None:
        """The code that says which limit is reached, or None."""
        of_endpoint, of_app = self._in_the_last_second(endpoint), self._in_the_last_second("")
        if len(of_endpoint) >= self.calls_per_second:
            return 60007
        if self._of_app is not None and len(of_app) >= self._of_app:
            return 60011
        of_endpoint.append(self._loop.time())
        of_app.append(self._loop.time())
        return None

    def _in_the_last_second(self, endpoint: str) -> deque[float]:
        arrivals = self._arrivals.setdefault(endpoint, deque())
        while arrivals and arrivals[0] <= self._loop.time() - 1.0:
            arrivals.popleft()
        return arrivals

    def _apply(self, call: Call, users: Collection[str], *, last: bool = True) -> None:
        if call.done:
            return
        for user in users:
            self._write(user, call.request.endpoint, call.request.parts[UserId(user)])
        for judge in self._judges:
            judge.applied(call, users)
        if last:
            self._leave(call)

    def _leave(self, call: Call, *_: object) -> None:
        if not call.done:
            call.done = True
            for judge in self._judges:
                judge.ended(call)

    def _write(self, user: str, endpoint: Endpoint, part: Part) -> None:
        words = self.words.setdefault(user, {})
        match endpoint:
            case Endpoint.SET_ATTRIBUTES:
                words.update(cast("Mapping[str, str]", part))
            case Endpoint.ADD_TAGS:
                words.update(dict.fromkeys(part, True))
            case Endpoint.REMOVE_TAGS | Endpoint.REMOVE_ATTRIBUTES:
                for name in part:
                    words.pop(name, None)
            case Endpoint.REMOVE_ALL_TAGS:
                for name in [name for name, value in words.items() if value is True]:
                    del words[name]


class ChatClient:
    """What one process has of the API: as much of `ChatApi` as the service calls."""

    def __init__(self, server: ChatServer, process: str, timeout_seconds: float) -> None:
        self.profile = Profile()
        self._server = server
        self._process = process
        self._timeout_seconds = timeout_seconds

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def send(self, request: Request, *, may_leave: Callable[[], bool]) -> dict[UserId, Refusal]:
        """Send a request, if it may still leave."""
        if not may_leave():
            raise Withheld(request.endpoint, NO_ANSWER, "it was not sent")
        return await self._server.send(self._process, request, self._timeout_seconds)

    async def check_accounts(self, users: Collection[str]) -> Found[bool]:
        """Whether users exist."""
        return await self._server.check_accounts(self._process, users)

    async def import_account(self, account: Account) -> None:
        """Make a user exist."""
        await self._server.import_account(self._process, account.user)


def _said(code: int) -> Answer:
    return Answer("FAIL", code, "")


def _names(endpoint: Endpoint, part: Part) -> set[str]:
    of_attributes = endpoint in (Endpoint.SET_ATTRIBUTES, Endpoint.REMOVE_ATTRIBUTES)
    return set(part) if of_attributes else set()


def _end(outcome: asyncio.Future[Answer | Exception], answer: Answer | Exception) -> None:
    if not outcome.done():
        outcome.set_result(answer)
