"""The calls that `ChatApi` is made of: one request, or many in a row, and what their answers mean."""

from collections.abc import Callable, Collection, Container, Iterable
from typing import Final, TypeVar

import msgspec

from audience_sync.chat_api.answers import Answer
from audience_sync.chat_api.errors import (
    NO_ANSWER,
    ChatApiError,
    TryAgain,
    error_class,
    refusal,
)
from audience_sync.chat_api.exchange import Exchange, Reply
from audience_sync.chat_api.many import Spacing
from audience_sync.chat_api.wire import Command, Family, path
from audience_sync.core.changes import UserId
from audience_sync.core.verdicts import Refusal

A = TypeVar("A", bound=Answer)

_INFO_CHARACTERS: Final = 300
"""Of the API's words, this much is kept. Ours: the texts in the documentation are below 50."""


class Calls:
    """Calls of one app, to one family of commands."""

    def __init__(self, exchange: Exchange, *, family: Family, calls_per_second: float) -> None:
        self.exchange, self.family = exchange, family
        self._spacing = {command: Spacing(calls_per_second) for command in Command}

    async def once(self, command: Command, body: bytes, decoder: msgspec.json.Decoder[A]) -> A:
        """One call that names no users, in its turn. Raises what a code other than 0 means."""
        reply = await self._reply(command, body)
        refusals(command, (), reply.answer)
        return _decoded(command, reply, decoder)

    async def read(
        self,
        command: Command,
        bodies: Iterable[tuple[Collection[str], bytes]],
        decoder: msgspec.json.Decoder[A],
        *,
        found: Callable[[A], None],
    ) -> dict[str, Refusal]:
        """Calls that read, in turn; *found* takes each answer. Returns {user: refusal} of those refused by name."""
        refused: dict[str, Refusal] = {}
        for users, body in bodies:
            reply = await self._reply(command, body)
            refused.update(refusals(command, users, reply.answer).items())
            found(_decoded(command, reply, decoder))
        return refused

    async def write(
        self, command: Command, bodies: Iterable[tuple[Collection[str], bytes]]
    ) -> dict[str, Refusal]:
        """Calls that write, in turn. Returns {user: refusal} of the users refused by name.

        An error says who was confirmed before: those who stand in no request from the failed one on.
        """
        left = list(bodies)
        refused: dict[str, Refusal] = {}
        for done, (users, body) in enumerate(left):
            try:
                reply = await self._reply(command, body)
                refused.update(refusals(command, users, reply.answer).items())
            except ChatApiError as error:
                open_ = {user for users, _ in left[done:] for user in users}
                error.confirmed = (
                    frozenset(user for users, _ in left[:done] for user in users) - open_ - set(refused)
                )
                raise
        return refused

    async def _reply(self, command: Command, body: bytes) -> Reply:
        where = path(self.family, command)
        await self._spacing[command].turn()
        return await self.exchange.call(command, where, body)


def refusals(name: str, users: Container[str], answer: Answer) -> dict[UserId, Refusal]:
    """The users that *answer* refuses by name; or raise what it says of the whole request.

    users: those in the request. What is said of anybody else is said of the request.
    """
    assert answer.code is not None, "an answer without a code is not taken for one"
    refused: dict[UserId, Refusal] = {}
    stranger: Refusal | None = None
    for entry in answer.named or ():
        if entry.code == 0:
            continue
        user, said = UserId(str(entry.user)), refusal(entry.code, short(entry.info))
        if user in users:
            refused[user] = said
        else:
            stranger = said
    if answer.code != 0:
        raise error_class(answer.code)(name, answer.code, short(answer.info), named=refused)
    if answer.status == "FAIL":
        raise TryAgain(name, 0, "the answer says both FAIL and 0")
    if stranger:  # somebody of the request is meant, and nobody can say who
        info = f"{stranger.info} (said of a user who is not in the request)"
        raise error_class(stranger.code)(name, stranger.code, info, named=refused)
    return refused


def short(info: str | None) -> str:
    """The API's words, cut to what is kept of them."""
    return (info or "")[:_INFO_CHARACTERS]


def _decoded(name: str, reply: Reply, decoder: msgspec.json.Decoder[A]) -> A:
    try:
        return decoder.decode(reply.body)
    except msgspec.DecodeError:
        raise TryAgain(name, NO_ANSWER, "the body is not an answer to this call") from None
