"""What can happen to a user, and the endpoints that carry it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NewType, final

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


REMOVE_ALL_TAGS: Final = Endpoint.REMOVE_ALL_TAGS
REMOVE_TAGS: Final = Endpoint.REMOVE_TAGS
ADD_TAGS: Final = Endpoint.ADD_TAGS
SET_ATTRIBUTES: Final = Endpoint.SET_ATTRIBUTES
REMOVE_ATTRIBUTES: Final = Endpoint.REMOVE_ATTRIBUTES
"""The endpoints by their names alone, for what is done for each user: in Python 3.11 it takes a call of a function to
find a member in its class."""

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
    return frozenset(part) if about_names(endpoint) else NO_NAMES


def about_names(endpoint: Endpoint) -> bool:
    """Whether parts of requests to *endpoint* speak of attribute names."""
    return endpoint is SET_ATTRIBUTES or endpoint is REMOVE_ATTRIBUTES


NO_NAMES: Final[frozenset[str]] = frozenset()
"""What a part about tags speaks of."""

ABOUT_TAGS: Final = frozenset({""})
"""What a part about tags speaks of, where others speak of attribute names."""
