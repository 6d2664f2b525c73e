"""Which words on a user are the latest by the time of their events, for sources that write them out of order.

The log's order decides between events; here a change is left out that a later event, which stands before it in the
log, has overtaken. Only what this replica has read since the assignment is known, and not all of that for ever: it
is a help, and no promise.
"""

from collections import OrderedDict
from collections.abc import Sequence

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)

_NEVER = (float("-inf"), False)


class _Words:
    """The moment of the last word on each name of one user, and on all his tags. Epoch seconds."""

    __slots__ = ("attributes", "no_tags_at", "tags")

    def __init__(self) -> None:
        self.attributes: dict[str, float] = {}
        self.tags: dict[
            str, tuple[float, bool]
        ] = {}  # later than no_tags_at, or as late; True: he carries it
        self.no_tags_at = _NEVER[0]

    def __len__(self) -> int:
        return len(self.tags) + len(self.attributes) + 1


class EventTimes:
    """What is known of one assignment's users.

    most_names: of attributes and tags, over all users, and each user counts as one more; beyond, the user of whom
    nothing was read for longest is forgotten.
    """

    def __init__(self, *, most_names: int) -> None:
        self._most_names = most_names
        self._users: OrderedDict[UserId, _Words] = OrderedDict()
        self.names = 0
        """How many names are known, as `most_names` counts them."""

    def timely(self, user_id: UserId, changes: Sequence[Change], at: float) -> tuple[list[Change], int]:
        """*changes* of an event of the moment *at* (epoch seconds), as they are to be applied; and how many are late.

        Those on which a later event has spoken are late, and left out; of two events of one moment the later one in
        the log wins. Where all tags are removed too late, those that were added since are added again.
        """
        words = self._users.get(user_id)
        if words is None:
            words = self._users[user_id] = _Words()
            self.names += 1
        else:
            self._users.move_to_end(user_id)
        before, late = len(words), 0
        timely: list[Change] = []
        for change in changes:
            match change:
                case SetAttribute(name, _) | RemoveAttribute(name) if words.attributes.get(name, at) <= at:
                    words.attributes[name] = at
                    timely.append(change)
                case AddTag(tag) | RemoveTag(tag) if (
                    max(words.no_tags_at, words.tags.get(tag, _NEVER)[0]) <= at
                ):
                    words.tags[tag] = (at, type(change) is AddTag)
                    timely.append(change)
                case RemoveAllTags() if words.no_tags_at <= at:
                    words.no_tags_at = at
                    words.tags = {tag: word for tag, word in words.tags.items() if word[0] > at}
                    timely.append(change)
                    timely += [AddTag(tag) for tag, (_, added) in words.tags.items() if added]
                case _:
                    late += 1
        self.names += len(words) - before
        while self.names > self._most_names:
            self.names -= len(self._users.popitem(last=False)[1])
        return timely, late
