"""The probe against emulators that stand otherwise to the open points: what it finds is so, the rest stays open."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_type_hints

import msgspec
import pytest
from pydantic import SecretStr

from audience_sync.chat_api import ChatApi, Family, Hosts, Signature, read_profile
from audience_sync.chat_api.errors import NotAllowed
from audience_sync.chat_api.profile import UNKNOWN_ACCOUNT_CODES
from audience_sync.core import limits
from audience_sync.emulator import files
from audience_sync.emulator.faults import FaultSettings
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.settings import Settings
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Names, Switches
from audience_sync.probe.bodies import OWN
from audience_sync.probe.calling import Caller
from audience_sync.probe.ground import UnfitError
from audience_sync.probe.inquiry import Found, inquire
from audience_sync.probe.plan import plan_for
from audience_sync.probe.question import Given, Permissions
from audience_sync.probe.report import document_of, write_profile
from audience_sync.probe.switches import ASKED, NOT_ASKED

KEY: Final = "a key for tests"
BARE: Final = tuple(f"throw-away-{number}" for number in range(11))
CARRIER: Final = "throw-away-with-a-past"
DOOMED: Final = "throw-away-doomed"
NOBODY: Final = "nobody-at-all"

PUSH_SECONDS: Final = 1.1
"""The one pause that has to be real: by the emulator's clock, pushes are more than a second apart."""

PAST: Final = {CARRIER: UserState({"city": "Shenzhen", "level": "gold"}, ["vip", "early"])}


class App(msgspec.Struct, frozen=True, kw_only=True):
    """How one app stands to the open points, and which of them it shows to nobody who asks."""

    switches: Switches
    shows_not: frozenset[str]
    feature_on: bool = True


def app(*, shows_not: str, feature_on: bool = True, **switches: object) -> App:
    changed = msgspec.convert({**msgspec.to_builtins(Switches()), **switches}, Switches)
    return App(switches=changed, shows_not=frozenset(shows_not.split()), feature_on=feature_on)


APPS: Final[Mapping[str, App]] = MappingProxyType(
    {
        "as an emulator is by itself": app(
            shows_not="unknown_account_code repeat_window_seconds combined feature_off",
        ),
        "as the successor is documented": app(
            accounts="imported",
            batch="partial",
            unknown_read="omit",
            structure="general",
            values="any",
            removal="object_too",
            unset="refused",
            names="overwrite",
            renamed="dropped",
            overfull="oldest_leaves",
            most_tags_per_removal=10,
            most_tags_of_the_app=1000,
            twice="refused",
            combined="refused",
            stores="separate",
            deleted="kept",
            repeated="refused",
            not_admin_code=90009,
            shows_not="unknown_account_code overfull_code repeat_window_seconds feature_off",
        ),
        "as far as the first bad user": app(
            accounts="imported",
            batch="prefix",
            unknown_account_code=70107,
            unknown_read="refuse",
            overfull="dropped",
            most_tags_per_removal=37,
            most_tags_of_the_app=123,
            repeat_window_seconds=1.0,
            shows_not="overfull_code repeated combined feature_off",
        ),
        "silent about everything": app(
            accounts="imported",
            batch="ignore",
            unset="refused",
            most_tags_per_removal=3,
            shows_not="unknown_account_code overfull_code repeat_window_seconds combined feature_off",
        ),
        "strict": app(
            accounts="imported",
            unknown_account_code=90012,
            unset="refused",
            overfull_code=90032,
            names="overwrite",
            twice="refused",
            combined="refused",
            repeated="refused",
            shows_not="repeat_window_seconds feature_off",
        ),
        "lenient": app(
            batch="partial",
            values="any",
            removal="object_too",
            renamed="dropped",
            stores="separate",
            deleted="kept",
            repeat_window_seconds=1.0,
            shows_not="unknown_account_code repeated combined feature_off",
        ),
        "without pushes": app(
            batch="prefix",
            structure="general",
            most_tags_per_removal=99,
            feature_off="push",
            feature_on=False,
            shows_not="unknown_account_code repeated repeat_window_seconds combined",
        ),
        "switched off": app(
            feature_off="all",
            feature_on=False,
            shows_not=" ".join(ASKED.keys() - {"feature_off"}),
        ),
    }
)


UNSEEN: Final[Mapping[str, set[str]]] = {"combined": {"and", "or"}}
"""What only those who receive pushes can see."""


def expected(standing: App) -> dict[str, object]:
    """What is to be found out about an app."""
    switches: dict[str, object] = msgspec.to_builtins(standing.switches)
    return {name: value for name, value in switches.items() if name in ASKED.keys() - standing.shows_not}


def client(
    emulator: Emulator, admin: str = "administrator", family: Family = Family.ALL_MEMBER_PUSH
) -> ChatApi:
    app_id = emulator.settings.app_id
    return ChatApi(
        app_id=app_id,
        signature=Signature(app_id, admin, SecretStr(KEY), life_seconds=86_400, clock=time.time),
        hosts=Hosts.at(emulator.url),
        family=family,
    )


EVERYTHING: Final = Permissions(push=True, fill=True, delete=DOOMED, other="nobody")
NOTHING: Final = Permissions()


async def found_at(
    emulator: Emulator,
    *,
    family: Family = Family.ALL_MEMBER_PUSH,
    permissions: Permissions = EVERYTHING,
    accounts: tuple[str, ...] = (CARRIER, *BARE),
    they_may_carry: bool = True,
    admin: str = "administrator",
    progress: Callable[[str], None] = lambda _: None,
) -> Found:
    """What a probe finds, with no more calls than it said."""
    async with client(emulator, admin, family) as chat, client(emulator, "nobody") as other:
        caller = Caller(
            chat,
            calls_per_second=10_000,
            push_seconds=PUSH_SECONDS,
            now=time.monotonic,
            sleep=lambda seconds: asyncio.sleep(
                seconds if seconds <= PUSH_SECONDS and permissions.push else 0
            ),
        )
        given = Given(
            accounts=accounts,
            unknown=NOBODY,
            family=family,
            permissions=permissions,
            other_chat=other,
            random=4_000_000_000,
        )
        found = await inquire(caller, given, they_may_carry=they_may_carry, progress=progress)
        assert caller.calls <= plan_for(given).most_calls
        return found


@asynccontextmanager
async def app_with(
    switches: Switches, *, feature_on: bool = True, names: tuple[str, ...] = ("city", "level")
) -> AsyncIterator[Emulator]:
    """A new emulator with accounts, one of which carries something."""
    settings = Settings(
        key=KEY,
        imported=(CARRIER, *BARE, DOOMED),
        attribute_names=names,
        switches=switches,
        calls_per_second=10_000,
    )
    async with serve(settings) as emulator:
        async with client(emulator) as chat:
            await chat.set_attributes({CARRIER: PAST[CARRIER].attributes})
            await chat.add_tags({CARRIER: PAST[CARRIER].tags})
        emulator.feature(feature_on)
        yield emulator


async def asked_of(switches: Switches, *, feature_on: bool) -> tuple[Found, Emulator]:
    """What a probe finds at a new emulator, and that emulator afterwards."""
    async with app_with(switches, feature_on=feature_on) as emulator:
        return await found_at(emulator), emulator


async def all_asked(stand: Mapping[str, tuple[Switches, bool]]) -> dict[str, tuple[Found, Emulator]]:
    """All at once: most of the time is pauses between pushes."""
    asked = [asked_of(switches, feature_on=is_on) for switches, is_on in stand.values()]
    return dict(zip(stand, await asyncio.gather(*asked), strict=True))


def assert_as_it_was(name: str, found: Found, emulator: Emulator) -> None:
    """Accounts and names are as before, but for what nobody can put back; and that is told."""
    switches = APPS[name].switches
    told = " ".join(found.remains)
    state = emulator.state()
    comes_into_being = NOBODY in state
    assert state == {**PAST, **{user: UserState() for user in state if user != CARRIER}}, name
    assert state.keys() - {NOBODY, DOOMED} == {CARRIER, *BARE}, name
    assert ("nobody-at-all exists now" in told) is comes_into_being, name
    assert (f"{DOOMED} is deleted" in told) is (DOOMED not in state), name
    left = {slot: each for slot, each in emulator.attribute_names().items() if each.startswith(OWN)}
    assert emulator.attribute_names() == {"0": "city", "1": "level", **left}, name
    assert bool(left) is (switches.names == "merge" and found.stopped is None), name
    assert all(f"slot {slot} of the attribute names is called {each}" in told for slot, each in left.items())


def assert_read_by_the_client(name: str, path: Path) -> None:
    """The client goes by what was found, and by nothing else."""
    found, profile = expected(APPS[name]), read_profile(path)
    codes = {found["unknown_account_code"]} if "unknown_account_code" in found else set()
    most = found.get("most_tags_per_removal", limits.TAGS_PER_USER_AND_REQUEST)
    assert profile.batch == found.get("batch")
    assert profile.combined == found.get("combined")
    assert set(profile.unknown_account_codes) == UNKNOWN_ACCOUNT_CODES | codes
    assert profile.most_tags_per_removal == (limits.TAGS_PER_USER if most is None else most)
    assert profile.repeat_window_seconds == found.get("repeat_window_seconds")


async def test_what_is_found_is_so_and_all_else_stays_open(tmp_path: Path) -> None:
    """A wrong entry in a profile would be believed. An emulator made from a profile behaves as the app."""
    apps = {name: (standing.switches, standing.feature_on) for name, standing in APPS.items()}
    first = await all_asked(apps)
    assert {name: found.switches for name, (found, _) in first.items()} == {
        name: expected(standing) for name, standing in APPS.items()
    }
    profiles = {}
    for name, (found, emulator) in first.items():
        assert found.open.keys() == APPS[name].shows_not | NOT_ASKED.keys()
        assert all(found.open.values())
        assert_as_it_was(name, found, emulator)
        profiles[name] = tmp_path / f"{name}.json"
        document = document_of(found, app_id=1_400_000_000, family=Family.ALL_MEMBER_PUSH, asked_at=0.0)
        write_profile(document, profiles[name])
        assert_read_by_the_client(name, profiles[name])

    made = {name: files.read_profile(path, Switches()) for name, path in profiles.items()}
    again = await all_asked({name: (switches, APPS[name].feature_on) for name, switches in made.items()})
    assert {name: found.switches for name, (found, _) in again.items()} == {
        name: found.switches for name, (found, _) in first.items()
    }


def test_each_answer_is_found_once() -> None:
    """Otherwise a question that knows only one answer would pass."""
    found: dict[str, set[object]] = {name: set() for name in ASKED}
    for standing in APPS.values():
        for name, value in expected(standing).items():
            found[name].add(value)
    for name, kind in get_type_hints(Switches).items():
        if name in ASKED and isinstance(kind, type) and issubclass(kind, StrEnum):
            assert found[name] == set(kind) - UNSEEN.get(name, set()), name
    for name in ("unknown_account_code", "overfull_code", "not_admin_code", "most_tags_per_removal"):
        assert len(found[name]) > 1, name
    assert found["most_tags_of_the_app"] >= {None, 123, 1000}
    assert found["repeat_window_seconds"] == {1.0}, "seven days take longer than a test"


def test_the_probe_knows_every_switch() -> None:
    """With the emulator's words; what it never asks, it says why."""
    assert set(Switches.__struct_fields__) <= ASKED.keys() | NOT_ASKED.keys()
    assert set(Switches.__struct_fields__) >= ASKED.keys()


def writes(emulator: Emulator) -> set[str]:
    """The writing calls that were made since the last count from 0."""
    return {name for name in emulator.counters.calls if "get" not in name and name != "account_check"}


async def test_the_successor_is_asked_in_its_own_words() -> None:
    """What is a matter of the other family alone is left open."""
    switches = app(shows_not="", names="overwrite", twice="refused", unset="refused").switches
    async with app_with(switches) as emulator:
        found = await found_at(emulator, family=Family.TIMPUSH, permissions=Permissions(push=True))
    of_the_other = {"batch", "unknown_read", "most_tags_of_the_app"}
    unseen = {"unknown_account_code", "repeat_window_seconds", "combined", "feature_off"}
    unasked = {"deleted", "not_admin_code"}
    assert found.open.keys() == of_the_other | unseen | unasked | NOT_ASKED.keys()
    told = msgspec.to_builtins(switches)
    assert found.switches == {name: told[name] for name in ASKED.keys() - found.open.keys()}


async def test_an_app_without_free_slots_is_asked_with_its_own_names() -> None:
    """Only what needs slots stays open, and no name is touched."""
    names = ("city", "level", *(f"name{number}" for number in range(8)))
    async with app_with(Switches(), names=names) as emulator:
        before = emulator.attribute_names()
        emulator.reset_counters()
        found = await found_at(emulator, permissions=NOTHING)
        assert emulator.attribute_names() == before
        assert "im_set_attr_name" not in emulator.counters.calls
    assert {"values", "removal", "unset"} <= found.switches.keys()
    assert {"names", "renamed"} <= found.open.keys()
    assert emulator.user(CARRIER) == PAST[CARRIER]


async def test_accounts_that_carry_something_are_left_alone() -> None:
    """Unless it is said that they may; and the message names them."""
    async with app_with(Switches()) as emulator:
        emulator.reset_counters()
        with pytest.raises(UnfitError, match=f"{CARRIER}: tags vip, early; city = 'Shenzhen'"):
            await found_at(emulator, they_may_carry=False)
        assert not writes(emulator)


@pytest.mark.parametrize("accounts", [("throw-away-0", "never-imported"), ("throw-away-0", DOOMED, "a", "b")])
async def test_accounts_that_do_not_exist_are_named(accounts: tuple[str, ...]) -> None:
    """A write would make them, perhaps for good."""
    async with app_with(Switches()) as emulator:
        emulator.reset_counters()
        with pytest.raises(UnfitError, match="do not exist"):
            await found_at(emulator, accounts=accounts, permissions=NOTHING)
        assert not writes(emulator)


async def test_an_unknown_account_that_exists_is_refused() -> None:
    """Its owner would find tags on it."""
    async with app_with(Switches()) as emulator:
        emulator.import_accounts(NOBODY)
        with pytest.raises(UnfitError, match="--unknown-account"):
            await found_at(emulator)


async def test_what_an_earlier_run_has_left_is_removed() -> None:
    """It was killed: the accounts carry its tags, and a slot has its name."""
    async with app_with(Switches(names=Names.OVERWRITE)) as emulator:
        async with client(emulator) as chat:
            await chat.set_attribute_names({2: "asprobe3"})
            await chat.set_attributes({BARE[0]: {"asprobe3": "1"}})
            await chat.add_tags({BARE[0]: ["asprobe0001"], CARRIER: ["asprobe0002"]})
        found = await found_at(emulator, permissions=NOTHING)
        assert found.remains == ["account nobody-at-all exists now: a write made it, a deletion would end it"]
        assert emulator.attribute_names() == {"0": "city", "1": "level"}
        assert emulator.user(BARE[0]) == UserState()
        assert emulator.user(CARRIER) == PAST[CARRIER]


async def test_a_wrong_signature_ends_the_asking_at_once() -> None:
    """Asked again and again, it would block the administrator."""
    async with app_with(Switches()) as emulator:
        emulator.reset_counters()
        found = await found_at(emulator, admin="nobody")
        assert dict(emulator.counters.calls) == {"account_check": 1}
    assert isinstance(found.cause, NotAllowed)
    assert found.cause.code == 60010
    assert not found.switches
    assert found.open.keys() == ASKED.keys() | NOT_ASKED.keys()


async def asked_while_shaky(seed: int, switches: Switches) -> Found:
    """What a probe finds while calls fail before and after they are applied."""
    chance = {"code:91000": 0.06, "code_after:91000": 0.06, "reset": 0.03, "http:502": 0.03}
    async with app_with(switches) as emulator:
        emulator.set_faults(FaultSettings(chance=chance, seed=seed))
        found = await found_at(emulator, permissions=Permissions(delete=DOOMED))
        left = {user: emulator.user(user) for user in (CARRIER, *BARE)}
        if left != {**PAST, **dict.fromkeys(BARE, UserState())}:
            assert any("carries" in remark or "could not" in remark for remark in found.remains), (
                found.remains
            )
        return found


async def test_a_shaky_app_gets_no_wrong_entry() -> None:
    """A question that gets no answer is left open rather than guessed; what can't be put back is told."""
    switches = app(shows_not="", accounts="imported", batch="prefix", unset="refused").switches
    told = msgspec.to_builtins(switches)
    found = await asyncio.gather(*(asked_while_shaky(seed, switches) for seed in range(12)))
    for each in found:
        assert each.switches == {name: told[name] for name in each.switches}
    assert sum(len(each.switches) for each in found) > 12 * len(ASKED) / 4, "most is found all the same"


async def test_who_interrupts_a_probe_finds_everything_put_back() -> None:
    """Ctrl-C in the middle of a hundred tags."""
    async with app_with(Switches()) as emulator:
        seen: list[str] = []
        asking = asyncio.create_task(found_at(emulator, permissions=NOTHING, progress=seen.append))
        while "more tags than fit" not in seen or len(emulator.user(BARE[0]).tags) < 30:  # noqa: ASYNC110 - the
            await asyncio.sleep(0)  # emulator tells nobody what is written
        asking.cancel()
        found = await asking
    assert found.stopped == "interrupted"
    assert "accounts" in found.switches
    assert found.open["overfull"] == "not asked: interrupted"
    assert {user: emulator.user(user) for user in (CARRIER, *BARE)} == {
        **PAST,
        **dict.fromkeys(BARE, UserState()),
    }
