"""The accounts and attribute names of an app as they were, and how they become so again."""

from collections.abc import Mapping, Sequence
from typing import Final

from audience_sync.chat_api.wire import Command
from audience_sync.core.limits import TAGS_PER_USER_AND_REQUEST
from audience_sync.probe.bodies import of_accounts, of_users
from audience_sync.probe.calling import Caller, StoppedError, UnansweredError
from audience_sync.probe.carried import NOTHING, Carried, restoring
from audience_sync.probe.slots import Slots

LOOKING_CALLS: Final = 8
"""Before the first question: who is there, and what an earlier run has left is removed."""

TIDYING_CALLS: Final = 7
"""After a question, where no account carries anything of its own."""

LEAVING_CALLS: Final = 16
"""At the end."""


class UnfitError(ValueError):
    """Accounts that a probe must not, or can't, use. The message names each, and the way out."""


class Ground:
    """What a probe works on. `look` first; `tidy` after each question; `leave` whatever happens."""

    def __init__(self, caller: Caller, *, accounts: Sequence[str], unknown: str, doomed: str | None) -> None:
        """Take the accounts; *unknown* does not exist, *doomed* may be deleted."""
        self.slots = Slots({}, {})
        self._caller, self._accounts, self._unknown, self._doomed = caller, accounts, unknown, doomed
        self._before: dict[str, Carried] = {}
        self._names: dict[str, str] | None = None

    @property
    def bare(self) -> tuple[str, ...]:
        """Accounts without tags of their own."""
        return tuple(user for user in self._accounts if not self._before[user].tags)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of attributes that no account had a value of."""
        taken = {name for carried in self._before.values() for name in carried.attributes}
        return tuple(name for name in self.slots.usable if name not in taken)

    async def look(self, *, they_may_carry: bool) -> None:
        """See what is there. Raises UnfitError; then nothing was changed."""
        everybody = [*self._accounts, *([self._doomed] if self._doomed else [])]
        await self._demand_accounts(everybody)
        await self._read_names()
        found = await self._read(everybody)
        self._before = {user: carried.foreign for user, carried in found.items()}
        if not they_may_carry:
            self._demand_nothing_carried()
        left_before = {user for user, carried in found.items() if not carried.is_like(carried.foreign)}
        self._caller.touched |= left_before
        await self.tidy()

    async def tidy(self) -> None:
        """Put back what the calls since the last time have changed. Raises StoppedError if that fails."""
        touched, self._caller.touched = self._caller.touched, set()
        if self._caller.names_touched:
            await self._read_names()
        try:
            for user in touched - set(self._accounts):
                await self._restore(await self._read_alone(user), whatever=True)
            if ours := [user for user in self._accounts if user in touched]:
                await self._put_back(ours)
        except UnansweredError as error:
            self._caller.touched |= touched
            raise StoppedError(
                f"the accounts could not be put back, so nothing else can be asked: {error}"
            ) from error
        self._caller.touched = set()

    async def leave(self) -> list[str]:
        """Put everything back, and tell what is not as it was."""
        remains: list[str] = []
        for step in (self.tidy, self._restore_names, self.tidy):
            try:
                await step()
            except (UnansweredError, StoppedError) as error:
                remains.append(str(error))
        for look in (self._remaining_names, self._remaining_tags, self._remaining_accounts):
            try:
                remains += await look()
            except (UnansweredError, StoppedError) as error:
                remains.append(f"what is left could not be looked at: {error}")
        return list(dict.fromkeys(remains))

    async def _demand_accounts(self, users: Sequence[str]) -> None:
        answer = await self._caller.call(
            Command.CHECK_ACCOUNTS, of_accounts("CheckItem", *users, self._unknown)
        )
        if answer.code:
            raise StoppedError(f"accounts can't be checked: {answer.code} {answer.info}")
        if missing := [user for user in users if not answer.is_imported(user)]:
            raise UnfitError(f"accounts {', '.join(missing)} do not exist; import them first, or name others")
        if answer.is_imported(self._unknown):
            raise UnfitError(f"account {self._unknown} exists; give --unknown-account a name that nobody has")

    def _demand_nothing_carried(self) -> None:
        told = [f"  {user}: {carried}" for user, carried in self._before.items() if carried != NOTHING]
        if told:
            first = "some accounts carry something; a probe is for accounts that nobody needs:"
            last = "Give others, empty them, or say --they-may-carry: then it is put back afterwards."
            raise UnfitError("\n".join([first, *told, last]))

    async def _read_names(self) -> None:
        answer = await self._caller.call(Command.GET_ATTRIBUTE_NAMES, {})
        if answer.code:
            raise StoppedError(f"attribute names can't be read: {answer.code} {answer.info}")
        names = answer.attribute_names
        self.slots = Slots(names or {}, answer.attribute_types, are_all=names is not None)
        self._caller.names_touched = False
        if self._names is None:
            self._names = self.slots.of_the_app

    async def _read(self, users: Sequence[str]) -> dict[str, Carried]:
        """What accounts that exist carry. Raises UnansweredError if the app shows not all of them."""
        tags = await self._caller.call(Command.GET_TAGS, of_users(*users))
        attributes = None
        if self.slots.names:  # without names nobody has values, and asking for them may be an error
            attributes = await self._caller.call(Command.GET_ATTRIBUTES, of_users(*users))
        found = {}
        for user in users:
            shown = tags.tags_of(user)
            values = {} if attributes is None else attributes.attributes_of(user)
            if shown is None or values is None:
                codes = [answer.code_of(user) for answer in (tags, attributes) if answer is not None]
                raise UnansweredError(f"reading {user} was answered {codes}")
            found[user] = Carried(tuple(shown), values)
        return found

    async def _read_alone(self, user: str) -> dict[str, Carried]:
        """What somebody carries who may not exist: nothing, if the app shows nothing."""
        tags = await self._caller.call(Command.GET_TAGS, of_users(user), whatever=True)
        values: Mapping[str, object] = {}
        if self.slots.names:
            attributes = await self._caller.call(Command.GET_ATTRIBUTES, of_users(user), whatever=True)
            values = attributes.attributes_of(user) or {}
        return {user: Carried(tuple(tags.tags_of(user) or ()), values)}

    async def _put_back(self, users: Sequence[str]) -> None:
        found = await self._read(users)
        # How many tags a removal may name is one of the questions, so in the end they go one by one.
        for tags_at_once in (TAGS_PER_USER_AND_REQUEST, 1):
            changed = {user: now for user, now in found.items() if not self._is_as_before(user, now)}
            if not changed:
                return
            await self._restore(changed, tags_at_once=tags_at_once)
            found |= await self._read(list(changed))
        for user, now in found.items():
            if not self._is_as_before(user, now):
                raise UnansweredError(self._difference(user, now))

    async def _restore(
        self,
        found: Mapping[str, Carried],
        *,
        tags_at_once: int = TAGS_PER_USER_AND_REQUEST,
        whatever: bool = False,
    ) -> None:
        # Whether it worked, a look afterwards says: an answer may say nothing.
        for command, body in restoring(found, self._before, tags_at_once=tags_at_once):
            await self._caller.call(command, body, whatever=whatever)

    def _is_as_before(self, user: str, now: Carried) -> bool:
        return now.is_like(self._before.get(user, NOTHING))

    def _difference(self, user: str, now: Carried) -> str:
        return f"{user} carries {now}; before: {self._before.get(user, NOTHING)}"

    async def _restore_names(self) -> None:
        if self.slots.ours and self.slots.are_all:
            await self._caller.call(Command.SET_ATTRIBUTE_NAMES, self.slots.body({}), whatever=True)

    async def _remaining_names(self) -> list[str]:
        named = [
            f"slot {slot} of the attribute names is called {name}: the app keeps what is defined once; rename it"
            for slot, name in self.slots.ours.items()
        ]
        if self.slots.of_the_app == self._names:
            return named
        return [*named, f"the app's attribute names are {self.slots.of_the_app}; they were {self._names}"]

    async def _remaining_accounts(self) -> list[str]:
        strangers = [self._unknown, *([self._doomed] if self._doomed else [])]
        check = of_accounts("CheckItem", *strangers)
        answer = await self._caller.call(Command.CHECK_ACCOUNTS, check, whatever=True)
        remains = []
        if answer.is_imported(self._unknown):
            remains.append(f"account {self._unknown} exists now: a write made it, a deletion would end it")
        if self._doomed and answer.is_imported(self._doomed) is False:
            remains.append(
                f"account {self._doomed} is deleted; its id can't be imported again for three months"
            )
        return remains

    async def _remaining_tags(self) -> list[str]:
        found: dict[str, Carried] = {}
        for user in (self._unknown, *([self._doomed] if self._doomed else [])):
            found |= await self._read_alone(user)
        found |= await self._read(self._accounts)
        return [
            self._difference(user, now) for user, now in found.items() if not self._is_as_before(user, now)
        ]
