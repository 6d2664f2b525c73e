"""The API's numbers, each with where it was read. "Documented" is the vendor's page; none was measured."""

from typing import Final

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)

USERS_PER_REQUEST: Final = 100
"""Documented for each of the endpoints that name users; one more is refused with 90018."""

TAGS_PER_USER_AND_REQUEST: Final = 10
"""Documented for adding. Nothing is said of removing, so the same number is kept there."""

TAGS_PER_USER: Final = 100
"""Documented (a draft says 10): what one user can carry, and what the successor can replace at once."""

TAG_BYTES: Final = 50
"""Documented. Counted in UTF-8 (inferred: the pages say bytes and use Chinese tags)."""

ATTRIBUTE_NAME_BYTES: Final = 50
"""Documented."""

ATTRIBUTE_VALUE_BYTES: Final = 50
"""Documented."""

ATTRIBUTES_PER_APP: Final = 10
"""Documented: ten slots. So no user can have more than ten in one request."""

USER_ID_BYTES: Final = 32
"""Documented on the account pages. They disagree on the characters allowed, so none is refused here."""

PROFILE_FIELD_BYTES: Final = 500
"""Documented with importing accounts, for a nick and the URL of a picture; more is refused with 40601."""

CALLS_PER_SECOND: Final = 100
"""Documented for each endpoint but push; counted per app and endpoint (inferred)."""

TAGS_PER_LIST: Final = 10
"""Documented for each list of a push's condition; one more is refused with 90032."""

PUSH_LIFE_SECONDS: Final = 604_800
"""Documented: seven days; more is refused with 90026."""

RANDOM_MOST: Final = 2**32 - 1
"""Documented: the number of a push is an unsigned one of 32 bits."""

CUSTOM_ELEMENTS_PER_MESSAGE: Final = 1
"""Documented with the message formats; of other elements there may be any number."""

MESSAGE_BYTES: Final = 12 * 1024
"""Documented as "12 K" for any message (93000); that K is 1,024 and the whole body counts is inferred."""

TIMPUSH_BYTES: Final = 10 * 1024
"""Documented as "10 K" for a push of the successor (90056); read like that of a message."""

SERVER_TIMEOUT_SECONDS: Final = 3.0
"""Documented on an older page: the server gives up after this; a caller's own limit must be longer."""


CHANGES_PER_EVENT: Final = 10_000
"""Ours: an event is translated in one go, and 10,000 changes take a tenth of a second, in which nothing is sent."""


def broken_limit(user: str, change: Change) -> str | None:
    """The limit that *change* of *user* breaks, as a sentence that names the value, or None."""
    return broken_by_user(user) or broken_by_change(change)


def broken_by_user(user: str) -> str | None:
    """The limit that the identifier of a user breaks, as a sentence that names it, or None."""
    return None if 1 <= len(user.encode()) <= USER_ID_BYTES else _sized("the user", user, USER_ID_BYTES)


def broken_by_change(change: Change) -> str | None:
    """The limit that *change* breaks, whomever it concerns, as a sentence that names the value, or None."""
    match change:
        case SetAttribute(name, _) | RemoveAttribute(name) if (
            not 1 <= len(name.encode()) <= ATTRIBUTE_NAME_BYTES
        ):
            return _sized("the attribute name", name, ATTRIBUTE_NAME_BYTES)
        case SetAttribute(name, value) if not 1 <= len(value.encode()) <= ATTRIBUTE_VALUE_BYTES:
            return _sized(f"the value of attribute {name!r}", value, ATTRIBUTE_VALUE_BYTES)
        case AddTag(tag) | RemoveTag(tag) if not 1 <= len(tag.encode()) <= TAG_BYTES:
            return _sized("the tag", tag, TAG_BYTES)
        case SetAttribute() | RemoveAttribute() | AddTag() | RemoveTag() | RemoveAllTags():
            return None


def broken_text(what: str, value: object, most: int) -> str | None:
    """Why the API would not take *value* as a text of 1 to *most* bytes, called *what*; or None."""
    if not isinstance(value, str):
        return f"{what} {value!r} is no text but {type(value).__name__}; the Chat API takes texts"
    try:
        return None if 1 <= len(value.encode()) <= most else _sized(what, value, most)
    except UnicodeEncodeError:
        return f"{what} {value!r} cannot be written in UTF-8"


def _sized(what: str, value: str, most: int) -> str:
    return f"{what} {value!r} has {len(value.encode())} bytes of UTF-8; the Chat API takes 1 to {most}"
