"""The limits as this side read them. "Documented" is a page of this API; "inferred" is our conclusion."""

import re
from typing import Final

USERS_PER_REQUEST: Final = 100
"""Documented for the seven endpoints that name users (older copies say 500)."""

TAGS_PER_ADD: Final = 10
"""Documented for one user in one im_add_tag. Nothing is said of im_remove_tag, so none there."""

TAGS_PER_REPLACE: Final = 100
"""Documented for one user in one add_tag of the successor that replaces what he carries."""

TAGS_PER_USER: Final = 100
"""Documented: what one user can carry (a draft says 10)."""

TAGS_PER_APP_OF_THE_SUCCESSOR: Final = 1000
"""Documented for the successor: distinct tags of all users. Nothing is said of all_member_push."""

TAG_BYTES: Final = 50
"""Documented. That it is UTF-8, and that an empty tag is refused outside a condition too, is inferred."""

ATTRIBUTES_PER_APP: Final = 10
"""Documented: the slots "0" to "9"."""

NAME_BYTES: Final = 50
"""Documented, for the name of an attribute."""

VALUE_BYTES: Final = 50
"""Documented, for the value of an attribute; that it cannot be empty is in a table of 2021."""

USER_BYTES: Final = 32
"""Documented on the account pages; they disagree on the characters, so all are taken."""

PROFILE_BYTES: Final = 500
"""Documented for a field of a profile: here the nickname and the address of the picture."""

REGISTRATION_ID: Final = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
"""How the successor names a device, by its samples. It stands where a user may stand."""

RANDOM_MOST: Final = 4294967295
"""Documented: `random` in the query is an unsigned 32-bit integer."""


def fits(text: str, most: int) -> bool:
    """Whether *text* has 1 to *most* bytes of UTF-8."""
    return 0 < (len(text) if text.isascii() else len(text.encode())) <= most


def is_device(name: str) -> bool:
    """Whether *name* is a registration id, which the successor takes where it takes a user."""
    return len(name) == 36 and REGISTRATION_ID.fullmatch(name) is not None
