"""What can be asked, once it has been read and keeps every limit that can be seen in it alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

AttributeParts = Sequence[tuple[str, Mapping[str, str]]]
NameParts = Sequence[tuple[str, Sequence[str]]]


class SetAttributeNames(msgspec.Struct, frozen=True, tag="im_set_attr_name"):
    """Slots "0" to "9" get these names; the other slots stay."""

    names: Mapping[str, str]


class SetAttributes(msgspec.Struct, frozen=True, tag="im_set_attr"):
    """(user, {attribute: value}), applied in order."""

    parts: AttributeParts


class RemoveAttributes(msgspec.Struct, frozen=True, tag="im_remove_attr"):
    """(user, [attribute, ...]), applied in order."""

    parts: NameParts


class AddTags(msgspec.Struct, frozen=True, tag="im_add_tag"):
    """(user, [tag, ...]), applied in order."""

    parts: NameParts


class RemoveTags(msgspec.Struct, frozen=True, tag="im_remove_tag"):
    """(user, [tag, ...]), applied in order."""

    parts: NameParts


class RemoveAllTags(msgspec.Struct, frozen=True, tag="im_remove_all_tags"):
    """Users who carry no tag afterwards."""

    users: Sequence[str]


class ImportAccounts(msgspec.Struct, frozen=True, tag="accounts"):
    """Users who exist afterwards. Comes over the control address, not over the API."""

    users: Sequence[str]


class GetAttributeNames(msgspec.Struct, frozen=True, tag="im_get_attr_name"):
    """All names, by slot."""


class GetAttributes(msgspec.Struct, frozen=True, tag="im_get_attr"):
    """The attributes of these users."""

    users: Sequence[str]


class GetTags(msgspec.Struct, frozen=True, tag="im_get_tag"):
    """The tags of these users."""

    users: Sequence[str]


WriteToUsers = SetAttributes | RemoveAttributes | AddTags | RemoveTags | RemoveAllTags
Write = SetAttributeNames | WriteToUsers | ImportAccounts
Read = GetAttributeNames | GetAttributes | GetTags
Request = Write | Read

ENDPOINTS: Final = (
    "im_set_attr_name",
    "im_get_attr_name",
    "im_set_attr",
    "im_remove_attr",
    "im_get_attr",
    "im_add_tag",
    "im_remove_tag",
    "im_remove_all_tags",
    "im_get_tag",
)
"""The endpoints of all_member_push but the push itself."""


def users_of(request: Request) -> list[str]:
    """The users a request names, in its order, as often as it names them."""
    match request:
        case SetAttributes(parts):
            return [user for user, _ in parts]
        case RemoveAttributes(parts) | AddTags(parts) | RemoveTags(parts):
            return [user for user, _ in parts]
        case RemoveAllTags(users) | GetAttributes(users) | GetTags(users) | ImportAccounts(users):
            return list(users)
        case SetAttributeNames() | GetAttributeNames():
            return []
