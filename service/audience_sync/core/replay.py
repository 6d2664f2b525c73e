"""What is still to be said of an older change once newer ones are known, and what that decision rests on.

A replayed letter tells of events that stood in the log long ago. Its place in the order is there, wherever
it is read now: so it loses against every newer word that is known of its user.
"""

from collections.abc import Mapping
from typing import Final

from audience_sync.core.folding import Folded, folded, folded_part
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.replay_ledger import ReplayMark
from audience_sync.core.user_state import User

FRESH_SECONDS: Final = 60.0
"""A replay that is read so soon after it was written is taken in even where events that nobody has looked at were
settled meanwhile. Ours: longer than a busy replica takes to read it; the command looks at those events afterwards."""


def left_of(older: Folded, newer: Folded) -> Folded:
    """What is still to be said of *older* changes after *newer* ones: the user ends as if both came in order.

    A word on which both agree is left: it may be the same word, met again. What a removal of all tags would
    take with it is said again.
    """
    left = Folded()
    left.attributes = {
        name: value
        for name, value in older.attributes.items()
        if name not in newer.attributes or newer.attributes[name] == value
    }
    if older.removes_all_tags:
        left.removes_all_tags = True
        left.tags = {} if newer.removes_all_tags else dict(older.tags)
        left.tags |= newer.tags
        left.tags = {tag: True for tag, added in left.tags.items() if added}
        return left
    otherwise = False if newer.removes_all_tags else None
    left.tags = {
        tag: added
        for tag, added in older.tags.items()
        if (word := newer.tags.get(tag, otherwise)) is None or word is added
    }
    return left


def said_since(words: Folded, newer: Folded) -> Folded:
    """What *newer* changes say of what *words* speak of: to be said again if the words may have gone out later."""
    since = Folded()
    since.attributes = {name: newer.attributes[name] for name in words.attributes if name in newer.attributes}
    if words.removes_all_tags:
        since.removes_all_tags, since.tags = newer.removes_all_tags, dict(newer.tags)
        return since
    otherwise = False if newer.removes_all_tags else None
    since.tags = {tag: word for tag in words.tags if (word := newer.tags.get(tag, otherwise)) is not None}
    return since


def known_of(user: User | None) -> Folded:
    """What is unsettled of a user and newer than any letter: not the words of other letters that are replayed.

    Replays stand in an order of their own: each was written with more known than the one before it.
    """
    known = Folded()
    if user is None:
        return known
    known.fold_under(folded(user.waiting))
    if user.round is not None:
        known.fold_under(user.round.rest)
        for endpoint, part in reversed(user.round.sent):
            known.fold_under(folded_part(endpoint, part))
    for mark in replays_of(user):
        _leave_out(known, mark.words)
    return known


def replays_of(user: User | None) -> list[ReplayMark]:
    """The marks of letters of this user that are being replayed."""
    if user is None:
        return []
    marks = [*(user.round.marks if user.round is not None else ()), *user.marks]
    return [mark for mark in marks if isinstance(mark, ReplayMark)]


def _leave_out(known: Folded, replayed: Folded) -> None:
    for name, value in replayed.attributes.items():
        if name in known.attributes and known.attributes[name] == value:
            del known.attributes[name]
    for tag, added in replayed.tags.items():
        if known.tags.get(tag) is added:
            del known.tags[tag]
    if replayed.removes_all_tags:
        known.removes_all_tags = False


def is_outrun(
    looked_below: Mapping[PartitionKey, int],
    forgotten_below: Mapping[PartitionKey, int],
    *,
    age_seconds: float,
) -> bool:
    """Whether newer events may have been settled, and forgotten, that nobody has looked at.

    looked_below: below it, the log was looked through for newer events.
    forgotten_below: below it, what was read may be settled and forgotten. Everything above is known, or will be read.
    """
    if age_seconds < FRESH_SECONDS:
        return False
    return any(below > looked_below.get(key, below) for key, below in forgotten_below.items())
