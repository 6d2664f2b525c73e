"""Attributes and tags. What is applied here was settled before: nothing is refused, and repeating changes nothing.

What the pages leave open and no switch settles: setting, removing and adding a tag twice is the same as once;
tags keep the order in which they came; a user who is named twice in a request is served in order.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.counters import WentBack
from audience_sync.emulator.names import AttributeNames
from audience_sync.emulator.records import NamesDefined, StoreRecord
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    AddTags,
    RemoveAllTags,
    RemoveAttributes,
    RemoveTags,
    SetAttributes,
    WriteToUsers,
)


class UserState(msgspec.Struct):
    """One user as others see him: {attribute: value}, and his tags in the order they were added."""

    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    tags: list[str] = msgspec.field(default_factory=list)


class _User:
    __slots__ = ("tags", "values")

    def __init__(self) -> None:
        self.values: dict[str, str] = {}  # by name
        self.tags: dict[str, None] = {}  # a dict for its order


NOBODY: Final = _User()
"""Who has nothing. Never written to."""


class Store:
    """The attributes and tags of one app's users. Not safe to share between threads."""

    def __init__(
        self,
        *,
        existing: Collection[str],
        version_separator: str | None,
        report_back: Callable[[WentBack], None],
    ) -> None:
        self.names = AttributeNames()
        self.carriers: dict[str, int] = {}
        """{tag: users who carry it}; a tag that nobody carries is not in it."""

        self._existing = existing
        self._separator = version_separator
        self._report_back = report_back
        self._users: dict[str, _User] = {}
        self._highest: dict[tuple[str, str], tuple[int, str]] = {}

    def demand_names(self, write: WriteToUsers) -> None:
        """Raise RefusedError if *write* names an attribute that is not defined."""
        match write:
            case SetAttributes(parts) | RemoveAttributes(parts):
                for _, names in parts:
                    for name in names:
                        if name not in self.names.type_of:
                            text = f"attrName:{name} is not defined"
                            raise RefusedError(Code.BAD_ATTRIBUTE, Cause.STATE, text)

    def apply(self, record: StoreRecord) -> None:
        """Do it."""
        match record:
            case NamesDefined():
                self._define(record)
            case SetAttributes(parts):
                for user, values in parts:
                    self._set(user, values)
            case RemoveAttributes(removals):
                for user, names in removals:
                    for name in names:
                        self._of(user).values.pop(name, None)
            case AddTags(additions, replaces):
                for user, tags in additions:
                    self._add(user, tags, replaces=replaces)
            case RemoveTags(removals):
                for user, tags in removals:
                    self._drop(self._users.get(user, NOBODY), tags)
            case RemoveAllTags(users):
                for user in users:
                    self._drop_all(self._users.get(user, NOBODY))

    def forget(self, users: Sequence[str]) -> None:
        """Nothing is known of them any more."""
        for user in users:
            if (found := self._users.pop(user, None)) is not None:
                self._drop_all(found)

    def attributes_of(self, user: str) -> Mapping[str, str]:
        """{attribute: value}: the store's own, to look at."""
        return self._users.get(user, NOBODY).values

    def tags_of(self, user: str) -> Collection[str]:
        """The tags of one user, in the order they were added: the store's own, to look at."""
        return self._users.get(user, NOBODY).tags.keys()

    def attribute_names(self) -> dict[str, str]:
        """{slot: name}, by slot."""
        return dict(self.names.by_slot)

    def user(self, user: str) -> UserState:
        """One user; nobody has nothing."""
        found = self._users.get(user, NOBODY)
        return UserState(dict(found.values), list(found.tags))

    def users(self) -> dict[str, UserState]:
        """All users who exist."""
        return {user: self.user(user) for user in self._existing}

    def _define(self, defined: NamesDefined) -> None:
        moved = self.names.apply(defined)
        if not moved:
            return
        for user in self._users.values():
            renamed = {moved.get(name, name): value for name, value in user.values.items()}
            user.values = {name: value for name, value in renamed.items() if name is not None}

    def _set(self, user: str, values: Mapping[str, str]) -> None:
        self._of(user).values.update(values)
        if self._separator is not None:
            for name, value in values.items():
                self._compare(user, name, value)

    def _compare(self, user: str, name: str, value: str) -> None:
        version = _version(value, self._separator or "")
        if version is None:
            return
        highest = self._highest.get((user, name))
        if highest is not None and version < highest[0]:
            self._report_back(WentBack(user, name, highest=highest[1], written=value))
        else:
            self._highest[user, name] = (version, value)

    def _add(self, user: str, tags: Sequence[str], *, replaces: bool) -> None:
        found = self._of(user)
        if replaces:
            self._drop(found, [tag for tag in found.tags if tag not in tags])
        held, carriers = found.tags, self.carriers
        for tag in tags:
            if tag not in held:
                held[tag] = None
                carriers[tag] = carriers.get(tag, 0) + 1
        if len(held) > limits.TAGS_PER_USER:  # only where the oldest ones leave
            self._drop(found, list(islice(held, len(held) - limits.TAGS_PER_USER)))

    def _drop_all(self, user: _User) -> None:
        self._drop(user, list(user.tags))

    def _drop(self, user: _User, tags: Sequence[str]) -> None:
        held, carriers = user.tags, self.carriers
        for tag in tags:
            if tag in held:
                del held[tag]
                if carriers[tag] == 1:
                    del carriers[tag]
                else:
                    carriers[tag] -= 1

    def _of(self, user: str) -> _User:
        found = self._users.get(user)
        if found is None:
            found = self._users[user] = _User()
        return found


def _version(value: str, separator: str) -> int | None:
    _, found, digits = value.rpartition(separator)
    return int(digits) if found and digits.isascii() and digits.isdigit() else None
