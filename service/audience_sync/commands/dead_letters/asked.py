"""A letter on its way: what is written of it, what overrules it, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from audience_sync.core.folding import Folded
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.replay import left_of, said_since
from audience_sync.events.dead_letters import DeadLetter, told_changes
from audience_sync.events.replay_evidence import Candidate
from audience_sync.events.replays import LookedBelow, Replay


class End(StrEnum):
    """What became of a letter. A closed set, because programs read it."""

    REPLAYED = "replayed"
    """It is settled: confirmed, or a newer change that the service knew of has won."""
    WRITTEN = "written"
    """It will be taken in by the service; nobody waited for that."""
    NEWER_KNOWN = "newer_known"
    """All that it says was said otherwise since; nothing is left to be replayed."""
    NOT_USABLE = "not_usable"
    """The rules of today can't use it either."""
    GIVEN_UP_AGAIN = "given_up_again"
    """It stands in the dead letters again."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one letter, and why."""

    id: str
    user: str | None
    end: End
    info: str = ""
    changes: list[list[str]] = []


@dataclass
class Asked:
    """A letter that was written: what of it went out, and what must be committed once it is settled."""

    candidate: Candidate
    words: Folded
    number: int
    settled_at: int = 0


def replay_of(asked: Asked, looked_below: Mapping[PartitionKey, int]) -> Replay:
    """What goes out of a letter, and how far it was looked for what is newer."""
    candidate = asked.candidate
    return Replay(
        id=candidate.letter.id,
        user=candidate.user,
        changes=told_changes(asked.words.changes()),
        origins=candidate.letter.origins,
        looked_below=[
            LookedBelow(*look.partition, looked_below[look.partition])
            for look in candidate.looks
            if look.partition in looked_below
        ],
    )


def overruled(asked: Asked) -> Asked | None:
    """What newer events say of what went out, if they say otherwise."""
    newer = asked.candidate.newer
    if tuple(left_of(asked.words, newer).changes()) == tuple(asked.words.changes()):
        return None
    return Asked(asked.candidate, said_since(asked.words, newer), asked.number)


def tells_of(letter: DeadLetter, replayed: DeadLetter) -> bool:
    """Whether a new letter is about the events of one that was replayed."""
    origins = {(origin.topic, origin.partition, origin.position) for origin in letter.origins}
    return any((each.topic, each.partition, each.position) in origins for each in replayed.origins)


def newer_known(candidate: Candidate) -> Told:
    """Nothing of it is left to be replayed."""
    return Told(
        id=candidate.letter.id,
        user=candidate.user,
        end=End.NEWER_KNOWN,
        info="all that it says was said otherwise since",
    )


def ended(asked: Asked, end: End, info: str = "") -> Told:
    """It was written, and this became of it."""
    changes = told_changes(asked.words.changes())
    return Told(id=asked.candidate.letter.id, user=asked.candidate.user, end=end, info=info, changes=changes)
