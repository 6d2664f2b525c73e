"""What changes do to a user, and made-up changes for properties. The model that the code is compared with."""

from collections.abc import Iterable
from typing import Final

import msgspec
from hypothesis import strategies as st

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)


class State(msgspec.Struct):
    """What the Chat API keeps of one user."""

    attributes: dict[str, str] = {}
    tags: set[str] = set()

    def apply(self, changes: Iterable[Change]) -> "State":
        """Let *changes* happen, one after another."""
        for change in changes:
            match change:
                case SetAttribute(name, value):
                    self.attributes[name] = value
                case RemoveAttribute(name):
                    self.attributes.pop(name, None)
                case AddTag(tag):
                    self.tags.add(tag)
                case RemoveTag(tag):
                    self.tags.discard(tag)
                case RemoveAllTags():
                    self.tags.clear()
        return self

    def copy(self) -> "State":
        """The same, apart from this one."""
        return State(dict(self.attributes), set(self.tags))


names = st.sampled_from(["city", "tier"])
tags = st.sampled_from([f"stock:{number}" for number in [*range(3)] * 4 + [*range(14)]])
"""A few that meet again and again, and more than fit one request."""

attribute_changes: Final[st.SearchStrategy[Change]] = st.one_of(
    st.builds(SetAttribute, names, st.sampled_from("123")), st.builds(RemoveAttribute, names)
)
tag_changes: Final[st.SearchStrategy[Change]] = st.one_of(
    *[st.builds(AddTag, tags), st.builds(RemoveTag, tags)] * 3, st.just(RemoveAllTags())
)
changes: Final[st.SearchStrategy[Change]] = attribute_changes | tag_changes
states: Final = st.builds(
    State,
    attributes=st.dictionaries(names, st.sampled_from("123")),
    tags=st.sets(tags, max_size=14),
)
