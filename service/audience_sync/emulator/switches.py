"""What the documentation leaves open, each point a switch. The default is the worst case for a client.

`audience-sync probe` finds out how a real app stands to most of them and writes a profile that sets them here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec


class Batch(StrEnum):
    """What becomes of a request in which the stored state of some users forbids it."""

    REJECT = "reject"
    """Refused as a whole, nothing is applied."""
    PARTIAL = "partial"
    """The others are applied; the answer is OK and names the bad ones in ErrorList."""
    PREFIX = "prefix"
    """Those before the first bad one are applied, then the request is refused."""
    IGNORE = "ignore"
    """The others are applied; the answer is OK and says nothing."""


class Accounts(StrEnum):
    """What becomes of a write to a user nobody has imported."""

    AUTO = "auto"
    """He comes into being."""
    IMPORTED = "imported"
    """He is a bad user: see `batch`."""


class UnknownRead(StrEnum):
    """What a reading call says of a user nobody has imported, with accounts=imported."""

    EMPTY = "empty"
    """Empty values."""
    OMIT = "omit"
    """Nothing; ErrorList names him with 70107."""
    REFUSE = "refuse"
    """The whole request is refused."""


class Structure(StrEnum):
    """The code for JSON of a wrong shape."""

    OWN = "own"
    """90019 to set and add, 90021 to remove, 90023 to read."""
    GENERAL = "general"
    """90001 for all of them."""


class Values(StrEnum):
    """What becomes of an attribute's value that is a number, a boolean or null."""

    STRINGS = "strings"
    """Refused with 90033."""
    ANY = "any"
    """Taken as the text that JSON has for it."""


class Removal(StrEnum):
    """What becomes of names to remove that come as an object instead of an array."""

    ARRAY = "array"
    """Refused."""
    OBJECT_TOO = "object_too"
    """The keys are the names."""


class Unset(StrEnum):
    """What becomes of the removal of an attribute that the user has no value of."""

    OK = "ok"
    """Nothing to do."""
    REFUSED = "refused"
    """He is a bad user, with 90033: see `batch`."""


class Names(StrEnum):
    """What becomes of slots that a definition of attribute names leaves out."""

    MERGE = "merge"
    """They stay."""
    OVERWRITE = "overwrite"
    """They are free again, and their values are gone."""


class Renamed(StrEnum):
    """What becomes of the values of a slot that gets another name."""

    KEPT = "kept"
    """They have the new name."""
    DROPPED = "dropped"
    """They are gone."""


class Overfull(StrEnum):
    """What becomes of a tag beyond those that a user can carry."""

    REFUSED = "refused"
    """He is a bad user: see `batch`."""
    OLDEST_LEAVES = "oldest_leaves"
    """It is added, and his oldest one goes."""
    DROPPED = "dropped"
    """It is not added, and nobody says so."""


class Twice(StrEnum):
    """What becomes of a request that names one user twice."""

    IN_ORDER = "in_order"
    """He is served in order."""
    REFUSED = "refused"
    """Refused as a whole with 90001."""


class Combined(StrEnum):
    """How TagsOr with TagsAnd, and AttrsOr with AttrsAnd, combine in one condition."""

    AND = "and"
    """Both must match."""
    OR = "or"
    """One is enough."""
    REFUSED = "refused"
    """Refused with 90039."""


class Stores(StrEnum):
    """Whether both families see the same attributes and tags."""

    ONE = "one"
    SEPARATE = "separate"


class Deleted(StrEnum):
    """What becomes of the attributes and tags of an account that is deleted."""

    FORGOTTEN = "forgotten"
    """They are gone when he is imported again, and until then he is unknown."""
    KEPT = "kept"
    """Reading him still shows them, and they are there when he is imported again."""


class FeatureOff(StrEnum):
    """Which calls are refused with 90045 while the feature is off."""

    ALL = "all"
    PUSH = "push"


class Repeated(StrEnum):
    """What a push is answered that repeats the MsgRandom of another within the window."""

    SAME_TASK = "same_task"
    """OK with the first one's TaskId; nothing is delivered again."""
    REFUSED = "refused"
    """Refused with 90005."""


CodeNumber = Annotated[int, msgspec.Meta(ge=1, le=999_999)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an app stands to each open point. A profile holds some of them; the rest keep their default."""

    batch: Batch = Batch.REJECT
    """For all_member_push. The successor documents `partial`, and has it here whatever this says."""

    accounts: Accounts = Accounts.AUTO
    """Users nobody has imported, on a write."""

    unknown_account_code: CodeNumber = 90048
    """The code of a user nobody has imported, said of the request (ErrorList has 70107)."""

    unknown_read: UnknownRead = UnknownRead.EMPTY
    """Users nobody has imported, on a read."""

    structure: Structure = Structure.OWN
    """The code for JSON of a wrong shape."""

    values: Values = Values.STRINGS
    """Values that are no strings."""

    removal: Removal = Removal.ARRAY
    """Names to remove as an object, as one public SDK sends them."""

    unset: Unset = Unset.OK
    """Removing an attribute that has no value."""

    names: Names = Names.MERGE
    """Slots that a definition leaves out."""

    renamed: Renamed = Renamed.KEPT
    """Values of a slot that gets another name."""

    overfull: Overfull = Overfull.REFUSED
    """Tags beyond those that a user can carry."""

    overfull_code: CodeNumber = 90046
    """The code for them, where they are refused."""

    most_tags_per_removal: Count | None = None
    """Tags that one removal may name for one user; null: any number."""

    most_tags_of_the_app: Count | None = None
    """Distinct tags of all users; null: any number, or with the successor the documented 1000. Beyond: 90046."""

    twice: Twice = Twice.IN_ORDER
    """One user twice in a request."""

    combined: Combined = Combined.AND
    """Both lists in one condition."""

    stores: Stores = Stores.ONE
    """Whether the families share attributes and tags."""

    deleted: Deleted = Deleted.FORGOTTEN
    """What was known of an account that is deleted."""

    feature_off: FeatureOff = FeatureOff.ALL
    """What the feature's being off refuses."""

    repeated: Repeated = Repeated.SAME_TASK
    """A push with a MsgRandom of another."""

    repeat_window_seconds: Annotated[float, msgspec.Meta(ge=0, le=604_800)] = 604_800.0
    """How long a MsgRandom is remembered: seven days in older copies of the page, one second in newer ones."""

    not_admin_code: CodeNumber = 60010
    """The code for a caller who is no administrator: 60010 at the gateway, 90009 behind it."""

    day_starts_hours_east: Annotated[float, msgspec.Meta(ge=-12, le=14)] = 8.0
    """The time zone in which the push quota's day begins."""


def changed(switches: Switches, values: Mapping[str, object]) -> Switches:
    """*switches* with some of them set otherwise. Raises ValueError, naming the switch."""
    plain: dict[str, object] = msgspec.to_builtins(switches)
    for name, value in values.items():
        if name not in plain:
            raise ValueError(f"there is no switch {name!r}; there are {', '.join(plain)}")
        try:
            switches = msgspec.convert(plain | {name: msgspec.to_builtins(value)}, Switches)
        except msgspec.ValidationError as error:
            raise ValueError(f"switch {name}={value!r}: {_choices(name) or error}") from error
        plain = msgspec.to_builtins(switches)
    return switches


def _choices(name: str) -> str:
    default = getattr(Switches(), name)
    return f"one of {', '.join(type(default))}" if isinstance(default, StrEnum) else ""
