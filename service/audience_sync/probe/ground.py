"""The accounts and attribute names of an app as they were, and how they become so again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from audience_sync.chat_api.wire import Command
from audience_sync.core.limits import TAGS_PER_USER_AND_REQUEST
from audience_sync.probe.bodies import OWN, Body, of_accounts, of_attributes, of_tags, of_users
from audience_sync.probe.calling import Caller, StoppedError, UnansweredError
from audience_sync.probe.slots import Slots

LOOKING_CALLS: Final = 8
"""Before the first question: who is there, and what an earlier run has left is removed."""

TIDYING_CALLS: Final = 7
"""After a question, where no account carries anything of its own."""

LEAVING_CALLS: Final = 16
"""At the end."""


class UnfitError(ValueError):
    """Accounts that a probe must not, or can't, use. The message names each, and the way out."""


@dataclass(frozen=True)
class Carried:
    """What one account has."""

    tags: tuple[str, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)

    @property
    def foreign(self) -> "Carried":
        """What of it is not a probe's."""
        return Carried(
            tuple(tag for tag in self.tags if not tag.startswith(OWN)),
            {name: value for name, value in self.attributes.items() if not name.startswith(OWN)},
        )

    def is_like(self, other: "Carried") -> bool:
        """Whether both have the same, in any order."""
        return set(self.tags) == set(other.tags) and dict(self.attributes) == dict(other.attributes)

    def __str__(self) -> str:
        told = [f"tags {', '.join(self.tags[:5])}{' ...' if self.tags[5:] else ''}"] if self.tags else []
        return "; ".join([*told, *(f"{name} = {value!r}" for name, value in self.attributes.items())])


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
        if not they_may_carry and any(str(carried) for carried in self._before.values()):
            told = "".join(f"\n  {user}: {carried}" for user, carried in self._before.items() if str(carried))
            raise UnfitError(
                f"some accounts carry something; a probe is for accounts that nobody needs:{told}\n"
                "Give others, empty them, or say --they-may-carry: then it is put back afterwards"
            )
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
                await self._restore(await self._read(ours))
                await self._demand_as_before(ours)
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
            raise StoppedError(f"accounts can't be checked: {answer.code} {answer.info}", code=answer.code)
        if missing := [user for user in users if not answer.is_imported(user)]:
            raise UnfitError(f"accounts {', '.join(missing)} do not exist; import them first, or name others")
        if answer.is_imported(self._unknown):
            raise UnfitError(f"account {self._unknown} exists; give --unknown-account a name that nobody has")

    async def _read_names(self) -> None:
        answer = await self._caller.call(Command.GET_ATTRIBUTE_NAMES, {})
        if answer.code:
            text = f"attribute names can't be read: {answer.code} {answer.info}"
            raise StoppedError(text, code=answer.code)
        self.slots = Slots(answer.attribute_names, answer.attribute_types)
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

    async def _restore(self, found: Mapping[str, Carried], *, whatever: bool = False) -> None:
        for command, body in restoring(found, self._before):  # a look afterwards says whether it worked
            await self._caller.call(command, body, whatever=whatever)

    async def _demand_as_before(self, users: Sequence[str]) -> None:
        for user, carried in (await self._read(users)).items():
            if not carried.is_like(self._before[user]):
                raise UnansweredError(f"{user} carries {_told(carried)}; before: {_told(self._before[user])}")

    async def _restore_names(self) -> None:
        if self.slots.ours:
            await self._caller.call(Command.SET_ATTRIBUTE_NAMES, self.slots.body({}), whatever=True)

    async def _remaining_names(self) -> list[str]:
        named = [
            f"slot {slot} of the attribute names is called {name}: the app keeps a slot that is defined once"
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
            remains.append(f"account {self._unknown} exists now: a write made it")
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
            f"{user} carries {_told(carried)}; before: {_told(_of(user, self._before))}"
            for user, carried in found.items()
            if not carried.is_like(_of(user, self._before))
        ]


def restoring(found: Mapping[str, Carried], before: Mapping[str, Carried]) -> Iterator[tuple[Command, Body]]:
    """The calls after which users who carry *found* carry what they did *before*; pure.

    All tags of those who had none go at once. The others lose and get single ones.
    """
    emptied = [user for user, now in found.items() if now.tags and not _of(user, before).tags]
    if emptied:
        yield Command.REMOVE_ALL_TAGS, of_users(*emptied)
    for user, now in found.items():
        was = _of(user, before)
        if was.tags:
            for command, left, right in ((Command.REMOVE_TAGS, now, was), (Command.ADD_TAGS, was, now)):
                tags = [tag for tag in left.tags if tag not in right.tags]
                for start in range(0, len(tags), TAGS_PER_USER_AND_REQUEST):
                    yield command, of_tags((user, tags[start : start + TAGS_PER_USER_AND_REQUEST]))
        if new := [name for name in now.attributes if name not in was.attributes]:
            yield Command.REMOVE_ATTRIBUTES, of_attributes((user, new))
        if lost := {
            name: value for name, value in was.attributes.items() if now.attributes.get(name) != value
        }:
            yield Command.SET_ATTRIBUTES, of_attributes((user, lost))


def _of(user: str, before: Mapping[str, Carried]) -> Carried:
    return before.get(user, Carried())


def _told(carried: Carried) -> str:
    return str(carried) or "nothing"
