"""Why a request is refused: the code, the words, and whose mistake it is."""

from enum import IntEnum, StrEnum


class Code(IntEnum):
    """The codes this emulator answers by itself. The meanings are the general and private code tables'."""

    PROFILE_TOO_LONG = 40601
    BAD_ADDRESS = 60002
    BAD_PACKET = 60003
    APP_UNKNOWN = 60006
    TOO_FAST = 60007
    PATH_UNKNOWN = 60009
    NOT_ADMIN = 60010
    APP_TOO_FAST = 60011
    APP_MISSING = 60012
    SIGNATURE_EXPIRED = 70001
    SIGNATURE_UNREADABLE = 70003
    SIGNATURE_WRONG = 70009
    SIGNATURE_OF_ANOTHER_USER = 70013
    SIGNATURE_OF_ANOTHER_APP = 70014
    NOT_IMPORTED = 70107
    RETURNS_TOO_SOON = 70399
    BAD_ACCOUNT = 70402
    BAD_JSON = 90001
    TOO_MANY_USERS = 90018
    BAD_WRITE = 90019
    BAD_REMOVAL = 90021
    BAD_READ = 90023
    BAD_LENGTH = 90030
    TOO_MANY_TAGS = 90032
    BAD_ATTRIBUTE = 90033
    BAD_TAG = 90034
    BAD_USER = 90035
    FEATURE_OFF = 90045
    TOO_MANY_STORED_TAGS = 90046
    ACCOUNT_UNKNOWN = 90048


class Cause(StrEnum):
    """What kind of mistake a refusal is. SHAPE and LIMIT are the ones a careful client never makes."""

    SHAPE = "shape"
    """The body is not what the page shows."""

    LIMIT = "limit"
    """A documented number was passed."""

    STATE = "state"
    """The request is sound, but names what is not there: a user, an attribute, the feature itself."""

    PACE = "pace"
    """The call came too early."""

    ACCESS = "access"
    """The address or the signature is wrong."""


class RefusedError(Exception):
    """The whole request is refused. Nothing of it was applied, or what the switch `batch` says."""

    def __init__(self, code: int, cause: Cause, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.cause, self.text = int(code), cause, text
