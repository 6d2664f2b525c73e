"""An app's ten slots for attribute names: whose they are, and the maps that leave all but ours as they are."""

from collections.abc import Mapping

import msgspec

from audience_sync.probe.answer import SLOTS
from audience_sync.probe.bodies import OWN, OWN_NAMES, Body

OF_USERS = 0
"""The type of an attribute that users have, in the successor. Documented; the other one is of devices."""


class Slots(msgspec.Struct, frozen=True):
    """The slots of an app. What stands in one of ours, an earlier run has left."""

    names: Mapping[str, str]
    """{slot: name}, as read."""

    types: Mapping[str, object]
    """{slot: type}, as read; the successor's alone."""

    are_all: bool = True
    """Whether nothing else is defined: otherwise a definition could free slots that are in use."""

    @property
    def of_the_app(self) -> dict[str, str]:
        """{slot: name} without ours."""
        return {slot: name for slot, name in self.names.items() if not name.startswith(OWN)}

    @property
    def ours(self) -> dict[str, str]:
        """{slot: name} of ours."""
        return {slot: name for slot, name in self.names.items() if name.startswith(OWN)}

    @property
    def usable(self) -> list[str]:
        """The names of attributes that users have, ours first."""
        names = [*self.ours.items(), *self.of_the_app.items()]
        return [name for slot, name in names if self.types.get(slot, OF_USERS) == OF_USERS]

    @property
    def own(self) -> tuple[str, str] | None:
        """The slots of our first two names: where they stand already, or free ones; None if there are none."""
        if not self.are_all:
            return None
        by_name = {name: slot for slot, name in self.ours.items()}
        found = [by_name.get(name) for name in OWN_NAMES[:2]]
        others = [slot for slot in sorted(SLOTS) if self._is_to_be_had(slot)]
        left = [slot for slot in others if slot not in found]
        first, second = (slot or (left.pop(0) if left else None) for slot in found)
        return None if first is None or second is None else (first, second)

    def body(self, own: Mapping[str, str]) -> Body:
        """What defines the app's names again, and ours as told: {slot: name}."""
        names = self.of_the_app | dict(own)
        types = {slot: kind for slot, kind in self.types.items() if slot in names}
        return {"AttrNames": names, **({"AttrTypes": types} if types else {})}

    def _is_to_be_had(self, slot: str) -> bool:
        return slot not in self.of_the_app and self.types.get(slot, OF_USERS) == OF_USERS
