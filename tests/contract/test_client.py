"""The client against the emulator: two readings of one documentation, made apart, have to agree."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.errors import (
    NO_ANSWER,
    ChatApiError,
    NotAllowed,
    NotReached,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
)
from audience_sync.chat_api.hosts import Hosts
from audience_sync.chat_api.signature import Signature
from audience_sync.core import limits
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Accounts, Switches
from tests.support.emulator import SETTINGS

ALICE, BOB = UserId("alice"), UserId("bob")
TAGGED = Request(Endpoint.ADD_TAGS, {ALICE: ["vip"], BOB: ["vip"]})


def signed(
    *, admin: str = SETTINGS.admin, key: str = SETTINGS.key, clock: Callable[[], float] = time.time
) -> Signature:
    return Signature(SETTINGS.app_id, admin, SecretStr(key), life_seconds=86400, clock=clock)


def client_of(
    emulator: Emulator,
    *,
    app_id: int = SETTINGS.app_id,
    signature: Signature | None = None,
    request_timeout_seconds: float = 5.0,
) -> ChatApi:
    return ChatApi(
        hosts=Hosts.at(emulator.url),
        app_id=app_id,
        signature=signature or signed(),
        request_timeout_seconds=request_timeout_seconds,
        connections=8,
        random=random.Random(7),
    )


@pytest.fixture
async def client(chat_api: Emulator) -> AsyncIterator[ChatApi]:
    """A client that the emulator lets in."""
    async with client_of(chat_api) as client:
        yield client


async def end_of(client: ChatApi, request: Request = TAGGED) -> ChatApiError:
    with pytest.raises(ChatApiError) as caught:
        await client.send(request)
    return caught.value


async def test_the_five_calls_do_what_they_say(chat_api: Emulator, client: ChatApi) -> None:
    await client.add_tags({ALICE: ["a", "b", "c"], BOB: ["b"]})
    await client.set_attributes({ALICE: {"membership": "gold", "city": "深圳"}, BOB: {"city": "Beijing"}})
    assert chat_api.state() == {
        "alice": UserState({"membership": "gold", "city": "深圳"}, ["a", "b", "c"]),
        "bob": UserState({"city": "Beijing"}, ["b"]),
    }

    await client.remove_tags({ALICE: ["a", "never there"]})
    await client.remove_attributes({ALICE: ["city"], BOB: ["membership"]})
    await client.remove_all_tags([BOB])
    assert chat_api.state() == {
        "alice": UserState({"membership": "gold"}, ["b", "c"]),
        "bob": UserState({"city": "Beijing"}, []),
    }


async def test_setting_an_attribute_leaves_the_others(chat_api: Emulator, client: ChatApi) -> None:
    await client.set_attributes({ALICE: {"membership": "gold", "city": "Beijing"}})
    await client.set_attributes({ALICE: {"city": "Shenzhen"}})

    assert chat_api.user(ALICE).attributes == {"membership": "gold", "city": "Shenzhen"}


@pytest.mark.parametrize("letter", ["x", "股"])
async def test_the_largest_request_is_taken(chat_api: Emulator, client: ChatApi, letter: str) -> None:
    """100 users of 32 bytes with 10 tags of 50 bytes: our limits and the emulator's are read apart."""

    def text(number: int, size: int) -> str:
        start = f"{number:03}"
        room = (size - len(start)) // len(letter.encode())
        return (start + letter * room).ljust(size - room * (len(letter.encode()) - 1), "-")

    users = [UserId(text(number, limits.USER_ID_BYTES)) for number in range(limits.USERS_PER_REQUEST)]
    tags = [text(number, limits.TAG_BYTES) for number in range(limits.TAGS_PER_USER_AND_REQUEST)]
    value = text(0, limits.ATTRIBUTE_VALUE_BYTES)
    names = ["membership", "city"]
    values = dict.fromkeys(names, value)
    assert {len(text.encode()) for text in users} == {32}
    assert {len(text.encode()) for text in [*tags, value]} == {50}

    assert await client.add_tags(dict.fromkeys(users, tags)) == {}
    assert await client.set_attributes(dict.fromkeys(users, values)) == {}
    assert chat_api.state() == dict.fromkeys(users, UserState(values, tags))

    assert await client.remove_tags(dict.fromkeys(users, tags)) == {}
    assert await client.remove_attributes(dict.fromkeys(users, names)) == {}
    assert await client.remove_all_tags(users) == {}
    assert chat_api.state() == dict.fromkeys(users, UserState())


async def test_many_calls_at_once_go_over_few_connections(chat_api: Emulator, client: ChatApi) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(80):
            group.create_task(client.add_tags({UserId(f"user-{number}"): ["vip"]}))

    assert chat_api.state() == {f"user-{number}": UserState({}, ["vip"]) for number in range(80)}


@pytest.mark.parametrize(
    ("kind", "expected", "code", "ambiguous", "is_applied"),
    [
        ("code:91000", TryAgain, 91000, True, False),
        ("code_after:91000", TryAgain, 91000, True, True),
        ("code_after:60008", TryAgain, 60008, True, True),
        ("code:60007", SlowDown, 60007, False, False),
        ("code:90001", Refused, 90001, False, False),
        ("code:99999", Refused, 99999, False, False),
        ("code:90045", NotAllowed, 90045, False, False),
        ("code:60020", NotAllowed, 60020, False, False),
        ("http:502", TryAgain, 502, True, False),
        ("http:408", TryAgain, 408, True, False),
        ("http:429", SlowDown, 429, False, False),
        ("http:403", NotAllowed, 403, False, False),
        ("reset", TryAgain, NO_ANSWER, True, True),
    ],
)
async def test_each_fault_becomes_its_class(
    chat_api: Emulator,
    client: ChatApi,
    kind: str,
    expected: type[ChatApiError],
    code: int,
    ambiguous: bool,
    is_applied: bool,
) -> None:
    """Where something may have been applied, the class says so; a repeat puts it right either way."""
    chat_api.fail_next(kind)

    error = await end_of(client)

    assert (type(error), error.code, error.ambiguous) == (expected, code, ambiguous)
    assert (chat_api.state() != {}) is is_applied
    assert await client.send(TAGGED) == {}
    assert chat_api.state() == {"alice": UserState({}, ["vip"]), "bob": UserState({}, ["vip"])}


async def test_a_late_answer_is_ambiguous(chat_api: Emulator) -> None:
    """The request was applied, and its caller had stopped waiting."""
    chat_api.fail_next("stall:60")
    async with client_of(chat_api, request_timeout_seconds=1.0) as client:
        error = await end_of(client)

    assert (type(error), error.ambiguous) == (TryAgain, True)
    assert chat_api.user(ALICE).tags == ["vip"]


async def test_an_emulator_that_is_gone_is_definite() -> None:
    async with serve(SETTINGS) as emulator:
        pass
    async with client_of(emulator) as client:
        assert type(await end_of(client)) is NotReached


@pytest.mark.parametrize("count", [1, 2])
async def test_an_expired_signature_is_renewed_once(chat_api: Emulator, client: ChatApi, count: int) -> None:
    chat_api.fail_next("code:70001", count=count)

    if count == 1:
        assert await client.send(TAGGED) == {}
    else:
        assert type(await end_of(client)) is RenewSignature
    assert chat_api.counters.calls["im_add_tag"] == 2


async def test_a_clock_that_was_wrong_is_outlived(chat_api: Emulator) -> None:
    """The signature was made two days ago by our clock, which is right again when it is renewed."""
    readings: Iterator[float] = iter([time.time() - 2 * 86400, time.time() - 2 * 86400])
    signature = signed(clock=lambda: next(readings, time.time()))
    async with client_of(chat_api, signature=signature) as client:
        assert await client.send(TAGGED) == {}

    assert chat_api.counters.refused == {70001: 1}


async def test_a_clock_that_stays_wrong_needs_a_person(chat_api: Emulator) -> None:
    wrong = time.time() - 2 * 86400
    async with client_of(chat_api, signature=signed(clock=lambda: wrong)) as client:
        assert type(await end_of(client)) is RenewSignature


async def test_a_wrong_key_is_not_allowed(chat_api: Emulator) -> None:
    async with client_of(chat_api, signature=signed(key="another key")) as client:
        error = await end_of(client)

    assert (type(error), error.code) == (NotAllowed, 70009)


async def test_a_wrong_app_is_not_allowed(chat_api: Emulator) -> None:
    async with client_of(chat_api, app_id=SETTINGS.app_id + 1) as client:
        assert type(await end_of(client)) is NotAllowed


async def test_a_wrong_administrator_is_not_allowed(chat_api: Emulator) -> None:
    """One whose name has to be escaped in an address, with a signature that is right for him."""
    async with client_of(chat_api, signature=signed(admin="some one&identifier=administrator")) as client:
        assert type(await end_of(client)) is NotAllowed

    assert chat_api.state() == {}


async def test_a_user_who_does_not_exist_is_refused_with_the_whole_request() -> None:
    settings = replace(SETTINGS, switches=Switches(accounts=Accounts.IMPORTED), imported=("alice",))
    async with serve(settings) as emulator, client_of(emulator) as client:
        error = await end_of(client)

        assert (type(error), error.code) == (Refused, 90048)
        assert emulator.user(ALICE) == UserState()


async def test_an_attribute_that_is_not_defined_is_refused(chat_api: Emulator, client: ChatApi) -> None:
    error = await end_of(client, Request(Endpoint.SET_ATTRIBUTES, {ALICE: {"unheard of": "x"}}))

    assert (type(error), error.code) == (Refused, 90033)
    assert chat_api.state() == {}
