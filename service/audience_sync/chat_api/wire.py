"""The JSON of the Chat API, both ways, and the limits of what may be written into it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Final

import msgspec

from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.core import limits
from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)


class Family(StrEnum):
    """The two families of commands with the same bodies. Source: docs/chat-api.md#families."""

    ALL_MEMBER_PUSH = "all_member_push"
    TIMPUSH = "timpush"
    """The successor."""


def path(family: Family, endpoint: Endpoint) -> str:
    """Where *endpoint* is called, from the host on."""
    if family is Family.ALL_MEMBER_PUSH:
        return f"/v4/{family}/im_{endpoint}"
    return f"/v4/{family}/{'clear_all_tags' if endpoint is Endpoint.REMOVE_ALL_TAGS else endpoint}"


class Named(
    msgspec.Struct, frozen=True, rename={"user": "To_Account", "code": "ErrorCode", "info": "ErrorInfo"}
):
    """One entry of an answer's ErrorList: what is said of one user."""

    user: str | int | None = None
    code: int = 0
    info: str | None = None


class Answer(
    msgspec.Struct,
    frozen=True,
    rename={"status": "ActionStatus", "code": "ErrorCode", "info": "ErrorInfo", "named": "ErrorList"},
):
    """What the API answers a writing call. Fields may be missing, and others stand beside them."""

    status: str | None = None
    code: int | None = None
    info: str | None = None
    named: list[Named] | None = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Answer, strict=False)  # a number in quotes is a number


def decode(body: bytes) -> Answer:
    """The answer in *body*. msgspec.DecodeError if it is no JSON object, or a field has another type."""
    return _DECODER.decode(body)


def encode(request: Request) -> bytes:
    """The body of *request*, up to about 75 KB. BrokenLimit names what the API would refuse.

    Source: docs/chat-api.md#bodies.
    """
    try:
        _check(request)
        return _encoded(request.endpoint, request.parts)
    except UnicodeEncodeError as error:
        raise BrokenLimit(f"{request.endpoint}: {error.object!r} cannot be written in UTF-8") from None


def _encoded(endpoint: Endpoint, users: Mapping[UserId, Part]) -> bytes:
    match endpoint:
        case Endpoint.ADD_TAGS | Endpoint.REMOVE_TAGS:
            tags = [{"To_Account": user, "Tags": list(part)} for user, part in users.items()]
            return _ENCODER.encode({"UserTags": tags})
        case Endpoint.SET_ATTRIBUTES:
            values = [{"To_Account": user, "Attrs": _pairs(part)} for user, part in users.items()]
            return _ENCODER.encode({"UserAttrs": values})
        case Endpoint.REMOVE_ATTRIBUTES:  # names only: an array, not an object as for setting
            names = [{"To_Account": user, "Attrs": list(part)} for user, part in users.items()]
            return _ENCODER.encode({"UserAttrs": names})
        case Endpoint.REMOVE_ALL_TAGS:
            return _ENCODER.encode({"To_Account": list(users)})


_MOST: Final[Mapping[Endpoint, tuple[str, int]]] = {
    Endpoint.ADD_TAGS: ("tags", limits.TAGS_PER_USER_AND_REQUEST),
    Endpoint.REMOVE_TAGS: ("tags", limits.TAGS_PER_USER_AND_REQUEST),
    Endpoint.SET_ATTRIBUTES: ("attributes", limits.ATTRIBUTES_PER_APP),
    Endpoint.REMOVE_ATTRIBUTES: ("attributes", limits.ATTRIBUTES_PER_APP),
}
_TEXT_BYTES: Final = min(limits.TAG_BYTES, limits.ATTRIBUTE_NAME_BYTES, limits.ATTRIBUTE_VALUE_BYTES)


def _check(request: Request) -> None:
    """Raise BrokenLimit for the first limit that is broken."""
    endpoint, users = request.endpoint, len(request.parts)
    if not 1 <= users <= limits.USERS_PER_REQUEST:
        raise BrokenLimit(f"{endpoint} with {users} users; it takes 1 to {limits.USERS_PER_REQUEST}")
    for user, part in request.parts.items():
        _check_shape(endpoint, user, part)
    # Up to 1,000 tags are measured at a stroke. Only when one does not fit is it looked for.
    if not (_fit(request.parts, limits.USER_ID_BYTES) and _fit(_texts(request), _TEXT_BYTES)):
        for user, part in request.parts.items():
            _check_bytes(endpoint, user, part)


def _check_shape(endpoint: Endpoint, user: UserId, part: Part) -> None:
    of_pairs = type(part) is dict or isinstance(part, Mapping)  # asking for the abstract type is slow
    if isinstance(part, str) or of_pairs is not (endpoint is Endpoint.SET_ATTRIBUTES):
        raise BrokenLimit(f"{endpoint} for user {user!r} was given a {type(part).__name__}")
    if endpoint is Endpoint.REMOVE_ALL_TAGS:
        if part:
            raise BrokenLimit(f"{endpoint} for user {user!r} takes nothing but the user")
        return
    what, most = _MOST[endpoint]
    if not 1 <= len(part) <= most:
        raise BrokenLimit(f"{endpoint} with {len(part)} {what} for user {user!r}; it takes 1 to {most}")


def _texts(request: Request) -> Iterator[str]:
    yield from chain.from_iterable(request.parts.values())
    if request.endpoint is Endpoint.SET_ATTRIBUTES:
        yield from chain.from_iterable(
            part.values() for part in request.parts.values() if isinstance(part, Mapping)
        )


def _fit(texts: Iterable[str], most: int) -> bool:
    lengths = [*map(len, map(str.encode, texts))]
    return not lengths or (min(lengths) >= 1 and max(lengths) <= most)


_CHANGE: Final[Mapping[Endpoint, Callable[[str], Change]]] = {
    Endpoint.ADD_TAGS: AddTag,
    Endpoint.REMOVE_TAGS: RemoveTag,
    Endpoint.REMOVE_ATTRIBUTES: RemoveAttribute,
}


def _changes(endpoint: Endpoint, part: Part) -> Iterator[Change]:
    if isinstance(part, Mapping):
        yield from (SetAttribute(name, value) for name, value in part.items())
    elif endpoint is Endpoint.REMOVE_ALL_TAGS:
        yield RemoveAllTags()
    else:
        yield from (_CHANGE[endpoint](text) for text in part)


def _check_bytes(endpoint: Endpoint, user: UserId, part: Part) -> None:
    for change in _changes(endpoint, part):
        if broken := limits.broken_limit(user, change):
            raise BrokenLimit(f"{endpoint} for user {user!r}: {broken}")


def _pairs(part: Part) -> dict[str, str]:
    assert isinstance(part, Mapping), "checked before it is encoded"
    return dict(part)
