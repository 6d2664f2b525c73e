"""What can be asked, once it has been read and keeps every limit that can be seen in it alone."""

from collections.abc import Mapping, Sequence

import msgspec

from audience_sync.emulator.push_reading import PushRequest, RevokeRequest

AttributeParts = Sequence[tuple[str, Mapping[str, str]]]
NameParts = Sequence[tuple[str, Sequence[str]]]


class SetAttributeNames(msgspec.Struct, frozen=True):
    """Slots "0" to "9" get these names, and some of them a type: 0 for users, 1 for registered devices."""

    names: Mapping[str, str]
    types: Mapping[str, int] = {}


class SetAttributes(msgspec.Struct, frozen=True, tag="set_attr"):
    """(user, {attribute: value}), applied in order."""

    parts: AttributeParts


class RemoveAttributes(msgspec.Struct, frozen=True, tag="remove_attr"):
    """(user, [attribute, ...]), applied in order."""

    parts: NameParts


class AddTags(msgspec.Struct, frozen=True, tag="add_tag", omit_defaults=True):
    """(user, [tag, ...]), applied in order. With *replaces*, the users' other tags go."""

    parts: NameParts
    replaces: bool = False


class RemoveTags(msgspec.Struct, frozen=True, tag="remove_tag"):
    """(user, [tag, ...]), applied in order."""

    parts: NameParts


class RemoveAllTags(msgspec.Struct, frozen=True, tag="remove_all_tags"):
    """Users who carry no tag afterwards."""

    users: Sequence[str]


class GetAttributeNames(msgspec.Struct, frozen=True):
    """All names, by slot."""


class GetAttributes(msgspec.Struct, frozen=True):
    """The attributes of these users."""

    users: Sequence[str]


class GetTags(msgspec.Struct, frozen=True):
    """The tags of these users."""

    users: Sequence[str]


class NewAccount(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A user to import, with what others see of him."""

    user: str
    nick: str = ""
    face_url: str = ""


class ImportAccount(msgspec.Struct, frozen=True):
    """One user, who exists afterwards, or the request is refused."""

    account: NewAccount


class ImportAccounts(msgspec.Struct, frozen=True):
    """Users who exist afterwards, or are named as failed."""

    accounts: Sequence[NewAccount]


class CheckAccounts(msgspec.Struct, frozen=True):
    """Which of these users exist."""

    users: Sequence[str]


class DeleteAccounts(msgspec.Struct, frozen=True):
    """Users who don't exist afterwards."""

    users: Sequence[str]


WriteToUsers = SetAttributes | RemoveAttributes | AddTags | RemoveTags | RemoveAllTags
ReadOfUsers = GetAttributes | GetTags
AboutAccounts = ImportAccount | ImportAccounts | CheckAccounts | DeleteAccounts
Request = (
    SetAttributeNames
    | GetAttributeNames
    | WriteToUsers
    | ReadOfUsers
    | AboutAccounts
    | PushRequest
    | RevokeRequest
)


def users_of(request: Request) -> list[str]:
    """The users a request names, in its order, as often as it names them."""
    match request:
        case SetAttributes(parts):
            return [user for user, _ in parts]
        case RemoveAttributes(parts) | AddTags(parts) | RemoveTags(parts):
            return [user for user, _ in parts]
        case RemoveAllTags(users) | GetAttributes(users) | GetTags(users):
            return list(users)
        case CheckAccounts(users) | DeleteAccounts(users):
            return list(users)
        case ImportAccounts(accounts):
            return [account.user for account in accounts]
        case ImportAccount(account):
            return [account.user]
        case SetAttributeNames() | GetAttributeNames() | PushRequest() | RevokeRequest():
            return []
