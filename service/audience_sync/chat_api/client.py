"""The Chat API: one async method a call."""

import random as chance
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx
import msgspec

from audience_sync.chat_api import accounts as account_bodies
from audience_sync.chat_api import answers, wire
from audience_sync.chat_api import transport as connection
from audience_sync.chat_api.accounts import Account
from audience_sync.chat_api.calls import Calls, refusals, short
from audience_sync.chat_api.errors import BrokenLimit, refusal
from audience_sync.chat_api.exchange import Exchange, MayLeave, always
from audience_sync.chat_api.hosts import Hosts
from audience_sync.chat_api.many import once_each, pieces_of, pieces_of_parts
from audience_sync.chat_api.offline_push import OfflinePush
from audience_sync.chat_api.profile import Profile
from audience_sync.chat_api.push import Push, encode_push, encode_revoke
from audience_sync.chat_api.signature import Signature
from audience_sync.chat_api.wire import Command, Family, path
from audience_sync.core import limits
from audience_sync.core.changes import Endpoint, Part, Request, UserId
from audience_sync.core.verdicts import Refusal

T = TypeVar("T")
User = TypeVar("User", bound=str)
"""Of a mapping's keys: users as texts, or as `UserId`."""


class Found(msgspec.Struct, Generic[T], frozen=True):
    """What a reading call found: a value for each user, and those of whom the API would say nothing.

    A user whom the answer leaves out, without a word, stands in neither.
    """

    of: dict[str, T]
    refused: dict[str, Refusal]


class ChatApi:
    """The calls of one app. An async context manager; leaving it closes the connections.

    Safe for many calls at once, but never two for one user: the API promises no order. Users may be any number
    in all methods but `send`: they leave in requests of as many as the API takes, one after the other, below
    the rate that it allows, and the results are joined. Limits are checked before the first request leaves:
    BrokenLimit names the user, the field and the limit.

    Every call but `push` and `revoke` is safe to repeat (inferred: what it writes is absolute). Nothing is
    repeated in here but what surely was not applied: once with a new signature when the old one has expired,
    once at the backup host when the main one could not be reached.

    All methods raise a subclass of ChatApiError when the API did not confirm a request: it says what to do
    next, whether the request may have been applied, and who had been confirmed before it in the same call.
    None holds the address or the signature.
    """

    def __init__(
        self,
        *,
        app_id: int,
        signature: Signature,
        hosts: Hosts,
        family: Family = Family.ALL_MEMBER_PUSH,
        request_timeout_seconds: float = 5.0,
        connections: int = 8,
        calls_per_second: float = limits.CALLS_PER_SECOND,
        profile: Profile = Profile(),  # noqa: B008 - it is never altered
        random: chance.Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take the parts. Nothing is connected yet.

        calls_per_second: what the API allows each call; `send` is not slowed by it.
        random:           for the number that each address carries; None: the system's.
        transport:        replaces real connections in tests.
        """
        self.family, self.profile = family, profile
        self._exchange = Exchange(
            app_id=app_id,
            signature=signature,
            hosts=hosts,
            timeout_seconds=request_timeout_seconds,
            random=random or chance.SystemRandom(),
            transport=transport or connection.connections(connections),
        )
        self._calls = Calls(self._exchange, family=family, calls_per_second=calls_per_second)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exchange.aclose()

    # Tags

    async def add_tags(
        self, tags: Mapping[User, Sequence[str]], *, replace: bool = False
    ) -> dict[str, Refusal]:
        """Add tags to users; a user carries a tag or does not (inferred). Safe to repeat.

        Takes:   {user: [tag, ...]}; a tag 1-50 bytes of UTF-8. replace: these are all he carries then, at most
                 100 of them; the successor's alone.
        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Source:  docs/chat-api.md#im_add_tag.
        """
        if not replace:
            return await self._write(Endpoint.ADD_TAGS, tags)
        self._demand_successor("add_tag: replace")
        pieces = pieces_of_parts(tags, texts=None, name=Command.ADD_TAGS)
        bodies = [(piece, wire.encode_replacement(piece)) for piece in pieces]
        return await self._calls.write(Command.ADD_TAGS, bodies)

    async def remove_tags(self, tags: Mapping[User, Sequence[str]]) -> dict[str, Refusal]:
        """Remove tags from users; one that is not there is no error (inferred). Safe to repeat.

        Takes:   {user: [tag, ...]}; a tag 1-50 bytes of UTF-8.
        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Source:  docs/chat-api.md#im_remove_tag.
        """
        return await self._write(Endpoint.REMOVE_TAGS, tags)

    async def remove_all_tags(self, users: Collection[str]) -> dict[str, Refusal]:
        """Leave users without tags. Safe to repeat.

        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Source:  docs/chat-api.md#im_remove_all_tags.
        """
        return await self._write(
            Endpoint.REMOVE_ALL_TAGS, dict.fromkeys(once_each(users, name=Command.REMOVE_ALL_TAGS), ())
        )

    async def get_tags(self, users: Collection[str]) -> Found[list[str]]:
        """The tags that users carry.

        Source: docs/chat-api.md#im_get_tag.
        """
        found: dict[str, list[str]] = {}

        def take(answer: answers.TagsAnswer) -> None:
            found.update({str(one.user): one.tags or [] for one in answer.users or ()})

        bodies = self._of_users(Command.GET_TAGS, users)
        refused = await self._calls.read(Command.GET_TAGS, bodies, answers.TAGS, found=take)
        return Found(found, refused)

    # Attributes

    async def set_attributes(self, attributes: Mapping[User, Mapping[str, str]]) -> dict[str, Refusal]:
        """Set attributes of users; those not named stay as they are. Safe to repeat.

        Takes:   {user: {name: value}}; 1-10 attributes each, name and value 1-50 bytes of UTF-8. The names are
                 defined before: `set_attribute_names`.
        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Source:  docs/chat-api.md#im_set_attr.
        """
        return await self._write(Endpoint.SET_ATTRIBUTES, attributes)

    async def remove_attributes(self, attributes: Mapping[User, Sequence[str]]) -> dict[str, Refusal]:
        """Leave users without a value of the attributes named; one without a value is no error (inferred).

        Takes:   {user: [name, ...]}; 1-10 names each, defined before. Safe to repeat.
        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Source:  docs/chat-api.md#im_remove_attr.
        """
        return await self._write(Endpoint.REMOVE_ATTRIBUTES, attributes)

    async def get_attributes(self, users: Collection[str]) -> Found[dict[str, str]]:
        """The attributes of users. A value that is no text is given as the text that JSON has for it.

        Source: docs/chat-api.md#im_get_attr.
        """
        found: dict[str, dict[str, str]] = {}

        def take(answer: answers.AttributesAnswer) -> None:
            found.update({str(one.user): answers.texts_of(one) for one in answer.users or ()})

        bodies = self._of_users(Command.GET_ATTRIBUTES, users)
        refused = await self._calls.read(Command.GET_ATTRIBUTES, bodies, answers.ATTRIBUTES, found=take)
        return Found(found, refused)

    async def set_attribute_names(
        self, names: Mapping[int, str], *, types: Mapping[int, int] | None = None
    ) -> dict[int, str]:
        """Give slots their names; the other slots keep theirs. Returns all of them. Safe to repeat.

        Reads the names, and sends all of them: right whether the API merges or overwrites (nobody says which).
        Two callers at once may lose one another's.

        Takes:  {slot: name}; slots 0-9, a name 1-50 bytes of UTF-8 and in one slot only.
                types: {slot: 0 for attributes of users, 1 of devices}; the successor's alone, fixed once set.
        Source: docs/chat-api.md#im_set_attr_name.
        """
        if types is not None:
            self._demand_successor("set_attr_name: types")
        wire.encode_attribute_names(names, types)
        merged = await self.get_attribute_names() | dict(names)
        await self._calls.once(
            Command.SET_ATTRIBUTE_NAMES, wire.encode_attribute_names(merged, types), answers.ANSWER
        )
        return merged

    async def get_attribute_names(self) -> dict[int, str]:
        """The app's attribute names: {slot: name}, slots 0-9.

        Source: docs/chat-api.md#im_get_attr_name.
        """
        answer = await self._calls.once(Command.GET_ATTRIBUTE_NAMES, b"{}", answers.ATTRIBUTE_NAMES)
        return {int(slot): name for slot, name in (answer.names or {}).items() if name and slot.isdecimal()}

    # Pushes

    async def push(self, push: Push) -> str:
        """Send a message to everybody whom its condition matches. Returns the API's number of it, the TaskId.

        Not safe to repeat: after an ambiguous end it may be on its way. A repeat with the same `Push.random` is
        recognised for a time on which the documentation disagrees (a second, or seven days). The API takes 100
        a day and one in more than a second; who calls keeps to that.

        Source: docs/chat-api.md#im_push.
        """
        answer = await self._calls.once(Command.PUSH, encode_push(push, self.family), answers.TASK)
        return answer.task_id or ""

    async def revoke(self, task_id: str, *, offline_push: OfflinePush | None = None) -> None:
        """Withdraw a push of the last 24 hours. The successor's alone; once a second.

        offline_push: what devices show instead of what they have shown already.
        Source:       docs/chat-api.md#revoke.
        """
        path(self.family, Command.REVOKE)
        await self._calls.once(
            Command.REVOKE, encode_revoke(task_id, offline_push=offline_push), answers.ANSWER
        )

    # Accounts

    async def import_account(self, account: Account) -> None:
        """Make a user exist, with a nick and a picture. Safe to repeat.

        Source: docs/chat-api.md#accounts.
        """
        await self._calls.once(Command.IMPORT_ACCOUNT, account_bodies.encode_import(account), answers.ANSWER)

    async def import_accounts(self, accounts: Collection[Account]) -> set[str]:
        """Make users exist; one who does is updated. Returns those who failed. Safe to repeat.

        Source: docs/chat-api.md#accounts.
        """
        failed: set[str] = set()
        pieces = pieces_of(accounts, name=Command.IMPORT_ACCOUNTS)
        bodies = [account_bodies.encode_imports(piece) for piece in pieces]
        for body in bodies:
            answer = await self._calls.once(Command.IMPORT_ACCOUNTS, body, account_bodies.IMPORTED)
            failed.update(map(str, answer.failed or ()))
        return failed

    async def check_accounts(self, users: Collection[str]) -> Found[bool]:
        """Whether users exist.

        Source: docs/chat-api.md#accounts.
        """
        found: Found[bool] = Found({}, {})
        pieces = pieces_of(once_each(users, name=Command.CHECK_ACCOUNTS), name=Command.CHECK_ACCOUNTS)
        bodies = [account_bodies.encode_check(piece) for piece in pieces]
        for body in bodies:
            answer = await self._calls.once(Command.CHECK_ACCOUNTS, body, account_bodies.RESULTS)
            for item in answer.results or ():
                if item.code:
                    found.refused[str(item.user)] = refusal(item.code, short(item.info))
                else:
                    found.of[str(item.user)] = item.is_imported
        return found

    async def delete_accounts(self, users: Collection[str]) -> dict[str, Refusal]:
        """Delete users with all that is known of them. They can't be imported again for three months.

        Returns: {user: refusal} of those who were not deleted, such as those who did not exist.
        Source:  docs/chat-api.md#accounts.
        """
        refused: dict[str, Refusal] = {}
        pieces = pieces_of(once_each(users, name=Command.DELETE_ACCOUNTS), name=Command.DELETE_ACCOUNTS)
        bodies = [account_bodies.encode_delete(piece) for piece in pieces]
        for body in bodies:
            answer = await self._calls.once(Command.DELETE_ACCOUNTS, body, account_bodies.RESULTS)
            refused |= {
                str(item.user): refusal(item.code, short(item.info))
                for item in answer.results or ()
                if item.code
            }
        return refused

    # Single requests

    async def send(self, request: Request, *, may_leave: MayLeave = always) -> dict[UserId, Refusal]:
        """Send *request*, which is one request, to its endpoint. Safe to repeat.

        may_leave: is asked right before the request is written to its connection; if it says no, nothing is sent.

        Returns: {user: refusal} of the users refused by name; all others are confirmed.
        Raises:  a subclass of ChatApiError; BrokenLimit before anything is sent.
        Waits:   at most `request_timeout_seconds`, all that is repeated included. The caller holds a permit of
                 the endpoint.
        """
        body = wire.encode(request)
        where = path(self.family, request.endpoint)
        reply = await self._exchange.call(request.endpoint, where, body, may_leave=may_leave)
        return refusals(request.endpoint, request.parts, reply.answer)

    async def ask(
        self, command: Command, body: Mapping[str, object], *, family: Family | None = None
    ) -> Mapping[str, object]:
        """Send *body* as it is, unchecked, and return the answer as it came, whatever its code.

        For questions about the API itself. Raises TryAgain and its like when there is no answer.
        """
        where = path(family or self.family, command)
        reply = await self._exchange.call(command, where, msgspec.json.encode(body))
        return msgspec.json.decode(reply.body, type=dict[str, object])

    async def _write(self, endpoint: Endpoint, parts: Mapping[User, Part]) -> dict[str, Refusal]:
        of_tags = endpoint in (Endpoint.ADD_TAGS, Endpoint.REMOVE_TAGS)
        texts = limits.TAGS_PER_USER_AND_REQUEST if of_tags else None
        if endpoint is Endpoint.REMOVE_TAGS:
            texts = min(limits.TAGS_PER_USER_AND_REQUEST, self.profile.most_tags_per_removal)
        pieces = pieces_of_parts(parts, texts=texts, name=endpoint)
        bodies = [(piece, wire.encode(Request(endpoint, piece))) for piece in pieces]
        return await self._calls.write(Command(endpoint), bodies)

    def _of_users(self, command: Command, users: Collection[str]) -> list[tuple[list[str], bytes]]:
        pieces = pieces_of(once_each(users, name=command), name=command)
        return [(piece, wire.encode_users(command, piece)) for piece in pieces]

    def _demand_successor(self, what: str) -> None:
        if self.family is not Family.TIMPUSH:
            raise BrokenLimit(f"{what} is for the family {Family.TIMPUSH}; this client calls {self.family}")
