"""The open points of the documentation, called as the emulator calls its switches."""

from collections.abc import Mapping
from typing import Final

Value = str | int | float | None
"""How an app stands to one open point. None: no limit."""

ASKED: Final[Mapping[str, str]] = {
    "batch": "what becomes of a request in which one user cannot be served",
    "accounts": "whether a write makes an unknown account come into being",
    "unknown_account_code": "the code of a request for an unknown account",
    "unknown_read": "what a read says of an unknown account",
    "structure": "the codes for a body of a wrong shape",
    "values": "whether values that are no strings are taken",
    "removal": "whether an object is taken where names to remove are an array",
    "unset": "what the removal of an attribute without a value is answered",
    "names": "whether a definition of attribute names leaves the other slots alone",
    "renamed": "whether values outlive another name of their slot",
    "overfull": "what becomes of a tag beyond the hundred that a user can carry",
    "overfull_code": "the code for it, where it is refused",
    "most_tags_per_removal": "how many tags one removal may name for one user",
    "most_tags_of_the_app": "how many distinct tags an app can have",
    "twice": "what becomes of a request that names one user twice",
    "combined": "whether TagsOr and TagsAnd may stand in one condition",
    "stores": "whether both families see the same tags",
    "deleted": "whether tags outlive the account that carries them",
    "feature_off": "what is refused while push to all users is off",
    "repeated": "what a push is answered that repeats the random number of another",
    "repeat_window_seconds": "how long that random number is remembered",
    "not_admin_code": "the code for a caller who is no administrator",
}
"""{switch: what it says}. A question decides each, as far as the app allows."""

NOT_ASKED: Final[Mapping[str, str]] = {
    "day_starts_hours_east": "seen only by using up the quota of pushes around a midnight",
    "daily_quota": "seen only by using it up; 100 pushes are documented",
    "rates": "which code comes first beyond 100 calls a second, and whose calls count together, would take a flood",
    "freshness": "after how long a push finds a new tag is seen only by those who receive it",
    "future": "whether all_member_push is to be retired is for the vendor to say",
}
"""{what no question can find out in minutes, or without harm: why}. The first one is a switch."""
