"""The names of a store's attributes: ten slots, each with a name and the type of account it is for."""

from collections.abc import Iterable, Mapping

from audience_sync.emulator import limits
from audience_sync.emulator.records import NamesDefined
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import SetAttributeNames
from audience_sync.emulator.switches import Names, Renamed, Switches


class AttributeNames:
    """Which names are defined."""

    def __init__(self) -> None:
        self.by_slot: dict[str, str] = {}
        self.types: dict[str, int] = {}
        """{slot: 0 for users, 1 for registered devices}, of the slots that have a name."""

        self.type_of: dict[str, int] = {}
        """{name: the same}."""

    def settle(self, asked: SetAttributeNames, switches: Switches) -> NamesDefined:
        """What a definition comes to. Raises RefusedError."""
        keeps_others = switches.names is Names.MERGE
        names = (self.by_slot if keeps_others else {}) | dict(asked.names)
        _demand_each_once(names, asked.names)
        for slot, kind in asked.types.items():
            if self.types.get(slot, kind) != kind:
                text = f"attrType of index:{slot} is {self.types[slot]} and cannot be changed"
                raise RefusedError(Code.BAD_ATTRIBUTE, Cause.STATE, text)
        drops_renamed = switches.renamed is Renamed.DROPPED
        dropped = [
            slot
            for slot, name in self.by_slot.items()
            if slot not in names or (drops_renamed and names[slot] != name)
        ]
        types = {slot: asked.types.get(slot, self.types.get(slot, 0)) for slot in names}
        return NamesDefined(names, types, dropped)

    def apply(self, defined: NamesDefined) -> dict[str, str | None]:
        """Take over a definition. Returns {old name: new name, or None} of the values to move, or to drop."""
        moved = {
            name: None if slot in defined.dropped else defined.names[slot]
            for slot, name in self.by_slot.items()
            if slot in defined.dropped or defined.names[slot] != name
        }
        self.by_slot = dict(sorted(defined.names.items()))
        self.types = dict(sorted(defined.types.items()))
        self.type_of = {name: defined.types[slot] for slot, name in defined.names.items()}
        return moved

    def define_if_new(self, names: Iterable[str]) -> SetAttributeNames | None:
        """What would define those of *names* that are not defined, in free slots; None if all are."""
        free = (slot for slot in map(str, range(limits.ATTRIBUTES_PER_APP)) if slot not in self.by_slot)
        new = [name for name in names if name not in self.type_of]
        if len(new) > limits.ATTRIBUTES_PER_APP - len(self.by_slot):
            raise ValueError(f"no free slot for attribute names {new}: {self.by_slot} are there")
        return SetAttributeNames(dict(zip(free, new, strict=False))) if new else None


def _demand_each_once(names: Mapping[str, str], asked: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for slot in sorted(names, key=lambda slot: slot in asked):  # those of the request after those that stay
        name = names[slot]
        if name in taken:
            text = f"attrName:{name} already exists at index:{taken[name]}"
            raise RefusedError(Code.BAD_ATTRIBUTE, Cause.STATE, text)
        taken[name] = slot
