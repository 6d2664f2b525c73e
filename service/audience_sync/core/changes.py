"""What can happen to a user, and the endpoints that carry it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NewType, final

import msgspec

UserId = NewType("UserId", str)
"""The account in the Chat API that changes apply to."""


@final
class SetAttribute(msgspec.Struct, frozen=True, gc=False):
    """The attribute has this value from now on, whatever it was."""

    name: str
    value: str


@final
class RemoveAttribute(msgspec.Struct, frozen=True, gc=False):
    """The attribute has no value from now on."""

    name: str


@final
class AddTag(msgspec.Struct, frozen=True, gc=False):
    """The user carries the tag from now on."""

    tag: str


@final
class RemoveTag(msgspec.Struct, frozen=True, gc=False):
    """The user does not carry the tag from now on."""

    tag: str


@final
class RemoveAllTags(msgspec.Struct, frozen=True, gc=False):
    """The user carries no tag from now on."""


Change = SetAttribute | RemoveAttribute | AddTag | RemoveTag | RemoveAllTags
"""One effect on one user. Each is absolute: applying it twice is applying it once."""


class Endpoint(StrEnum):
    """The five writing endpoints, in the order in which one user's folded changes leave.

    All tags go before single ones, and removals before additions: a user who carries as many tags as the
    API stores could never swap one otherwise.
    """

    REMOVE_ALL_TAGS = "remove_all_tags"
    REMOVE_TAGS = "remove_tag"
    ADD_TAGS = "add_tag"
    SET_ATTRIBUTES = "set_attr"
    REMOVE_ATTRIBUTES = "remove_attr"


Part = Mapping[str, str] | Sequence[str]
"""What one request says about one user: {attribute: value} to set attributes, names or tags otherwise.

Removing all tags says nothing more than the user, so his part is empty.
"""


class Request(msgspec.Struct, frozen=True):
    """One call to the Chat API: the endpoint, and a part for each of its 1 to 100 users."""

    endpoint: Endpoint
    parts: Mapping[UserId, Part]


def names_in(endpoint: Endpoint, part: Part) -> frozenset[str]:
    """The attribute names that a user's *part* of a request to *endpoint* speaks of; none for tags.

    An app defines attribute names, one by one; so an endpoint may work for one name and not for another.
    """
    if endpoint in (Endpoint.SET_ATTRIBUTES, Endpoint.REMOVE_ATTRIBUTES):
        return frozenset(part)
    return frozenset()
