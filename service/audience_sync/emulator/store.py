"""Users, attributes and tags. A request is applied as a whole or refused as a whole.

What the pages leave open is decided here: names of attributes merge slot by slot, and a value stays with its
slot when the slot gets another name; setting, removing and adding a tag twice is the same as once; a user who
is named twice in a request is served in order; reading a user nobody has written to gives empty values.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.counters import WentBack
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    AddTags,
    GetAttributeNames,
    GetAttributes,
    GetTags,
    ImportAccounts,
    Read,
    RemoveAllTags,
    RemoveAttributes,
    RemoveTags,
    SetAttributeNames,
    SetAttributes,
    Write,
    users_of,
)


class UserState(msgspec.Struct):
    """One user as others see him: {attribute: value}, and his tags in the order they were added."""

    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    tags: list[str] = msgspec.field(default_factory=list)


class _User:
    __slots__ = ("tags", "values")

    def __init__(self) -> None:
        self.values: dict[str, str] = {}  # by slot
        self.tags: dict[str, None] = {}  # a dict for its order


class Store:
    """All users of one app. Not safe to share between threads."""

    def __init__(
        self,
        *,
        creates_users: bool,
        version_separator: str | None,
        report_back: Callable[[WentBack], None],
    ) -> None:
        self._creates_users = creates_users
        self._separator = version_separator
        self._report_back = report_back
        self._names: dict[str, str] = {}
        self._slots: dict[str, str] = {}
        self._users: dict[str, _User] = {}
        self._highest: dict[tuple[str, str], tuple[int, str]] = {}

    def apply(self, request: Write, *, creates_users: bool | None = None) -> None:
        """Do all of *request*, or raise RefusedError and do nothing of it. Repeating it changes nothing.

        *creates_users* overrules, for this request, whether unknown users come into being.
        """
        match request:
            case SetAttributeNames(names):
                self._define(names)
                return
            case ImportAccounts(users):
                for user in users:
                    self._users.setdefault(user, _User())
                return
            case _:
                if not (self._creates_users if creates_users is None else creates_users):
                    self._demand_users(users_of(request))
        match request:
            case SetAttributes(parts):
                self._demand_names(name for _, values in parts for name in values)
                for user, values in parts:
                    self._set(user, values)
            case RemoveAttributes(removals):
                self._demand_names(name for _, each in removals for name in each)
                for user, each in removals:
                    for name in each:
                        self._of(user).values.pop(self._slots[name], None)
            case AddTags(additions):
                self._demand_room(additions)
                for user, tags in additions:
                    self._of(user).tags.update(dict.fromkeys(tags))
            case RemoveTags(removals):
                for user, tags in removals:
                    for tag in tags:
                        self._of(user).tags.pop(tag, None)
            case RemoveAllTags(users):
                for user in users:
                    self._of(user).tags.clear()

    def read(self, request: Read) -> dict[str, object]:
        """The fields of the answer, in the order asked."""
        match request:
            case GetAttributeNames():
                return {"AttrNames": self.attribute_names()}
            case GetAttributes(users):
                return {"UserAttrs": [{"To_Account": u, "Attrs": self.user(u).attributes} for u in users]}
            case GetTags(users):
                return {"UserTags": [{"To_Account": u, "Tags": self.user(u).tags} for u in users]}

    def attribute_names(self) -> dict[str, str]:
        """{slot: name}, by slot."""
        return dict(sorted(self._names.items()))

    def define_if_new(self, names: Iterable[str]) -> SetAttributeNames | None:
        """What would define those of *names* that are not defined, in free slots; None if all are."""
        free = (slot for slot in map(str, range(limits.ATTRIBUTES_PER_APP)) if slot not in self._names)
        new = [name for name in names if name not in self._slots]
        if len(new) > limits.ATTRIBUTES_PER_APP - len(self._names):
            raise ValueError(f"no free slot for attribute names {new}: {self.attribute_names()} are there")
        return SetAttributeNames(dict(zip(free, new, strict=False))) if new else None

    def user(self, user: str) -> UserState:
        """One user; nobody has nothing."""
        found = self._users.get(user)
        if found is None:
            return UserState()
        return UserState({self._names[slot]: value for slot, value in found.values.items()}, list(found.tags))

    def users(self) -> dict[str, UserState]:
        """All users who exist."""
        return {user: self.user(user) for user in self._users}

    def _define(self, names: Mapping[str, str]) -> None:
        merged = self._names | dict(names)
        taken: dict[str, str] = {}
        for slot in sorted(
            merged, key=lambda slot: slot in names
        ):  # those of the request after those that stay
            name = merged[slot]
            if name in taken:
                text = f"attrName:{name} already exists at index:{taken[name]}"
                raise RefusedError(Code.BAD_ATTRIBUTE, Cause.STATE, text)
            taken[name] = slot
        self._names, self._slots = merged, taken

    def _set(self, user: str, values: Mapping[str, str]) -> None:
        held = self._of(user).values
        for name, value in values.items():
            held[self._slots[name]] = value
            if self._separator is not None:
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

    def _of(self, user: str) -> _User:
        found = self._users.get(user)
        if found is None:
            found = self._users[user] = _User()
        return found

    def _demand_users(self, users: Iterable[str]) -> None:
        for user in users:
            if user not in self._users:
                raise RefusedError(Code.ACCOUNT_UNKNOWN, Cause.STATE, "an account does not exist")

    def _demand_names(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._slots:
                raise RefusedError(Code.BAD_ATTRIBUTE, Cause.STATE, f"attrName:{name} is not defined")

    def _demand_room(self, parts: Iterable[tuple[str, Iterable[str]]]) -> None:
        planned: dict[str, set[str]] = {}
        for user, tags in parts:
            held = self._users[user].tags if user in self._users else {}
            new = planned.setdefault(user, set())
            new.update(tag for tag in tags if tag not in held)
            if len(held) + len(new) > limits.TAGS_PER_USER:
                text = f"a user would carry {len(held) + len(new)} tags, at most {limits.TAGS_PER_USER}"
                raise RefusedError(Code.TOO_MANY_STORED_TAGS, Cause.LIMIT, text)


def _version(value: str, separator: str) -> int | None:
    _, found, digits = value.rpartition(separator)
    return int(digits) if found and digits.isascii() and digits.isdigit() else None
