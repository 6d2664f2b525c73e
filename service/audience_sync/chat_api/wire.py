"""The paths and bodies of the calls that write and read users, and the limits of what may be written into them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Final, cast

import msgspec

from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.core import limits
from audience_sync.core.changes import SET_ATTRIBUTES, Endpoint, Part, Request, UserId


class Family(StrEnum):
    """The two families of commands with the same bodies. Source: docs/chat-api.md#families."""

    ALL_MEMBER_PUSH = "all_member_push"
    TIMPUSH = "timpush"
    """The successor."""


class Command(StrEnum):
    """Everything that can be asked. The writing ones are called as in `core.changes.Endpoint`."""

    PUSH = "push"
    REVOKE = "revoke"
    """The successor's alone."""
    SET_ATTRIBUTE_NAMES = "set_attr_name"
    GET_ATTRIBUTE_NAMES = "get_attr_name"
    GET_ATTRIBUTES = "get_attr"
    SET_ATTRIBUTES = "set_attr"
    REMOVE_ATTRIBUTES = "remove_attr"
    GET_TAGS = "get_tag"
    ADD_TAGS = "add_tag"
    REMOVE_TAGS = "remove_tag"
    REMOVE_ALL_TAGS = "remove_all_tags"
    IMPORT_ACCOUNT = "account_import"
    IMPORT_ACCOUNTS = "multiaccount_import"
    CHECK_ACCOUNTS = "account_check"
    DELETE_ACCOUNTS = "account_delete"


_OF_ACCOUNTS: Final = frozenset(
    {Command.IMPORT_ACCOUNT, Command.IMPORT_ACCOUNTS, Command.CHECK_ACCOUNTS, Command.DELETE_ACCOUNTS}
)


def path(family: Family, command: Command | Endpoint) -> str:
    """Where *command* is called, from the host on. Those of accounts belong to no family.

    BrokenLimit for one that the family does not have.
    """
    if command in _OF_ACCOUNTS:
        return f"/v4/im_open_login_svc/{command}"
    if family is Family.TIMPUSH:
        return f"/v4/{family}/{'clear_all_tags' if command == Command.REMOVE_ALL_TAGS else command}"
    if command == Command.REVOKE:
        raise BrokenLimit(
            f"{command}: only the family {Family.TIMPUSH} has it, and this client calls {family}"
        )
    return f"/v4/{family}/im_{command}"


_ENCODER: Final = msgspec.json.Encoder()


def encode(request: Request) -> bytes:
    """The body of *request*, up to about 75 KB. BrokenLimit names what the API would refuse.

    Source: docs/chat-api.md#bodies.
    """
    _check(request)
    return _encoded(request.endpoint, request.parts)


def _encoded(endpoint: Endpoint, users: Mapping[UserId, Part]) -> bytes:
    match endpoint:
        case Endpoint.ADD_TAGS | Endpoint.REMOVE_TAGS:
            tags = [{"To_Account": user, "Tags": _texts_of(part)} for user, part in users.items()]
            return _ENCODER.encode({"UserTags": tags})
        case Endpoint.SET_ATTRIBUTES:
            values = [{"To_Account": user, "Attrs": _pairs(part)} for user, part in users.items()]
            return _ENCODER.encode({"UserAttrs": values})
        case Endpoint.REMOVE_ATTRIBUTES:  # names only: an array, not an object as for setting
            names = [{"To_Account": user, "Attrs": list(part)} for user, part in users.items()]
            return _ENCODER.encode({"UserAttrs": names})
        case Endpoint.REMOVE_ALL_TAGS:
            return _ENCODER.encode({"To_Account": list(users)})


def encode_users(command: Command, users: Collection[str]) -> bytes:
    """The body of a call that names users and nothing else. BrokenLimit for what the API would refuse."""
    if not 1 <= len(users) <= limits.USERS_PER_REQUEST:
        raise BrokenLimit(f"{command} with {len(users)} users; it takes 1 to {limits.USERS_PER_REQUEST}")
    for user in users:
        if broken := limits.broken_text("the user", user, limits.USER_ID_BYTES):
            raise BrokenLimit(f"{command}: {broken}")
    return _ENCODER.encode({"To_Account": list(users)})


def encode_replacement(tags: Mapping[UserId, Part]) -> bytes:
    """The body that leaves each user with these tags alone, up to as many as he can carry; the successor's."""
    for user, part in tags.items():
        if not isinstance(part, list | tuple) or not 1 <= len(part) <= limits.TAGS_PER_USER:
            raise BrokenLimit(
                f"add_tag for user {user!r}: replacing takes a list of 1 to {limits.TAGS_PER_USER} tags"
            )
        _check_bytes(Endpoint.ADD_TAGS, user, part)
    entries = [{"To_Account": user, "Tags": part} for user, part in tags.items()]
    return _ENCODER.encode({"Replace": 1, "UserTags": entries})


def encode_attribute_names(names: Mapping[int, str], types: Mapping[int, int] | None = None) -> bytes:
    """The body that gives slots their names. BrokenLimit for a wrong slot or length, or a name that stands twice.

    types: {slot: 0 for attributes of users, 1 for those of devices}; the successor's alone.
    """
    command, slots = Command.SET_ATTRIBUTE_NAMES, limits.ATTRIBUTES_PER_APP
    if not names:
        raise BrokenLimit(f"{command} without a name; give at least one slot its name")
    taken: dict[str, int] = {}
    for slot, name in names.items():
        if slot not in range(slots):
            raise BrokenLimit(f"{command}: there is no slot {slot!r}; slots are 0 to {slots - 1}")
        if broken := limits.broken_text("the attribute name", name, limits.ATTRIBUTE_NAME_BYTES):
            raise BrokenLimit(f"{command}: slot {slot}: {broken}")
        if taken.setdefault(name, slot) != slot:
            raise BrokenLimit(f"{command}: {name!r} stands in slot {taken[name]} and in slot {slot}")
    body: dict[str, object] = {"AttrNames": {str(slot): name for slot, name in names.items()}}
    if types is not None:
        body["AttrTypes"] = {str(slot): kind for slot, kind in types.items()}
    return _ENCODER.encode(body)


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
    if not _are_plain(request):
        for user, part in request.parts.items():
            _check_shape(endpoint, user, part)
    # Up to 1,000 tags are measured at a stroke. Only when one does not fit is it looked for.
    if not (_fit(request.parts, limits.USER_ID_BYTES) and _fit(_texts(request), _TEXT_BYTES)):
        for user, part in request.parts.items():
            _check_bytes(endpoint, user, part)


def _are_plain(request: Request) -> bool:
    """Whether all parts surely have the shape that is asked for: then nobody is looked at by himself."""
    if request.endpoint not in _MOST:
        return False
    kind = dict if request.endpoint is SET_ATTRIBUTES else list
    _, most = _MOST[request.endpoint]
    return all(type(part) is kind and 0 < len(part) <= most for part in request.parts.values())


def _check_shape(endpoint: Endpoint, user: UserId, part: Part) -> None:
    kind = type(part)  # asking for the abstract types is slow
    of_pairs = kind is dict or (kind is not list and isinstance(part, Mapping))
    of_texts = kind is list or (kind is not str and isinstance(part, Collection))
    if not of_texts or of_pairs is not (endpoint is Endpoint.SET_ATTRIBUTES):
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
    if request.endpoint is SET_ATTRIBUTES:
        parts = cast("Mapping[UserId, Mapping[str, str]]", request.parts)  # their shape was looked at before
        yield from chain.from_iterable(part.values() for part in parts.values())


def _fit(texts: Iterable[str], most: int) -> bool:
    texts = [*texts]
    try:
        is_ascii = "".join(texts).isascii()
        lengths = [*map(len, texts if is_ascii else map(str.encode, texts))]
    except (TypeError, UnicodeEncodeError):  # no text, or half a character
        return False
    return not lengths or (min(lengths) >= 1 and max(lengths) <= most)


def _check_bytes(endpoint: Endpoint, user: UserId, part: Part) -> None:
    if broken := limits.broken_text("the user", user, limits.USER_ID_BYTES):
        raise BrokenLimit(f"{endpoint}: {broken}")
    what = "the tag" if endpoint in (Endpoint.ADD_TAGS, Endpoint.REMOVE_TAGS) else "the attribute name"
    for text in part:
        if broken := limits.broken_text(what, text, _TEXT_BYTES):
            raise BrokenLimit(f"{endpoint} for user {user!r}: {broken}")
    for name, value in part.items() if isinstance(part, Mapping) else ():
        if broken := limits.broken_text(f"the value of attribute {name!r}", value, _TEXT_BYTES):
            raise BrokenLimit(f"{endpoint} for user {user!r}: {broken}")


def _pairs(part: Part) -> dict[str, str]:
    if type(part) is dict:
        return part
    assert isinstance(part, Mapping), "checked before it is encoded"
    return dict(part)


def _texts_of(part: Part) -> list[str]:
    return part if type(part) is list else list(part)
