"""The start's look at attribute names, by the client against the emulator."""

import time
from collections.abc import Mapping
from random import Random
from typing import Final

import pytest
from pydantic import SecretStr

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.hosts import Hosts
from audience_sync.chat_api.signature import Signature
from audience_sync.chat_api.wire import Family
from audience_sync.core.attribute_slots import NamesDoNotFitError
from audience_sync.delivery.attribute_names import AttributeNames
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.settings import Settings
from audience_sync.emulator.switches import Names, Switches

TEN: Final = tuple(f"name-{number}" for number in range(10))


class Start:
    """A start of the service, as far as names go; what it waits for and tells is kept."""

    def __init__(self, emulator: Emulator, family: Family) -> None:
        settings = emulator.settings
        key = SecretStr(settings.key)
        signature = Signature(settings.app_id, settings.admin, key, life_seconds=86400, clock=time.time)
        self.chat = ChatApi(
            app_id=settings.app_id,
            signature=signature,
            hosts=Hosts.at(emulator.url),
            family=family,
            random=Random(7),
        )
        self.told: list[str] = []
        self.slept: list[float] = []

    async def see_to(self, *needed: str) -> dict[int, str]:
        """The app's names after it."""
        async with self.chat:
            names = AttributeNames(
                self.chat,
                may_add=True,
                watch=self,
                waiting=lambda _: None,
                sleep=self._sleep,
                chance=lambda: 0.5,
            )
            await names.see_to(needed)
            return await self.chat.get_attribute_names()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def attribute_names_unknown(self, reason: str, *, by_itself: bool) -> None:  # noqa: ARG002 - the protocol's
        """Keep the reason."""
        self.told.append(reason)

    def attribute_names_added(self, names: Mapping[int, str]) -> None:
        """Keep them."""
        self.told.append(f"added {dict(names)}")


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("names", Names)
async def test_missing_names_are_added_and_others_keep_their_slots(family: Family, names: Names) -> None:
    """Right whether a definition is merged with what is there or replaces it: nobody says which."""
    settings = Settings(key="k", attribute_names=("sex", "city"), switches=Switches(names=names))
    async with serve(settings) as emulator:
        start = Start(emulator, family)
        assert await start.see_to("tier", "city") == {0: "sex", 1: "city", 2: "tier"}
        assert start.told == ["added {2: 'tier'}"]
        assert emulator.broken_limits == []


async def test_an_app_whose_slots_are_taken_is_left_as_it_is() -> None:
    """The message names the slots that the rules do not use."""
    async with serve(Settings(key="k", attribute_names=TEN)) as emulator:
        with pytest.raises(NamesDoNotFitError, match=r"0 are free.*5=name-5"):
            await Start(emulator, Family.ALL_MEMBER_PUSH).see_to("city")
        after = Start(emulator, Family.ALL_MEMBER_PUSH)
        assert await after.see_to(*TEN) == dict(enumerate(TEN))


async def test_a_feature_that_is_off_is_waited_for() -> None:
    """Somebody switches it on in the console; the start goes on by itself."""
    async with serve(Settings(key="k", attribute_names=("city",))) as emulator:
        emulator.set_faults(
            FaultSettings(fail_next=[FailNext(endpoint="im_get_attr_name", kind="code:90045", count=3)])
        )
        start = Start(emulator, Family.ALL_MEMBER_PUSH)
        assert await start.see_to("city") == {0: "city"}
        assert len(start.told) == len(start.slept) == 3
        assert "90045" in start.told[0]
