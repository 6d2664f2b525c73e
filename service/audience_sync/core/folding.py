"""One user's changes folded into the shortest list with the same result."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

import msgspec

from audience_sync.core.changes import (
    ADD_TAGS,
    REMOVE_ALL_TAGS,
    REMOVE_ATTRIBUTES,
    REMOVE_TAGS,
    SET_ATTRIBUTES,
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)
from audience_sync.core.limits import TAGS_PER_USER_AND_REQUEST

_CARRIES: Final[Mapping[type[Change], Endpoint]] = {
    RemoveAllTags: Endpoint.REMOVE_ALL_TAGS,
    RemoveTag: Endpoint.REMOVE_TAGS,
    AddTag: Endpoint.ADD_TAGS,
    SetAttribute: Endpoint.SET_ATTRIBUTES,
    RemoveAttribute: Endpoint.REMOVE_ATTRIBUTES,
}

_IN_ORDER: Final = tuple(Endpoint)
_LEAVES_FIRST: Final = frozenset(
    (first, other)
    for first in Endpoint
    for other in Endpoint
    if _IN_ORDER.index(first) <= _IN_ORDER.index(other)
) - {
    (Endpoint.REMOVE_TAGS, Endpoint.ADD_TAGS),
    (Endpoint.SET_ATTRIBUTES, Endpoint.REMOVE_ATTRIBUTES),
}
"""Of which part it is certain that it leaves first still, after a change that another endpoint carries. Not of the
two pairs taken out: an addition may have the last word on the only tag that was to be removed."""


class Folded(msgspec.Struct, eq=False, gc=False):
    """What remains of one user's changes: the last word on each attribute and each tag.

    Applied to any earlier state, it gives the same result as the changes that were folded into it. Removing
    all tags is a barrier: it wipes what was said of tags before it, and goes out before what was said after.
    """

    removes_all_tags: bool = False
    tags: dict[str, bool] = {}  # True: add it, False: remove it
    attributes: dict[str, str | None] = {}  # None: remove it

    def __len__(self) -> int:
        """How many words there are."""
        return self.removes_all_tags + len(self.tags) + len(self.attributes)

    def __bool__(self) -> bool:
        return self.removes_all_tags or bool(self.tags) or bool(self.attributes)

    def fold(self, change: Change) -> None:
        """Add the next *change* in the log's order. Adding it twice is adding it once."""
        if type(change) is SetAttribute:
            self.attributes[change.name] = change.value
        elif type(change) is AddTag:
            self.tags[change.tag] = True
        elif type(change) is RemoveTag:
            self._remove_tag(change.tag)
        elif type(change) is RemoveAttribute:
            self.attributes[change.name] = None
        else:
            self.removes_all_tags = True
            self.tags.clear()

    def fold_under(self, earlier: "Folded") -> None:
        """Put *earlier* changes below these: where both speak of a name, these have the last word."""
        if not self.removes_all_tags:
            later = self.tags
            self.removes_all_tags, self.tags = earlier.removes_all_tags, dict(earlier.tags)
            for tag, added in later.items():
                if added:
                    self.tags[tag] = True
                else:
                    self._remove_tag(tag)
        self.attributes = {**earlier.attributes, **self.attributes}

    def changes(self) -> Iterator[Change]:
        """The same as a list of changes, the removal of all tags first."""
        if self.removes_all_tags:
            yield RemoveAllTags()
        for tag, added in self.tags.items():
            yield AddTag(tag) if added else RemoveTag(tag)
        for name, value in self.attributes.items():
            yield RemoveAttribute(name) if value is None else SetAttribute(name, value)

    def next_endpoint(self) -> Endpoint | None:
        """The endpoint of the part that leaves first, or None if nothing is left."""
        if self.removes_all_tags:
            return REMOVE_ALL_TAGS
        if self.tags:
            return ADD_TAGS if all(self.tags.values()) else REMOVE_TAGS
        if self.attributes:
            only_removals = all(value is None for value in self.attributes.values())
            return REMOVE_ATTRIBUTES if only_removals else SET_ATTRIBUTES
        return None

    def has_part_for(self, endpoint: Endpoint) -> bool:
        """Whether something is left that *endpoint* carries, now or after other parts."""
        match endpoint:
            case Endpoint.REMOVE_ALL_TAGS:
                return self.removes_all_tags
            case Endpoint.ADD_TAGS:
                return any(self.tags.values())
            case Endpoint.REMOVE_TAGS:
                return not all(self.tags.values())
            case Endpoint.SET_ATTRIBUTES:
                return any(value is not None for value in self.attributes.values())
            case Endpoint.REMOVE_ATTRIBUTES:
                return any(value is None for value in self.attributes.values())

    def take(self, endpoint: Endpoint) -> Part:
        """Take out what one request to *endpoint* may say of this user; the oldest tags first."""
        if endpoint is SET_ATTRIBUTES:
            values = {name: value for name, value in self.attributes.items() if value is not None}
            if len(values) == len(self.attributes):
                self.attributes = {}
            else:
                self.attributes = {name: None for name in self.attributes if name not in values}
            return values
        if endpoint is ADD_TAGS or endpoint is REMOVE_TAGS:
            wanted = endpoint is ADD_TAGS
            tags = [tag for tag, added in self.tags.items() if added is wanted][:TAGS_PER_USER_AND_REQUEST]
            for tag in tags:
                del self.tags[tag]
            return tags
        if endpoint is REMOVE_ATTRIBUTES:
            names = [name for name, value in self.attributes.items() if value is None]
            for name in names:
                del self.attributes[name]
            return names
        self.removes_all_tags = False
        return ()

    def _remove_tag(self, tag: str) -> None:
        if self.removes_all_tags:
            self.tags.pop(tag, None)  # the barrier has removed it already
        else:
            self.tags[tag] = False


def folded(changes: Iterable[Change]) -> Folded:
    """*changes*, in the log's order, as the shortest list with the same result."""
    result = Folded()
    for change in changes:
        result.fold(change)
    return result


def carrier_of(change: Change) -> Endpoint:
    """The endpoint that carries a change which nothing else goes with."""
    return _CARRIES[type(change)]


def part_of(change: Change) -> Part:
    """What a request to that endpoint says of its user."""
    if type(change) is SetAttribute:
        return {change.name: change.value}
    if type(change) is AddTag or type(change) is RemoveTag:
        return [change.tag]
    return [change.name] if type(change) is RemoveAttribute else ()


def leaves_first(endpoint: Endpoint, changes: Iterable[Change]) -> bool:
    """Whether the part for *endpoint*, which leaves first of what is folded, certainly does so after *changes*."""
    return all((endpoint, _CARRIES[type(change)]) in _LEAVES_FIRST for change in changes)


def changes_of(endpoint: Endpoint, part: Part) -> Iterator[Change]:
    """The changes that one user's *part* of a request to *endpoint* carries."""
    match endpoint:
        case Endpoint.SET_ATTRIBUTES:
            for name, value in cast("dict[str, str]", part).items():
                yield SetAttribute(name, value)
        case Endpoint.REMOVE_ATTRIBUTES:
            yield from map(RemoveAttribute, cast("Sequence[str]", part))
        case Endpoint.ADD_TAGS:
            yield from map(AddTag, cast("Sequence[str]", part))
        case Endpoint.REMOVE_TAGS:
            yield from map(RemoveTag, cast("Sequence[str]", part))
        case Endpoint.REMOVE_ALL_TAGS:
            yield RemoveAllTags()


def folded_part(endpoint: Endpoint, part: Part) -> Folded:
    """A user's *part* of a request as folded changes again, as it was before it was taken."""
    return folded(changes_of(endpoint, part))
