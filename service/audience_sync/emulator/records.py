"""What was done to an app, in the words of its journal: settled, so that it means the same whatever is switched."""

from collections.abc import Mapping, Sequence

import msgspec

from audience_sync.emulator.endpoints import Family
from audience_sync.emulator.inbox import LogIn, LogOut
from audience_sync.emulator.pushing import Pushed, Revoked
from audience_sync.emulator.requests import NewAccount, WriteToUsers


class NamesDefined(msgspec.Struct, frozen=True, tag="attribute_names"):
    """These are the names and types of all slots now; the values of some slots are gone."""

    names: Mapping[str, str]
    types: Mapping[str, int]
    dropped: Sequence[str]


class Imported(msgspec.Struct, frozen=True, tag="import"):
    """These accounts exist now."""

    accounts: Sequence[NewAccount]


class Deleted(msgspec.Struct, frozen=True, tag="delete"):
    """These accounts are gone, with what was known of them unless it is kept. *at* is in unix seconds."""

    users: Sequence[str]
    at: float
    keeps: bool


StoreRecord = NamesDefined | WriteToUsers
Record = StoreRecord | Imported | Deleted | Pushed | Revoked | LogIn | LogOut


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record, the app it belongs to, and the store that it changed, if it changed one."""

    app: int
    record: Record
    store: Family = Family.ALL_MEMBER_PUSH
