"""Every call of both families in every situation, against the emulator: what the client did of it.

`cells` fills the table; docs/chat-calls.md shows it.
"""

import dataclasses
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final

from pydantic import SecretStr

from audience_sync.chat_api import (
    Account,
    Attributes,
    BrokenLimit,
    ChatApi,
    ChatApiError,
    Command,
    Everybody,
    Family,
    Hosts,
    Push,
    Refused,
    Signature,
    Tags,
    Text,
)
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.server import Emulator
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.switches import Accounts, Batch, Switches

KEY: Final = "a key for tests"
NAMES: Final = ("city", "n" * 49, "n" * 50, *(f"name-{number}" for number in range(6)))
"""Nine attribute names, so that one slot is free."""

TIMEOUT_SECONDS: Final = 2.0
"""Of a call that is answered too late; the others have all the time that a busy machine takes."""

LATE_SECONDS: Final = 4
"""An answer that comes after that is none."""

ALICE: Final = "alice"
THREE: Final = (ALICE, "unknown", "carol")
NOT_APPLICABLE: Final = "-"
"""A situation that the call cannot be in: it has no such field."""

Call = Callable[["Given"], Awaitable[object]]
Rows = Mapping[str, Call]


@dataclasses.dataclass
class Given:
    """One app of its own, with `alice` in it, and a client of it."""

    chat: ChatApi
    app: Emulator
    family: Family
    task_id: str = ""

    @property
    def writes_seen(self) -> int:
        """Requests that reached the emulator."""
        return sum(self.app.counters.calls.values())


def text(size: int, number: int = 0) -> str:
    """A text of so many bytes, another one for each number."""
    return f"{number}".ljust(size, "x")[:size]


def users(count: int) -> list[str]:
    """So many users."""
    return [f"user-{number}" for number in range(count)]


def a_push(**changed: object) -> Push:
    """A push to everybody who is tagged `vip`, with something changed."""
    push = Push(
        body=[Text("hello")], to=Tags(any_of=("vip",)), random=random.getrandbits(32), life_seconds=60
    )
    return dataclasses_like(push, changed)


def dataclasses_like(push: Push, changed: Mapping[str, object]) -> Push:
    """*push* with some fields changed."""
    fields = {name: getattr(push, name) for name in push.__struct_fields__} | dict(changed)
    return Push(**fields)


def around(
    name: str, most: int, call: Callable[["Given", int], Awaitable[object]], *, least: int = 1
) -> dict[str, Call]:
    """A limit's three rows: one below, at it, one above; and below the least."""

    def of(size: int) -> Call:
        return lambda given: call(given, size)

    return {
        f"{name}: {least - 1}": of(least - 1),
        f"{name}: {most - 1}": of(most - 1),
        f"{name}: {most}": of(most),
        f"{name}: {most + 1}": of(most + 1),
    }


USERS: Final = "users"
USER_BYTES: Final = "bytes of a user"
TAGS: Final = "tags of a user"
TAG_BYTES: Final = "bytes of a tag"
ATTRIBUTES: Final = "attributes of a user"
NAME_BYTES: Final = "bytes of an attribute's name"
VALUE_BYTES: Final = "bytes of an attribute's value"
SLOT: Final = "slots up to"
CONDITION_TAGS: Final = "tags in a condition"
LIFE: Final = "seconds of life"
RANDOM: Final = "random number"
NO_TEXT: Final = "something that is no text"


def limits_of(command: Command) -> dict[str, Call]:
    """The limits that *command* has: {row: call}."""
    match command:
        case Command.ADD_TAGS | Command.REMOVE_TAGS:
            add = command is Command.ADD_TAGS

            def tagged(given: Given, tags: Mapping[str, list[str]]) -> Awaitable[object]:
                return given.chat.add_tags(tags) if add else given.chat.remove_tags(tags)

            return (
                around(USERS, 100, lambda given, n: tagged(given, {key: ["vip"] for key in users(n)}))
                | around(USER_BYTES, 32, lambda given, n: tagged(given, {text(n): ["vip"]}))
                | around(TAGS, 10, lambda given, n: tagged(given, {ALICE: [text(9, i) for i in range(n)]}))
                | around(TAG_BYTES, 50, lambda given, n: tagged(given, {ALICE: [text(n)]}))
                | {NO_TEXT: lambda given: tagged(given, {ALICE: [7]})}  # type: ignore[list-item]  # on purpose
            )
        case (
            Command.REMOVE_ALL_TAGS
            | Command.GET_TAGS
            | Command.GET_ATTRIBUTES
            | Command.CHECK_ACCOUNTS
            | Command.DELETE_ACCOUNTS
        ):

            def named(given: Given, names: list[str]) -> Awaitable[object]:
                method: Callable[[list[str]], Awaitable[object]] = getattr(given.chat, METHODS[command])
                return method(names)

            return (
                around(USERS, 100, lambda given, n: named(given, users(n)))
                | around(USER_BYTES, 32, lambda given, n: named(given, [text(n)]))
                | {NO_TEXT: lambda given: named(given, [7])}  # type: ignore[list-item]  # on purpose
            )
        case Command.SET_ATTRIBUTES:

            def values(given: Given, attributes: Mapping[str, Mapping[str, str]]) -> Awaitable[object]:
                return given.chat.set_attributes(attributes)

            return (
                around(USERS, 100, lambda given, n: values(given, {key: {"city": "x"} for key in users(n)}))
                | around(USER_BYTES, 32, lambda given, n: values(given, {text(n): {"city": "x"}}))
                | around(
                    ATTRIBUTES, 10, lambda given, n: values(given, {ALICE: dict.fromkeys(names(n), "x")})
                )
                | around(NAME_BYTES, 50, lambda given, n: values(given, {ALICE: {"n" * n: "x"}}))
                | around(VALUE_BYTES, 50, lambda given, n: values(given, {ALICE: {"city": text(n)}}))
                | {NO_TEXT: lambda given: values(given, {ALICE: {"city": 7}})}  # type: ignore[dict-item]  # on purpose
            )
        case Command.REMOVE_ATTRIBUTES:

            def removed(given: Given, attributes: Mapping[str, list[str]]) -> Awaitable[object]:
                return given.chat.remove_attributes(attributes)

            return (
                around(USERS, 100, lambda given, n: removed(given, {key: ["city"] for key in users(n)}))
                | around(USER_BYTES, 32, lambda given, n: removed(given, {text(n): ["city"]}))
                | around(ATTRIBUTES, 10, lambda given, n: removed(given, {ALICE: names(n)}))
                | around(NAME_BYTES, 50, lambda given, n: removed(given, {ALICE: ["n" * n]}))
                | {NO_TEXT: lambda given: removed(given, {ALICE: [7]})}  # type: ignore[list-item]  # on purpose
            )
        case Command.SET_ATTRIBUTE_NAMES:
            return (
                around(NAME_BYTES, 50, lambda given, n: given.chat.set_attribute_names({9: "m" * n}))
                | around(SLOT, 9, lambda given, n: given.chat.set_attribute_names({n: "another"}), least=0)
                | {NO_TEXT: lambda given: given.chat.set_attribute_names({9: 7})}
            )
        case Command.PUSH:

            def pushed(given: Given, **changed: object) -> Awaitable[object]:
                return given.chat.push(a_push(**changed))

            return (
                around(
                    CONDITION_TAGS,
                    10,
                    lambda given, n: pushed(given, to=Tags(any_of=[text(9, i) for i in range(n)])),
                )
                | around(TAG_BYTES, 50, lambda given, n: pushed(given, to=Tags(any_of=[text(n)])))
                | around(NAME_BYTES, 50, lambda given, n: pushed(given, to=Attributes(all_of={"n" * n: "x"})))
                | around(
                    VALUE_BYTES, 50, lambda given, n: pushed(given, to=Attributes(all_of={"city": text(n)}))
                )
                | around(USER_BYTES, 32, lambda given, n: pushed(given, sender=text(n)))
                | around(LIFE, 604_800, lambda given, n: pushed(given, life_seconds=n), least=0)
                | around(RANDOM, 2**32 - 1, lambda given, n: pushed(given, random=n), least=0)
                | {NO_TEXT: lambda given: pushed(given, body=[Text(7)])}  # type: ignore[arg-type]  # on purpose
            )
        case Command.IMPORT_ACCOUNT:
            return around(USER_BYTES, 32, lambda given, n: given.chat.import_account(Account(text(n)))) | {
                NO_TEXT: lambda given: given.chat.import_account(Account(7))  # type: ignore[arg-type]  # on purpose
            }
        case Command.IMPORT_ACCOUNTS:
            return (
                around(
                    USERS,
                    100,
                    lambda given, n: given.chat.import_accounts([Account(user) for user in users(n)]),
                )
                | around(USER_BYTES, 32, lambda given, n: given.chat.import_accounts([Account(text(n))]))
                | {NO_TEXT: lambda given: given.chat.import_accounts([Account(7)])}  # type: ignore[arg-type]  # on purpose
            )
        case Command.REVOKE:
            return {NO_TEXT: lambda given: given.chat.revoke(7)}
        case Command.GET_ATTRIBUTE_NAMES:
            return {}


def names(count: int) -> list[str]:
    """So many attribute names: those that are defined, and more that are not."""
    return [*NAMES, "extra", "eleventh"][:count]


METHODS: Final = {
    Command.REMOVE_ALL_TAGS: "remove_all_tags",
    Command.GET_TAGS: "get_tags",
    Command.GET_ATTRIBUTES: "get_attributes",
    Command.CHECK_ACCOUNTS: "check_accounts",
    Command.DELETE_ACCOUNTS: "delete_accounts",
}

SOUND: Final[dict[Command, Call]] = {
    Command.PUSH: lambda given: given.chat.push(a_push(to=Everybody())),
    Command.REVOKE: lambda given: given.chat.revoke(given.task_id),
    Command.SET_ATTRIBUTE_NAMES: lambda given: given.chat.set_attribute_names({9: "extra"}),
    Command.GET_ATTRIBUTE_NAMES: lambda given: given.chat.get_attribute_names(),
    Command.GET_ATTRIBUTES: lambda given: given.chat.get_attributes([ALICE]),
    Command.SET_ATTRIBUTES: lambda given: given.chat.set_attributes({ALICE: {"city": "Shenzhen"}}),
    Command.REMOVE_ATTRIBUTES: lambda given: given.chat.remove_attributes({ALICE: ["name-0"]}),
    Command.GET_TAGS: lambda given: given.chat.get_tags([ALICE]),
    Command.ADD_TAGS: lambda given: given.chat.add_tags({ALICE: ["new"]}),
    Command.REMOVE_TAGS: lambda given: given.chat.remove_tags({ALICE: ["vip"]}),
    Command.REMOVE_ALL_TAGS: lambda given: given.chat.remove_all_tags([ALICE]),
    Command.IMPORT_ACCOUNT: lambda given: given.chat.import_account(Account("bob")),
    Command.IMPORT_ACCOUNTS: lambda given: given.chat.import_accounts([Account("bob")]),
    Command.CHECK_ACCOUNTS: lambda given: given.chat.check_accounts([ALICE]),
    Command.DELETE_ACCOUNTS: lambda given: given.chat.delete_accounts([ALICE]),
}
"""One call of each, with which nothing is wrong."""

APPLIED: Final[dict[Command, Callable[[Given], bool]]] = {
    Command.PUSH: lambda given: len(given.app.api.pushing.sent) > 0,
    Command.REVOKE: lambda given: given.app.api.pushing.is_revoked(given.task_id),
    Command.SET_ATTRIBUTE_NAMES: lambda given: "extra" in given.app.attribute_names().values(),
    Command.SET_ATTRIBUTES: lambda given: given.app.user(ALICE).attributes["city"] == "Shenzhen",
    Command.REMOVE_ATTRIBUTES: lambda given: "name-0" not in given.app.user(ALICE).attributes,
    Command.ADD_TAGS: lambda given: "new" in given.app.user(ALICE).tags,
    Command.REMOVE_TAGS: lambda given: "vip" not in given.app.user(ALICE).tags,
    Command.REMOVE_ALL_TAGS: lambda given: not given.app.user(ALICE).tags,
    Command.IMPORT_ACCOUNT: lambda given: "bob" in given.app.state(),
    Command.IMPORT_ACCOUNTS: lambda given: "bob" in given.app.state(),
    Command.DELETE_ACCOUNTS: lambda given: ALICE not in given.app.state(),
}
"""Whether the emulator did what the call of `SOUND` says; reading calls do nothing."""

TOO_LATE: Final = "applied, answered too late"

FAULTS: Final[dict[str, str]] = {
    "answered after a while": "stall:0.05",
    "applied after a while": "delay:0.05",
    TOO_LATE: f"stall:{LATE_SECONDS}",
    "60008 before it was applied": "code:60008",
    "91000 before it was applied": "code:91000",
    "91000 after it was applied": "code_after:91000",
    "502 with a page of HTML": "http:502",
    "404 with a page of HTML": "http:404",
    "connection reset before it was applied": "reset_before",
    "connection reset after it was applied": "reset",
    "half an answer": "half",
    "an answer that is no JSON": "garbage",
    "60007, too many calls": "code:60007",
    "60011, too many calls of the app": "code:60011",
    "70001 once, the signature has expired": "code:70001",
    "90045, the feature is off": "code:90045",
    "60026, the wrong host": "code:60026",
    "90001, the body is wrong": "code:90001",
    "70107, no such account": "code:70107",
    "a code that is in no table": "code:123456",
}
"""{row: kind of the emulator's fault}."""

BATCHES: Final = {
    "one user in three is unknown, and the app refuses all": Batch.REJECT,
    "one user in three is unknown, and the app names him": Batch.PARTIAL,
    "one user in three is unknown, and the app stops at him": Batch.PREFIX,
    "one user in three is unknown, and the app says nothing": Batch.IGNORE,
}
"""{row: how the app stands to the first open question}."""

OF_THREE: Final[dict[Command, Call]] = {
    Command.SET_ATTRIBUTES: lambda given: given.chat.set_attributes(
        {key: {"city": "Shenzhen"} for key in THREE}
    ),
    Command.REMOVE_ATTRIBUTES: lambda given: given.chat.remove_attributes({key: ["name-0"] for key in THREE}),
    Command.ADD_TAGS: lambda given: given.chat.add_tags({key: ["new"] for key in THREE}),
    Command.REMOVE_TAGS: lambda given: given.chat.remove_tags({key: ["vip"] for key in THREE}),
    Command.REMOVE_ALL_TAGS: lambda given: given.chat.remove_all_tags(THREE),
    Command.GET_TAGS: lambda given: given.chat.get_tags(THREE),
    Command.GET_ATTRIBUTES: lambda given: given.chat.get_attributes(THREE),
    Command.CHECK_ACCOUNTS: lambda given: given.chat.check_accounts(THREE),
    Command.DELETE_ACCOUNTS: lambda given: given.chat.delete_accounts(THREE),
}
"""Calls that name users, with one in the middle whom nobody has imported."""

ALWAYS_EXPIRED: Final = "70001 every time"
UNKNOWN_KEY: Final = "another key"
UNKNOWN_APP: Final = "another app"
NOBODY_LISTENS: Final = "nobody listens"


def commands(family: Family) -> list[Command]:
    """The calls of *family*; those of accounts belong to the first."""
    of_accounts = {
        Command.IMPORT_ACCOUNT,
        Command.IMPORT_ACCOUNTS,
        Command.CHECK_ACCOUNTS,
        Command.DELETE_ACCOUNTS,
    }
    if family is Family.TIMPUSH:
        return [command for command in Command if command not in of_accounts]
    return [command for command in Command if command is not Command.REVOKE]


def rows() -> list[str]:
    """All situations, the limits in the order in which they first appear."""
    limit_rows = dict.fromkeys(itertools.chain.from_iterable(limits_of(command) for command in Command))
    return [
        "a sound call",
        *limit_rows,
        *BATCHES,
        *FAULTS,
        ALWAYS_EXPIRED,
        UNKNOWN_KEY,
        UNKNOWN_APP,
        NOBODY_LISTENS,
    ]


async def cell(emulator: Emulator, number: int, family: Family, command: Command, row: str) -> str:
    """What the client does when *command* is in the situation *row*; with an app of its own."""
    call = limits_of(command).get(row)
    if call is None and row in set(itertools.chain.from_iterable(limits_of(each) for each in Command)):
        return NOT_APPLICABLE
    if row in BATCHES:
        call = OF_THREE.get(command)
        if call is None:
            return NOT_APPLICABLE
    emulator.apps.add(
        AppSettings(
            key=KEY,
            app_id=number,
            attribute_names=NAMES,
            imported=(ALICE, "carol"),
            seed=number,
            switches=Switches(accounts=Accounts.IMPORTED, batch=BATCHES.get(row, Batch.REJECT))
            if row in BATCHES
            else Switches(),
        )
    )
    given = Given(_client(emulator, number, family, row), emulator.app(number), family)
    async with given.chat, _client(emulator, number, family, "") as sound:
        await _prepare(sound, given, command)
        given.app.reset_counters()
        if row in FAULTS or row == ALWAYS_EXPIRED:
            kind = FAULTS.get(row, "code:70001")
            endpoint = _endpoint(family, command)
            given.app.set_faults(
                FaultSettings(fail_next=[FailNext(kind, endpoint, 9 if row == ALWAYS_EXPIRED else 1)])
            )
        told = await _told(given, command, call or SOUND[command])
        if call is None and command in APPLIED and row != NOBODY_LISTENS:
            told = _with_truth(told, applied=APPLIED[command](given))
        return told


def _with_truth(told: str, *, applied: bool) -> str:
    """*told*, after it was held against what the emulator has really done."""
    if applied and "nothing was applied" in told:
        raise AssertionError(f"the client says {told!r}, and it was applied")
    if not applied and told.startswith("confirmed"):
        raise AssertionError(f"the client says {told!r}, and nothing was applied")
    return told


async def _told(given: Given, command: Command, call: Call) -> str:
    try:
        found = await call(given)
    except BrokenLimit:
        assert given.writes_seen in (0, 1), "only reading the names comes before the check"
        return "BrokenLimit, not sent"
    except ChatApiError as error:
        after = "may have been applied" if error.ambiguous else "nothing was applied"
        if isinstance(error, Refused):
            after = "in part at most"
        return f"{type(error).__name__}, {after}"
    requests = given.writes_seen
    whole = {Command.SET_ATTRIBUTE_NAMES: 2}.get(command, 1)
    refused = getattr(found, "refused", found if isinstance(found, dict) else {})
    named = "; some refused by name" if refused and command not in _RETURN_DICTS else ""
    return ("confirmed" if requests <= whole else f"confirmed in {requests} requests") + named


_RETURN_DICTS: Final = {Command.SET_ATTRIBUTE_NAMES, Command.GET_ATTRIBUTE_NAMES}


async def _prepare(sound: ChatApi, given: Given, command: Command) -> None:
    await sound.add_tags({ALICE: ["vip"]})
    await sound.set_attributes({ALICE: {"city": "Beijing", "name-0": "x"}})
    if command is Command.REVOKE:
        given.task_id = await sound.push(a_push(to=Everybody()))


def _client(emulator: Emulator, app_id: int, family: Family, row: str) -> ChatApi:
    key = "not the app's key" if row == UNKNOWN_KEY else KEY
    number = app_id + 1_000_000 if row == UNKNOWN_APP else app_id
    return ChatApi(
        app_id=number,
        signature=Signature(number, "administrator", SecretStr(key), clock=time.time),
        hosts=Hosts.at("http://127.0.0.1:9" if row == NOBODY_LISTENS else emulator.url),
        family=family,
        request_timeout_seconds=TIMEOUT_SECONDS if row == TOO_LATE else 20.0,
        calls_per_second=10_000,
    )


def _endpoint(family: Family, command: Command) -> str:
    if command.value.startswith(("account", "multiaccount")):
        return command
    if family is Family.TIMPUSH:
        return f"timpush/{'clear_all_tags' if command is Command.REMOVE_ALL_TAGS else command}"
    return f"im_{command}"


def cells() -> Iterator[tuple[int, Family, Command, str]]:
    """All of them: a number of its own, family, call, situation."""
    number = 1_500_000_000
    for family in Family:
        for command in commands(family):
            for row in rows():
                number += 1
                yield number, family, command, row
