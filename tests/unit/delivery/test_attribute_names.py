"""Before anything is read: names are checked or added, and an API that is away is waited for."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.chat_api.errors import BrokenLimit, ChatApiError, NotAllowed, Refused, TryAgain
from audience_sync.core.attribute_slots import NamesDoNotFitError
from audience_sync.delivery.attribute_names import MOST_DEFINITIONS, AttributeNames


class App:
    """An app's names as the API keeps them: merged, slot by slot, each name once. Calls take turns as told."""

    def __init__(self, names: Mapping[int, str] = {}, *, turns: Iterator[int] | None = None) -> None:
        self.names = dict(names)
        self.failures: list[ChatApiError] = []
        self.definitions = 0
        self.forgets = False
        self._turns = turns or cycle([0])

    async def get_attribute_names(self) -> dict[int, str]:
        """{slot: name}, or the next failure."""
        await self._on_the_way()
        if self.failures:
            raise self.failures.pop(0)
        return dict(self.names)

    async def set_attribute_names(self, names: Mapping[int, str], /) -> dict[int, str]:
        """As the client does: read, merge, send; nothing else happens in between only by luck."""
        merged = await self.get_attribute_names() | dict(names)
        if len(set(merged.values())) < len(merged):
            raise BrokenLimit(f"a name stands twice: {merged}")
        await self._on_the_way()
        stored = self.names | merged
        if len(set(stored.values())) < len(stored):
            raise Refused("set_attr_name", 90033, "already exists")
        self.definitions += 1
        if not self.forgets:
            self.names = stored
        return merged

    async def _on_the_way(self) -> None:
        for _ in range(next(self._turns)):
            await asyncio.sleep(0)


class Witness:
    """What an operator sees."""

    def __init__(self) -> None:
        self.added: list[dict[int, str]] = []
        self.failures: list[bool] = []
        self.waits_for: list[str | None] = []
        self.slept: list[float] = []

    def attribute_names_unknown(self, reason: str, *, by_itself: bool) -> None:  # noqa: ARG002 - the protocol's
        """Keep it."""
        self.failures.append(by_itself)

    def attribute_names_added(self, names: Mapping[int, str]) -> None:
        """Keep them."""
        self.added.append(dict(names))

    async def sleep(self, seconds: float) -> None:
        """Others get their turns."""
        self.slept.append(seconds)
        for _ in range(20):  # longer than any call is under way
            await asyncio.sleep(0)


def names_of(app: App, witness: Witness, *, may_add: bool = True) -> AttributeNames:
    return AttributeNames(
        app,
        may_add=may_add,
        watch=witness,
        waiting=witness.waits_for.append,
        sleep=witness.sleep,
        chance=lambda: 1.0,
    )


async def test_names_that_are_there_cost_one_call_and_no_wait() -> None:
    """An app is set up once, and started many times."""
    app, witness = App({0: "city"}), Witness()
    await names_of(app, witness, may_add=False).see_to(["city"])

    assert (app.definitions, witness.slept, witness.added) == (0, [], [])


async def test_missing_names_are_added_and_read_again_after_a_while() -> None:
    """A definition of somebody else that was under way could take them away again."""
    app, witness = App({0: "sex"}), Witness()
    await names_of(app, witness).see_to(["tier", "city"])

    assert app.names == {0: "sex", 1: "city", 2: "tier"}
    assert witness.added == [{1: "city", 2: "tier"}]
    assert witness.slept == [3.0]


async def test_without_leave_to_add_the_error_holds_the_command_that_does() -> None:
    """Slots are scarce and shared, so a person decides."""
    app, witness = App({0: "sex"}), Witness()
    with pytest.raises(NamesDoNotFitError) as caught:
        await names_of(app, witness, may_add=False).see_to(["tier", "city"])

    assert "audience-sync chat set-attribute-names 1=city 2=tier" in str(caught.value)
    assert "AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES=add" in str(caught.value)
    assert app.names == {0: "sex"}


async def test_an_api_that_is_away_is_waited_for_ever_longer_and_the_reason_told() -> None:
    """A restart would not bring it back; and one who has to act must learn of it."""
    app, witness = App({0: "city"}), Witness()
    away, closed = (
        TryAgain("get_attr_name", 91000, "away"),
        NotAllowed("get_attr_name", 90045, "not switched on"),
    )
    app.failures = [away, away, closed, away]
    await names_of(app, witness, may_add=False).see_to(["city"])

    assert witness.slept == [0.5, 1.0, 2.0, 4.0]
    assert witness.failures == [True, True, False, True]
    assert "90045: not switched on" in (witness.waits_for[2] or "")
    assert witness.waits_for[-1] is None


async def test_an_api_that_does_not_answer_a_definition_is_asked_again() -> None:
    """It may have been applied, so the names are read before anything is defined once more."""
    app, witness = App(), Witness()
    names = names_of(app, witness)
    fine = app.get_attribute_names

    async def fails_in_the_definition() -> dict[int, str]:
        app.get_attribute_names = fine  # type: ignore[method-assign]  # the second call of the two is the one that fails
        app.failures = [TryAgain("set_attr_name", 91000, "away")]
        return {}

    app.get_attribute_names = fails_in_the_definition  # type: ignore[method-assign]  # as above
    await names.see_to(["city"])

    assert app.names == {0: "city"}
    assert witness.slept == [0.5, 3.0]


async def test_names_that_do_not_stay_end_the_start() -> None:
    """Somebody else takes them away: going on for ever would be a fight that nobody sees."""
    app, witness = App(), Witness()
    app.forgets = True
    with pytest.raises(NamesDoNotFitError, match=r"0=city .* gone each time"):
        await names_of(app, witness).see_to(["city"])
    assert app.definitions == MOST_DEFINITIONS


async def test_a_definition_that_is_refused_for_good_ends_the_start_with_the_words_of_the_api() -> None:
    """Such as a type of attribute that a slot can't have."""
    app, witness = App(), Witness()

    async def refuses(names: Mapping[int, str], /) -> dict[int, str]:  # noqa: ARG001 - the protocol's
        raise Refused("set_attr_name", 90033, "attrType of index:0 cannot be changed")

    app.set_attribute_names = refuses  # type: ignore[method-assign]  # an app that takes no names
    with pytest.raises(NamesDoNotFitError, match="attrType of index:0"):
        await names_of(app, witness).see_to(["city"])


NAMES: Final = st.lists(st.sampled_from(["age", "city", "level", "sex", "tier"]), unique=True)


@given(
    defined=st.dictionaries(st.integers(0, 3), st.sampled_from(["old", "older"]), max_size=1),
    needs=st.lists(NAMES, min_size=1, max_size=2),
    turns=st.lists(st.integers(0, 3), min_size=1),
)
def test_replicas_that_start_together_all_find_their_names(
    defined: dict[int, str], needs: list[list[str]], turns: list[int]
) -> None:
    """Also when a rollout brings other rules: nobody's name is lost, doubled or moved in the end."""
    app = App(defined, turns=cycle(turns))

    async def start() -> None:
        async with asyncio.TaskGroup() as replicas:
            for needed in (needs[0], *needs):
                replicas.create_task(names_of(app, Witness()).see_to(needed))

    asyncio.run(start())
    assert set(app.names.values()) == set(defined.values()).union(*needs)
    assert defined.items() <= app.names.items()
