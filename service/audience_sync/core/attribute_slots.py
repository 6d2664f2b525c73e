"""The ten slots of an app's attribute names: who uses them, and which names have to be added where."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from audience_sync.core.limits import ATTRIBUTES_PER_APP
from audience_sync.core.rule import Rule
from audience_sync.core.targets import attribute_names


class NamesDoNotFitError(ValueError):
    """The app can't have the attribute names that the rules need. The message says which, and the way out."""


class Slot(msgspec.Struct, frozen=True):
    """One slot of the app.

    name: of the attribute; None: the slot is free. rules: the names of the rules that write the attribute.
    is_proposed: the app does not have the name yet, and here is where it would be added.
    """

    number: int
    name: str | None = None
    rules: tuple[str, ...] = ()
    is_proposed: bool = False


def to_be_added(defined: Mapping[int, str], needed: Collection[str]) -> dict[int, str]:
    """{slot: name} of those *needed* that are not *defined* ({slot: name}) yet, for free slots.

    In the order of the alphabet into the lowest slots: whoever adds the same names at the same moment chooses the
    same slots. Raises NamesDoNotFitError where there is no room, and for a name that differs from one of the app
    only in upper and lower case: it is more likely a slip than a second attribute, and a slot may be lost for good.
    """
    there = set(defined.values())
    missing = sorted(set(needed) - there)
    others = {name.casefold(): name for name in sorted(there - set(needed))}
    if slips := [(name, others[name.casefold()]) for name in missing if name.casefold() in others]:
        raise NamesDoNotFitError("\n".join(_slip(name, other) for name, other in slips))
    free = [slot for slot in range(ATTRIBUTES_PER_APP) if slot not in defined]
    if len(missing) > len(free):
        raise NamesDoNotFitError(_no_room(defined, needed, missing, free))
    return dict(zip(free, missing, strict=False))


def slots(defined: Mapping[int, str], rules: Sequence[Rule]) -> list[Slot]:
    """All ten slots, with those rules that use them. What can't be added is left out: `to_be_added` says why."""
    users = {name: tuple(_users(name, rules)) for name in attribute_names(rules)}
    try:
        proposed = to_be_added(defined, users)
    except NamesDoNotFitError:
        proposed = {}
    names: dict[int, str] = {**proposed, **defined}
    return [
        Slot(number, name, users.get(name or "", ()), is_proposed=number in proposed)
        for number in range(ATTRIBUTES_PER_APP)
        for name in (names.get(number),)
    ]


def told(names: Mapping[int, str]) -> str:
    """{slot: name} as one writes it for `audience-sync chat set-attribute-names`: 0=city 1=sex."""
    return " ".join(f"{slot}={name}" for slot, name in sorted(names.items()))


def _users(name: str, rules: Sequence[Rule]) -> Iterator[str]:
    return (rule.name for rule in rules if name in attribute_names([rule]))


def _slip(name: str, other: str) -> str:
    return (
        f"the rules write the attribute {name!r}, and the app has {other!r}: correct the rules; or, if both are "
        f"meant, define {name!r} by hand, with `audience-sync chat set-attribute-names` or in the console"
    )


def _no_room(
    defined: Mapping[int, str], needed: Collection[str], missing: Sequence[str], free: Sequence[int]
) -> str:
    unused = {slot: name for slot, name in defined.items() if name not in needed}
    idle = f" Slots that these rules do not use: {told(unused)}." if unused else ""
    return (
        f"the rules need {len(missing)} more attributes ({', '.join(missing)}), and of the app's "
        f"{ATTRIBUTES_PER_APP} slots {len(free)} are free.{idle} Let a rule use a tag instead of an attribute, "
        "or give a slot that nobody needs any more another name with `audience-sync chat set-attribute-names`"
    )
