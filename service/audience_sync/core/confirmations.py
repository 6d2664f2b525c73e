"""What the Chat API has confirmed of users lately: a change that repeats it changes nothing, and need not be sent.

A mistake here would leave a user out of step, and nobody would notice. So what is not certain is unknown: a name
is forgotten the moment a request with it is cut, and known again only with its confirmation; a user of whom
something was refused is forgotten whole; and after a while everybody is, since others may write to the app too.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from audience_sync.core.changes import Endpoint, Part, UserId
from audience_sync.core.folding import Folded


class _Known(Folded):
    """The last confirmed word on each name of one user; with `removes_all_tags` he carries no other tags.

    since: the moment (epoch seconds) from which on anything is known of him.
    """

    since: float = 0.0

    def __len__(self) -> int:
        """As `most_names` counts them."""
        return len(self.tags) + len(self.attributes) + 1


class Confirmations:
    """What is known of users, of one assignment. Moments are epoch seconds, and never go back.

    seconds: how long a user is known, from the first of what is known of him; 0: nobody ever is.
    most_names: of attributes and tags, over all users, and each user counts as one more; beyond, whoever is known
    longest is forgotten.
    """

    def __init__(self, *, seconds: float, most_names: int) -> None:
        self.seconds = seconds
        self._most_names = most_names
        self._users: dict[UserId, _Known] = {}  # in the order of their `since`
        self._names = 0

    @property
    def names(self) -> int:
        """How many names are known, as `most_names` counts them."""
        return self._names

    def cut(self, user_id: UserId, endpoint: Endpoint, part: Part) -> None:
        """A request leaves with this part of the user: nobody knows how these names stand until it is confirmed."""
        known = self._users.get(user_id)
        if known is None:
            return
        before = len(known)
        if endpoint is Endpoint.SET_ATTRIBUTES or endpoint is Endpoint.REMOVE_ATTRIBUTES:
            for name in part:
                known.attributes.pop(name, None)
        else:
            known.removes_all_tags = False  # of a tag that is under way it is not certain that he lacks it
            for tag in list(known.tags) if endpoint is Endpoint.REMOVE_ALL_TAGS else part:
                known.tags.pop(tag, None)
        self._names += len(known) - before

    def confirmed(self, user_id: UserId, endpoint: Endpoint, part: Part, now: float) -> None:
        """The API has confirmed this part of the user, which was told to `cut` before."""
        if not self.seconds:
            return
        self._forget_the_oldest(now)
        known = self._users.get(user_id)
        if known is None:
            known = self._users[user_id] = _Known(since=now)
            self._names += 1
        before = len(known)
        match endpoint:
            case Endpoint.SET_ATTRIBUTES:
                known.attributes.update(cast("Mapping[str, str]", part))
            case Endpoint.REMOVE_ATTRIBUTES:
                known.attributes.update(dict.fromkeys(cast("Sequence[str]", part)))
            case Endpoint.ADD_TAGS | Endpoint.REMOVE_TAGS:
                known.tags.update(dict.fromkeys(part, endpoint is Endpoint.ADD_TAGS))
            case Endpoint.REMOVE_ALL_TAGS:
                known.removes_all_tags = True
        self._names += len(known) - before

    def forget(self, user_id: UserId) -> None:
        """Nothing is certain of the user any more: something of his was refused."""
        known = self._users.pop(user_id, None)
        if known is not None:
            self._names -= len(known)

    def skip(self, user_id: UserId, left: Folded, now: float) -> Folded:
        """Take out of what is *left* to send what changes nothing. Returns that.

        Called when it is about to be cut: no request with the user is under way.
        """
        repeats = Folded()
        known = self._users.get(user_id)
        if known is None or known.since + self.seconds <= now:
            return repeats
        if left.removes_all_tags and known.removes_all_tags and not any(known.tags.values()):
            left.removes_all_tags, repeats.removes_all_tags = False, True
        if not left.removes_all_tags:  # else he has lost all tags when these leave
            default = False if known.removes_all_tags else None
            tags = known.tags
            repeats.tags = {tag: word for tag, word in left.tags.items() if tags.get(tag, default) is word}
            for tag in repeats.tags:
                del left.tags[tag]
        attributes = known.attributes
        repeats.attributes = {
            name: value for name, value in left.attributes.items() if attributes.get(name, _UNKNOWN) == value
        }
        for name in repeats.attributes:
            del left.attributes[name]
        return repeats

    def _forget_the_oldest(self, now: float) -> None:
        while self._users:
            user_id, oldest = next(iter(self._users.items()))
            if oldest.since + self.seconds > now and self._names < self._most_names:
                return
            self.forget(user_id)


_UNKNOWN = object()
"""Not a value of an attribute, nor None, which is that it has none."""
