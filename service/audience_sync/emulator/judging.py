"""Which users' parts of a writing request cannot be served. Nothing is applied here.

A request is looked at part by part, in its order, as if the good parts before were applied already.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.directory import Directory
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    AddTags,
    RemoveAllTags,
    RemoveAttributes,
    RemoveTags,
    SetAttributes,
    WriteToUsers,
)
from audience_sync.emulator.store import Store
from audience_sync.emulator.switches import Accounts, Overfull, Switches, Unset

What = TypeVar("What")


class BadUser(msgspec.Struct, frozen=True):
    """A user who cannot be served: the code of the whole request, and his own in a list of them."""

    user: str
    code: int
    own_code: int
    text: str
    cause: Cause = Cause.STATE

    def refusal(self) -> RefusedError:
        """What refuses the request because of him."""
        return RefusedError(self.code, self.cause, self.text)


def unknown(user: str, switches: Switches) -> BadUser:
    """A user who does not exist."""
    code = switches.unknown_account_code
    return BadUser(user, code, Code.NOT_IMPORTED, "an account does not exist")


def banned(user: str, code: int) -> BadUser:
    """A user who shall be refused."""
    return BadUser(user, code, code, "a user who is refused on command")


class Judge:
    """Judges one request."""

    def __init__(
        self,
        *,
        directory: Directory,
        store: Store,
        switches: Switches,
        banned_users: Mapping[str, int],
        most_tags_of_the_app: int | None,
    ) -> None:
        self._directory, self._store, self._switches = directory, store, switches
        self._banned = banned_users
        self._most_of_the_app = most_tags_of_the_app
        self._created = switches.accounts is Accounts.AUTO
        self._planned: dict[str, set[str]] = {}  # what earlier parts add to a user, or take from him
        self._new_tags: set[str] = set()

    def split(self, write: WriteToUsers, *, stops: bool) -> tuple[WriteToUsers, list[BadUser]]:
        """The good parts, and the users of the bad ones. With *stops*, what is before the first bad one."""
        match write:
            case SetAttributes(parts):
                good, bad = self._sort(parts, self._to_set, stops=stops)
                return SetAttributes(good), bad
            case RemoveAttributes(removals):
                names, bad = self._sort(removals, self._to_remove, stops=stops)
                return RemoveAttributes(names), bad
            case AddTags(additions, replaces):
                look = self._to_replace if replaces else self._to_add
                tags, bad = self._sort(additions, look, stops=stops)
                return AddTags(tags, replaces), bad
            case RemoveTags(removals):
                tags, bad = self._sort(removals, _as_they_are, stops=stops)
                return RemoveTags(tags), bad
            case RemoveAllTags(users):
                nothing, bad = self._sort([(user, ()) for user in users], _as_they_are, stops=stops)
                return RemoveAllTags([user for user, _ in nothing]), bad

    def _sort(
        self,
        parts: Sequence[tuple[str, What]],
        look: Callable[[str, What], What | BadUser],
        *,
        stops: bool,
    ) -> tuple[list[tuple[str, What]], list[BadUser]]:
        good: list[tuple[str, What]] = []
        bad: list[BadUser] = []
        for user, what in parts:
            found = self._himself(user) or look(user, what)
            if not isinstance(found, BadUser):
                good.append((user, found))
                continue
            bad.append(found)
            if stops:
                break
        return good, bad

    def _himself(self, user: str) -> BadUser | None:
        if user in self._banned:
            return banned(user, self._banned[user])
        if user in self._directory or (self._created and not self._directory.is_deleted(user)):
            return None
        return unknown(user, self._switches)

    def _to_set(self, user: str, values: Mapping[str, str]) -> Mapping[str, str] | BadUser:
        return self._of_another_type(user, values) or values

    def _to_remove(self, user: str, names: Sequence[str]) -> Sequence[str] | BadUser:
        if bad := self._of_another_type(user, names):
            return bad
        if self._switches.unset is Unset.REFUSED:
            held, gone = self._store.attributes_of(user), self._planned.setdefault(user, set())
            if missing := [name for name in names if name not in held or name in gone]:
                text = f"attrName:{missing[0]} has no value"
                return BadUser(user, Code.BAD_ATTRIBUTE, Code.BAD_ATTRIBUTE, text)
            gone.update(names)
        return names

    def _of_another_type(self, user: str, names: Collection[str]) -> BadUser | None:
        kind, types = int(limits.is_device(user)), self._store.names.type_of
        for name in names:
            if types[name] != kind:
                text = f"attrName:{name} is for accounts of type {types[name]}"
                return BadUser(user, Code.BAD_USER, Code.BAD_USER, text)
        return None

    def _to_add(self, user: str, tags: Sequence[str]) -> Sequence[str] | BadUser:
        held, planned = self._store.tags_of(user), self._planned.setdefault(user, set())
        new = [tag for tag in dict.fromkeys(tags) if tag not in held and tag not in planned]
        room = limits.TAGS_PER_USER - len(held) - len(planned)
        if len(new) > room:
            if self._switches.overfull is Overfull.REFUSED:
                most = limits.TAGS_PER_USER
                text = f"a user would carry {most - room + len(new)} tags, at most {most}"
                return self._too_many(user, self._switches.overfull_code, text)
            if self._switches.overfull is Overfull.DROPPED:
                new = tags = new[: max(room, 0)]
        if bad := self._beyond_the_app(user, new):
            return bad
        planned.update(new)
        return tags

    def _to_replace(self, user: str, tags: Sequence[str]) -> Sequence[str] | BadUser:
        return self._beyond_the_app(user, tags) or tags

    def _beyond_the_app(self, user: str, tags: Sequence[str]) -> BadUser | None:
        if self._most_of_the_app is None:
            return None
        new = {tag for tag in tags if tag not in self._store.carriers} - self._new_tags
        count = len(self._store.carriers) + len(self._new_tags) + len(new)
        if new and count > self._most_of_the_app:
            text = f"the app would have {count} tags, at most {self._most_of_the_app}"
            return self._too_many(user, Code.TOO_MANY_STORED_TAGS, text)
        self._new_tags |= new
        return None

    def _too_many(self, user: str, code: int, text: str) -> BadUser:
        return BadUser(user, code, code, text, Cause.LIMIT)


def _as_they_are(_: str, what: What) -> What | BadUser:
    return what
