"""One app: who exists, what is known of whom, what was pushed, and how the app stands to what is open.

Nothing here knows of addresses, signatures or faults. Whatever changes an app is a record; it is applied and
handed on before anybody is told, so that a journal of all records makes the same app.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from audience_sync.emulator.counters import Counters
from audience_sync.emulator.directory import Directory
from audience_sync.emulator.endpoints import Family
from audience_sync.emulator.inbox import Delivery, Inboxes, LogIn, LogOut
from audience_sync.emulator.limits import USER_BYTES, fits
from audience_sync.emulator.pushing import Person, Pushed, Pushing, Revoked
from audience_sync.emulator.records import Deleted, Entry, Imported, NamesDefined, Record
from audience_sync.emulator.requests import NewAccount, RemoveAttributes, SetAttributes, users_of
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.store import Store, UserState
from audience_sync.emulator.switches import Stores, changed


class Account(msgspec.Struct, frozen=True):
    """An account as the control address and the page show it."""

    user: str
    nick: str
    face_url: str
    imported: bool
    online: bool
    deleted: bool
    state: UserState


class App:
    """One app. *record* is told what was applied. Not safe to share between threads."""

    def __init__(self, settings: AppSettings, *, record: Callable[[Entry], None]) -> None:
        self.settings = settings
        self.switches = settings.switches
        self.bad_users: dict[str, int] = {}
        """{user: the code that he is always refused with}."""

        self.feature_on = True
        """Whether the app has the push feature at all."""

        self.revision = 0
        """Goes up with every change that somebody could want to see."""

        self.counters = Counters()
        self.directory = Directory()
        self.pushing = Pushing(
            app_id=settings.app_id, switches=settings.switches, pushes_per_day=settings.pushes_per_day
        )
        self.inboxes = Inboxes()
        self._stores = {
            family: Store(
                existing=self.directory,
                version_separator=settings.version_separator,
                report_back=self.counters.add_went_back,
            )
            for family in (Family.ALL_MEMBER_PUSH, Family.TIMPUSH)
        }
        self._record = record

    @property
    def store(self) -> Store:
        """The attributes and tags of all_member_push, and of the successor unless it has its own."""
        return self._stores[Family.ALL_MEMBER_PUSH]

    def store_of(self, family: Family) -> Store:
        """The attributes and tags that a family sees."""
        return self._stores[self._store_name(family)]

    def do(self, record: Record, family: Family = Family.ALL_MEMBER_PUSH) -> list[Delivery]:
        """Apply a record that a call of *family* came to, and hand it on. Returns what it delivered."""
        store = self._store_name(family)
        delivered = self._apply(record, store)
        self._record(Entry(self.settings.app_id, record, store))
        return delivered

    def replay(self, entry: Entry) -> None:
        """Apply what a journal holds. Raises RefusedError if it does not follow from what was before."""
        if isinstance(entry.record, SetAttributes | RemoveAttributes):
            self._stores[entry.store].demand_names(entry.record)
        self._apply(entry.record, entry.store)

    def change_switches(self, **values: object) -> None:
        """Stand otherwise to some open points from now on. Raises ValueError, and then changes nothing."""
        self.switches = self.pushing.switches = changed(self.switches, values)
        self.revision += 1

    def define_attribute_names(self) -> None:
        """Define those of the settings that are not defined. Raises ValueError if there is no free slot."""
        for family in {self._store_name(family) for family in self._stores}:
            names = self._stores[family].names
            if new := names.define_if_new(self.settings.attribute_names):
                self.do(names.settle(new, self.switches), family)

    def import_accounts(self, users: Iterable[str]) -> None:
        """Make users exist, whatever was deleted before. Safe to repeat. Raises ValueError."""
        profiles, new = self.directory.profiles, []
        for user in dict.fromkeys(users):
            _demand_size(user)
            if user not in self.directory:
                new.append(NewAccount(user))
            elif not (profile := profiles[user]).imported:
                new.append(NewAccount(user, profile.nick, profile.face_url))
        if new:
            self.do(Imported(new))

    def log_in(self, user: str, now: float) -> list[Delivery]:
        """Somebody comes online, and exists from then on. Returns what waited for him. Raises ValueError."""
        _demand_size(user)
        if self.directory.is_deleted(user):
            raise ValueError(f"user {user!r} is deleted: import him again first")
        return self.do(LogIn(user, now))

    def log_out(self, user: str, now: float) -> None:
        """Somebody goes offline. Raises ValueError."""
        if user not in self.directory:
            raise ValueError(f"user {user!r} does not exist")
        self.do(LogOut(user, now))

    def people(self) -> Iterator[Account]:
        """All accounts, the deleted ones too, in the order in which they came."""
        return map(self.account, self.directory.profiles)

    def look(self, search: str, most: int) -> tuple[list[Account], int]:
        """The latest accounts whose name contains *search*, at most so many, and how many there are in all."""
        latest = reversed(self.directory.profiles)
        if not search:
            return [self.account(user) for user in islice(latest, most)], len(self.directory.profiles)
        found = [user for user in latest if search in user]
        return [self.account(user) for user in found[:most]], len(found)

    def account(self, user: str) -> Account:
        """One account of the directory. Raises KeyError if there is none."""
        profile = self.directory.profiles[user]
        return Account(
            user=user,
            nick=profile.nick,
            face_url=profile.face_url,
            imported=profile.imported,
            online=user in self.inboxes.online,
            deleted=profile.deleted_at is not None,
            state=self.store.user(user),
        )

    def audience(self, family: Family) -> Iterator[Person]:
        """Everybody who can get a push, as a family sees them."""
        store, online = self.store_of(family), self.inboxes.online
        for user in self.directory:
            yield Person(user, store.attributes_of(user), store.tags_of(user), user in online)

    def _apply(self, record: Record, store: Family) -> list[Delivery]:
        self.revision += 1
        match record:
            case Pushed():
                self.pushing.apply(record)
                return self.inboxes.apply(record)
            case Revoked():
                self.pushing.apply_revoked(record)
                return self.inboxes.apply(record)
            case LogIn(user):
                self.directory.log_in(user)
                return self.inboxes.apply(record)
            case LogOut():
                return self.inboxes.apply(record)
            case Imported(accounts):
                self.directory.import_(accounts)
            case Deleted(users, at, keeps):
                self._delete(users, at, keeps=keeps)
            case NamesDefined():
                self._stores[store].apply(record)
            case _:
                self.directory.add(users_of(record))
                self._stores[store].apply(record)
        return []

    def _store_name(self, family: Family) -> Family:
        separate = self.switches.stores is Stores.SEPARATE
        return Family.TIMPUSH if separate and family is Family.TIMPUSH else Family.ALL_MEMBER_PUSH

    def _delete(self, users: Iterable[str], at: float, *, keeps: bool) -> None:
        gone = list(users)
        self.directory.delete(gone, at)
        self.inboxes.forget(gone)
        if not keeps:
            for store in self._stores.values():
                store.forget(gone)


def _demand_size(user: str) -> None:
    if not fits(user, USER_BYTES):
        raise ValueError(f"user {user!r}: 1 to {USER_BYTES} bytes of UTF-8")
