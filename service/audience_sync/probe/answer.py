"""What the app answered, read with patience: a strange answer reads as nothing, never as something else."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from audience_sync.chat_api.errors import NO_ANSWER
from audience_sync.core.limits import ATTRIBUTES_PER_APP

SLOTS: Final = frozenset(map(str, range(ATTRIBUTES_PER_APP)))
"""What slots are called."""

INFO_CHARACTERS: Final = 300
"""Of the API's words, this much is kept as evidence."""


class Answer(msgspec.Struct, frozen=True):
    """One answer as it came."""

    fields: Mapping[str, object]

    @property
    def code(self) -> int:
        """0 if the request was taken. An answer that says both FAIL and 0 has the code of none."""
        code = _whole(self.fields.get("ErrorCode"))
        return NO_ANSWER if code == 0 and self.fields.get("ActionStatus") == "FAIL" else code

    @property
    def info(self) -> str:
        """The API's words."""
        return str(self.fields.get("ErrorInfo") or "")[:INFO_CHARACTERS]

    @property
    def named(self) -> dict[str, int]:
        """{user: code} of those who were not served, as the answer names them."""
        said = {user: _whole(entry.get("ErrorCode")) for user, entry in self._of_users("ErrorList")}
        return {user: code for user, code in said.items() if code}

    def code_of(self, user: str) -> int:
        """What is said of *user*: by the answer as a whole, or by name."""
        return self.code or self.named.get(user, 0)

    def tags_of(self, user: str) -> list[str] | None:
        """His tags, in order; None if the answer does not show him."""
        entry = self._entry("UserTags", user)
        if entry is None:
            return None
        tags = entry.get("Tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    def attributes_of(self, user: str) -> dict[str, object] | None:
        """His attributes, values as they came; None if the answer does not show him."""
        entry = self._entry("UserAttrs", user)
        if entry is None:
            return None
        attributes = entry.get("Attrs")
        return dict(attributes) if isinstance(attributes, dict) else {}

    @property
    def attribute_names(self) -> dict[str, str] | None:
        """{slot: name}, without slots that are free; None if the answer does not clearly say."""
        names = self.fields.get("AttrNames")
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            return None
        return {slot: name for slot, name in names.items() if name} if names.keys() <= SLOTS else None

    @property
    def attribute_types(self) -> dict[str, object]:
        """{slot: type}; the successor's alone."""
        types = self.fields.get("AttrTypes")
        return dict(types) if isinstance(types, dict) else {}

    @property
    def task_id(self) -> str:
        """The number of a push; empty if there is none."""
        return str(self.fields.get("TaskId") or "")

    def is_imported(self, user: str) -> bool | None:
        """What a check of accounts says of *user*; None if nothing."""
        for item in self._objects("ResultItem"):
            if item.get("UserID") == user and _whole(item.get("ResultCode")) == 0:
                return {"Imported": True, "NotImported": False}.get(str(item.get("AccountStatus")))
        return None

    def deletion_code_of(self, user: str) -> int:
        """What a deletion of accounts says of *user*; 0 if he was deleted."""
        if self.code:
            return self.code
        codes = [
            _whole(item.get("ResultCode"))
            for item in self._objects("ResultItem")
            if item.get("UserID") == user
        ]
        return codes[0] if codes else NO_ANSWER

    def _entry(self, field: str, user: str) -> Mapping[str, object] | None:
        return None if self.code else dict(self._of_users(field)).get(user)

    def _of_users(self, field: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        for entry in self._objects(field):
            yield str(entry.get("To_Account")), entry

    def _objects(self, field: str) -> Iterator[Mapping[str, object]]:
        entries = self.fields.get(field)
        yield from (
            (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
        )


def _whole(value: object) -> int:
    if isinstance(value, bool):
        return NO_ANSWER
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else NO_ANSWER
