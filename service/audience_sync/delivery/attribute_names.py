"""Before anything is read: the app has the attribute names that the rules write, or gets them."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

from audience_sync.chat_api.errors import BrokenLimit, ChatApiError, NotAllowed, Refused
from audience_sync.core.attribute_slots import NamesDoNotFitError, to_be_added, told
from audience_sync.core.backoff import backoff_seconds
from audience_sync.core.verdicts import SETTLING_SECONDS

MOST_DEFINITIONS: Final = 5
"""So often names are defined; if they are not there by then, somebody takes them away again. Ours: replicas that
start together choose the same slots, so one definition is enough, and two where another deployment starts as well."""


class NamesOfApp(Protocol):
    """What reads and defines the names: the client."""

    async def get_attribute_names(self) -> dict[int, str]:
        """{slot: name} as the app has them."""

    async def set_attribute_names(self, names: Mapping[int, str], /) -> dict[int, str]:
        """Give slots their names; the other slots keep theirs."""


class Watch(Protocol):
    """What an operator gets to see of it."""

    def attribute_names_unknown(self, reason: str, *, by_itself: bool) -> None:
        """The API does not tell or take them now; it is asked again. by_itself: no person has to act."""

    def attribute_names_added(self, names: Mapping[int, str]) -> None:
        """They were missing, and stand in these slots now."""


class AttributeNames:
    """Sees to it that the names are there, and waits for as long as the API does not say.

    may_add: whether names that are missing are defined; otherwise they are an error.
    waiting: is told what the start waits for, and None when it goes on.
    """

    def __init__(
        self,
        chat: NamesOfApp,
        *,
        may_add: bool,
        watch: Watch,
        waiting: Callable[[str | None], None],
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
    ) -> None:
        self._chat = chat
        self._may_add = may_add
        self._watch = watch
        self._waiting = waiting
        self._sleep = sleep
        self._chance = chance
        self._failures = 0

    async def see_to(self, needed: Collection[str]) -> None:
        """Return when the app has all names that are *needed*. Raises NamesDoNotFitError if it can't have them.

        Others may define names at the same moment, and the API keeps whatever came last. So what was defined
        is read again, after the time in which such another definition could still be applied.
        """
        definitions = 0
        refusal: Exception | None = None
        while missing := to_be_added(await self._read(), needed):
            if not self._may_add:
                raise NamesDoNotFitError(_not_there(missing))
            if definitions == MOST_DEFINITIONS:
                raise NamesDoNotFitError(_not_kept(missing, refusal))
            try:
                await self._chat.set_attribute_names(missing)
            except (Refused, BrokenLimit) as error:  # a slot or a name may just have been taken
                definitions, refusal = definitions + 1, error
            except ChatApiError as error:
                await self._wait(error)
            else:
                definitions, refusal = definitions + 1, None
                self._watch.attribute_names_added(missing)
                await self._sleep(SETTLING_SECONDS)
        self._waiting(None)

    async def _read(self) -> dict[int, str]:
        while True:
            try:
                return await self._chat.get_attribute_names()
            except ChatApiError as error:
                await self._wait(error)

    async def _wait(self, error: ChatApiError) -> None:
        by_itself = not isinstance(error, Refused | NotAllowed)
        self._waiting(f"the app's attribute names are not known: {error}")
        self._watch.attribute_names_unknown(str(error), by_itself=by_itself)
        self._failures += 1
        await self._sleep(backoff_seconds(self._failures, self._chance()))


def _not_there(missing: Mapping[int, str]) -> str:
    return (
        f"the app has no attribute {' and no attribute '.join(map(repr, missing.values()))}, and the rules write it. "
        f"Define it: `audience-sync chat set-attribute-names {told(missing)}`, or in the console; or let the service "
        "do so: AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES=add"
    )


def _not_kept(missing: Mapping[int, str], refusal: Exception | None) -> str:
    why = f"the Chat API refuses to: {refusal}" if refusal else "they were gone each time"
    return (
        f"the attributes {told(missing)} were to be defined {MOST_DEFINITIONS} times, and {why}. Define them by "
        "hand, with `audience-sync chat set-attribute-names` or in the console"
    )
