"""Calls for many users: from lines to requests, and what was said of each user."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Final, Generic, TypeVar

import typer

from audience_sync.chat_api import ChatApi, Found, Refusal
from audience_sync.commands.chat.connection import chat_settings, connected, patience
from audience_sync.commands.chat.progress import Bar
from audience_sync.commands.chat.reading import Piece, Work
from audience_sync.commands.chat.refused import REFUSED_USERS, RefusedUser
from audience_sync.commands.chat.requests import Call, all_of, join
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import counted, say

V = TypeVar("V")
T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
PatienceSeconds = Annotated[
    float,
    typer.Option(
        "--patience", min=0, metavar="SECONDS", help="Seconds to repeat what may pass later; 0: try once."
    ),
]
"""The parameters of every call."""

LONG_ENOUGH: Final = 60.0
"""Of patience. Ours: bursts above the rate and restarts of a server are over by then."""

LEFT_OUT: Final = Refusal(
    0, "the answer leaves the user out; check-accounts tells whether he exists", again=False
)


class UsersCall(Generic[V, T]):
    """One call for all users of some work."""

    def __init__(
        self, work: Work[V], call: Callable[[ChatApi], Call[V, T]], *, view: View[tuple[str, T]] | None = None
    ) -> None:
        """*view*: how what is found of a user is shown; without it, the call writes, and shows who is refused."""
        self._work, self._call, self._view = work, call, view
        self._confirmed = self._refused = self._last_line = 0

    def run(self, *, patience_seconds: float, as_json: bool) -> None:
        """Send all, and show what was said. Stop if anything was refused, failed or interrupted."""
        settings = chat_settings()
        self._output = output(as_json=as_json)
        with Bar(lines=self._work.lines) as self._bar:
            self._patience = patience(patience_seconds, self._bar.tell)
            connected(self._send, settings=settings, so_far=self._so_far)
        if self._refused:
            raise Stop(ExitCode.REFUSED, self._told())
        if self._view is None or not self._confirmed:
            say(self._told())

    async def _send(self, chat: ChatApi) -> None:
        if self._work.attribute_names:
            known = await self._patience.once(chat.get_attribute_names)
            self._work.check_attributes(known.values())
        call = partial(self._patience.call, self._call(chat))
        for piece in self._work.pieces():
            found: Found[T] = Found({}, {})
            try:
                await all_of(call, piece.users, done=partial(self._done, piece, found))
            finally:
                self._show(piece, found)
            self._last_line = piece.last_line

    def _done(self, piece: Piece[V], found: Found[T], users: int, said: Found[T]) -> None:
        join(found, said)
        self._refused += len(said.refused)
        self._confirmed += users - len(said.refused)
        self._bar.advance(piece.lines * users / len(piece.users))

    def _show(self, piece: Piece[V], found: Found[T]) -> None:
        """In the order of the lines, whatever order the answers came in; whom nobody asked for comes last."""
        users = dict.fromkeys([*piece.users, *found.refused])
        refused = [RefusedUser(user, found.refused[user]) for user in users if user in found.refused]
        with self._bar.hidden():
            if self._view is None:
                self._output.show(REFUSED_USERS, refused)
            else:
                self._output.show(
                    self._view, [(user, found.of[user]) for user in piece.users if user in found.of]
                )
                self._output.show_aside(REFUSED_USERS, refused)

    def _told(self) -> str:
        done = "found" if self._view else "confirmed"
        if not self._confirmed and not self._refused:
            return "Nothing to do."
        if not self._refused:
            return f"{counted(self._confirmed, 'user')} {done}."
        return f"{counted(self._confirmed, 'user')} {done}, {self._refused:,} refused."

    def _so_far(self) -> str:
        told = f"Until then: {counted(self._confirmed, 'user')} {'found' if self._view else 'confirmed'}"
        told += f", {self._refused:,} refused." if self._refused else "."
        if self._last_line:
            told += f" All up to line {self._last_line:,} of {self._work.name} is settled."
        return told if self._view else f"{told} The whole can be repeated safely."


def reading(call: Callable[[Collection[str]], Awaitable[Found[T]]]) -> Call[tuple[()], T]:
    """A call that reads, as `UsersCall` takes it."""

    async def read(users: Mapping[str, tuple[()]]) -> Found[T]:
        found = await call(list(users))
        silent = {user: LEFT_OUT for user in users if user not in found.of and user not in found.refused}
        return Found(found.of, found.refused | silent)

    return read


def writing(call: Callable[[Mapping[str, V]], Awaitable[dict[str, Refusal]]]) -> Call[V, None]:
    """A call that writes, as `UsersCall` takes it."""

    async def write(users: Mapping[str, V]) -> Found[None]:
        return Found({}, await call(users))

    return write
