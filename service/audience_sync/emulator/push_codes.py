"""The codes that pushes are refused with. The meanings are those of the push pages and the private code tables."""

from enum import IntEnum


class PushCode(IntEnum):
    """Codes of im_push, push and revoke, beside the general ones."""

    BAD_STRUCTURE = 90001
    BAD_BODY = 90002
    BAD_RANDOM = 90005
    BODY_NOT_LIST = 90007
    BAD_ELEMENT = 90010
    TAG_TOO_LONG = 90020
    TAG_IN_TWO_LISTS = 90022
    TOO_SOON = 90024
    BAD_LIFE_TIME = 90026
    TOO_MANY_TAGS = 90032
    BAD_ATTRIBUTE = 90033
    TAGS_AND_ATTRIBUTES = 90039
    EMPTY_TAG = 90040
    BAD_OFFLINE_PUSH = 90043
    LIFE_TIME_NOT_INTEGER = 90044
    QUOTA_USED_UP = 90047
    TASK_UNKNOWN = 90049
    REVOKED_BEFORE = 90050
    REVOKED_TOO_SOON = 90051
    REVOKED_TOO_LATE = 90052
    REVOKED_WITHOUT_OFFLINE_PUSH = 90053
    PUSH_TOO_LARGE = 90056
    PACKET_TOO_LARGE = 93000
