"""What a probe found out about an app: the file it stands in, and what of it a client goes by."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec

from audience_sync.core import limits

VERSION: Final = 1
"""Of the file's format."""

UNKNOWN_ACCOUNT_CODES: Final = frozenset({70107, 90048, 90012})
"""Codes that say of a user that he does not exist. Documented on several pages, for none of these calls."""


class ProfileError(ValueError):
    """A profile that can't be used. The message names the file, the field and the way out."""


class Batch(StrEnum):
    """What becomes of a request in which some users cannot be served."""

    REJECT = "reject"
    """Refused as a whole, nothing is applied."""
    PARTIAL = "partial"
    """The others are applied, and the answer names the bad ones."""
    PREFIX = "prefix"
    """Those before the first bad one are applied, then the request is refused."""
    IGNORE = "ignore"
    """The others are applied, and nobody is named."""


class Combined(StrEnum):
    """How TagsOr with TagsAnd, and AttrsOr with AttrsAnd, combine in one condition."""

    AND = "and"
    """Both must match."""
    OR = "or"
    """One is enough."""
    REFUSED = "refused"
    """The request is refused."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an app beyond the documentation. As it is made: nothing was asked."""

    batch: Batch | None = None
    """None: not known."""

    combined: Combined | None = None
    """None: not known."""

    unknown_account_codes: frozenset[int] = UNKNOWN_ACCOUNT_CODES
    """The codes that say of a user that he does not exist: those of the pages, and the one that was found."""

    most_tags_per_removal: int = limits.TAGS_PER_USER_AND_REQUEST
    """Tags that one removal may name for one user. Not known: as many as for adding."""

    repeat_window_seconds: float | None = None
    """How long a push's random number is remembered. None: not known."""

    app_id: int | None = None
    """The app that was asked. None: nobody was."""

    family: str | None = None
    """The family of commands that was asked."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One call that a probe made, and what was answered."""

    question: str
    command: str
    code: int
    info: str = ""
    asked: str = ""
    """What the call was for, within the question."""

    named: dict[str, int] = msgspec.field(default_factory=dict)
    """{user: code} of the users whom the answer named."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A profile as its file holds it."""

    profile: int = VERSION
    family: str
    app_id: int
    asked_at: str
    """UTC, in ISO 8601."""

    switches: dict[str, str | int | float | None]
    """What was found: {open point of the documentation: how the app stands to it}."""

    open: dict[str, str] = msgspec.field(default_factory=dict)
    """{what was not found: why}."""

    seen: list[Seen] = msgspec.field(default_factory=list)
    """The evidence. No secret is in it."""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """Those switches that a client goes by; the others are the emulator's."""

    batch: Batch | msgspec.UnsetType = msgspec.UNSET
    combined: Combined | msgspec.UnsetType = msgspec.UNSET
    unknown_account_code: Annotated[int, msgspec.Meta(ge=1, le=999_999)] | msgspec.UnsetType = msgspec.UNSET
    most_tags_per_removal: Annotated[int, msgspec.Meta(ge=1)] | msgspec.UnsetType | None = msgspec.UNSET
    repeat_window_seconds: Annotated[float, msgspec.Meta(ge=0)] | msgspec.UnsetType = msgspec.UNSET


class _File(msgspec.Struct, frozen=True, kw_only=True):
    profile: int
    family: str
    app_id: int
    switches: _Found


def read_profile(path: Path) -> Profile:
    """What the file at *path* says. Raises ProfileError, which names the file and the field."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ProfileError(f"{path}: the profile cannot be read: {error.strerror}") from error
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(f"{path}: no profile that `audience-sync probe` wrote: {error}") from error
    if file.profile != VERSION:
        raise ProfileError(f"{path}: field profile: the format is {file.profile}, and {VERSION} can be read")
    return _profile(file)


def _profile(file: _File) -> Profile:
    found = file.switches
    codes, most = UNKNOWN_ACCOUNT_CODES, limits.TAGS_PER_USER_AND_REQUEST
    if found.unknown_account_code is not msgspec.UNSET:
        codes |= {found.unknown_account_code}
    if found.most_tags_per_removal is not msgspec.UNSET:
        most = min(found.most_tags_per_removal or limits.TAGS_PER_USER, limits.TAGS_PER_USER)
    return Profile(
        batch=None if found.batch is msgspec.UNSET else found.batch,
        combined=None if found.combined is msgspec.UNSET else found.combined,
        unknown_account_codes=codes,
        most_tags_per_removal=most,
        repeat_window_seconds=None
        if found.repeat_window_seconds is msgspec.UNSET
        else found.repeat_window_seconds,
        app_id=file.app_id,
        family=file.family,
    )
