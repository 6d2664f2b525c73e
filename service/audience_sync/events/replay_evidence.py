"""What the log and other letters say that is newer than a letter: looked for before it is replayed.

The service knows only what it has not settled. Whoever replays can read more: the log since the letter's
events, as far as the log still has it, and the letters that came after.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from audience_sync.core.changes import UserId
from audience_sync.core.event import Ignored, Translated, TranslatedMany, Unusable
from audience_sync.core.folding import Folded, folded
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.replay import left_of
from audience_sync.core.rule import Rule
from audience_sync.core.targets import AttributeTarget, targets
from audience_sync.events.dead_letters import DeadLetter, changes_told
from audience_sync.events.intake import Record
from audience_sync.formats import Record as RecordBytes

Translate = Callable[[str, RecordBytes], Translated | TranslatedMany | Ignored | Unusable]
"""What a record does to whom, by the rules of today."""


@dataclass
class Look:
    """One partition to look through, from a position on, and what was found of the letter's user there."""

    partition: PartitionKey
    start: int
    found: Folded = field(default_factory=Folded)


@dataclass
class Candidate:
    """A letter that can be replayed: whose it is, what it says, and what is known to be newer.

    first_given_up_at: epoch seconds; a letter that was replayed and given up again is no newer for that.
    looks: in the order of the log.
    """

    letter: DeadLetter
    first_given_up_at: float
    user: UserId
    said: Folded
    looks: list[Look] = field(default_factory=list)
    later_letters: Folded = field(default_factory=Folded)

    @property
    def newer(self) -> Folded:
        """What was found. The log has the last word: of what it has no longer, other letters may tell."""
        newer = Folded()
        for look in reversed(self.looks):
            newer.fold_under(look.found)
        newer.fold_under(self.later_letters)
        return newer

    @property
    def left(self) -> Folded:
        """What is left to be said."""
        return left_of(self.said, self.newer)


def beginnings_of(letter: DeadLetter) -> dict[PartitionKey, int]:
    """Where the first of the letter's events stands in each partition: what is newer begins there.

    A letter of changes that were folded into a replayed one has two origins in one partition.
    """
    beginnings: dict[PartitionKey, int] = {}
    for origin in letter.origins:
        key = PartitionKey(origin.topic, origin.partition)
        beginnings[key] = min(origin.position, beginnings.get(key, origin.position))
    return beginnings


def candidates_of(
    letter: DeadLetter, first_given_up_at: float, translate: Translate
) -> Sequence[Candidate] | str:
    """What *letter* says by the rules of today, of each user whom it concerns, or why it can't be replayed."""
    try:
        if letter.user is not None:
            said = folded(changes_told(letter.changes))
            return [Candidate(letter, first_given_up_at, UserId(letter.user), said)]
        original = letter.original()
    except ValueError as error:
        return f"the letter itself can't be read: {error}"
    match translate(letter.origins[0].topic, original):
        case Translated(parts=parts) | TranslatedMany(parts=parts):
            return [Candidate(letter, first_given_up_at, part.user, folded(part.changes)) for part in parts]
        case Unusable(cause, info):
            return f"{cause}: {info}"
        case Ignored(reason):
            return f"the rules want nothing of it: {reason}"


def hear_later_letters(candidates: Sequence[Candidate], others: Iterable[Candidate]) -> None:
    """Let each of *candidates* know what letters of the same user say that came after it.

    *others* include the candidates themselves.
    """
    by_user: dict[UserId, list[Candidate]] = {}
    for other in others:
        by_user.setdefault(other.user, []).append(other)
    for candidate in candidates:
        moments = [(_moment(other, candidate), other) for other in by_user.get(candidate.user, ())]
        later = [(moment, other) for moment, other in moments if moment > _moment(candidate, candidate)]
        for _, other in sorted(later, key=lambda each: each[0]):
            for change in other.said.changes():
                candidate.later_letters.fold(change)


def _moment(letter: Candidate, candidate: Candidate) -> tuple[int, float]:
    """The place of *letter* in the order of a partition in which both began.

    Letters that have none in common speak of different names: those count as earlier. Two letters of one place
    were given up one after the other.
    """
    places = {(origin.topic, origin.partition) for origin in candidate.letter.origins}
    common = [
        origin.position for origin in letter.letter.origins if (origin.topic, origin.partition) in places
    ]
    return (min(common, default=-1), letter.first_given_up_at)


class Evidence:
    """Takes the log's records in, and tells each candidate what they say of its user."""

    def __init__(self, candidates: Iterable[Candidate], translate: Translate) -> None:
        self._translate = translate
        self._looks: dict[PartitionKey, dict[UserId, list[Look]]] = {}
        for candidate in candidates:
            for look in candidate.looks:
                self._looks.setdefault(look.partition, {}).setdefault(candidate.user, []).append(look)

    @property
    def starts(self) -> Mapping[PartitionKey, int]:
        """From where each partition must be looked through."""
        return {
            partition: min(look.start for looks in by_user.values() for look in looks)
            for partition, by_user in self._looks.items()
        }

    def see(self, partition: PartitionKey, record: Record) -> None:
        """Take in one record; in each partition they come in order."""
        event = self._translate(partition.topic, record)
        for part in event.parts if isinstance(event, Translated | TranslatedMany) else ():
            for look in self._looks.get(partition, {}).get(part.user, ()):
                if record.offset >= look.start:
                    for change in part.changes:
                        look.found.fold(change)


def topics_of(words: Folded, rules: Sequence[Rule]) -> Iterator[str]:
    """The topics whose events may speak of the same attributes and tags, by *rules*."""
    of_tags = words.removes_all_tags or bool(words.tags)
    for rule in rules:
        for target in targets(rule):
            if target.name in words.attributes if isinstance(target, AttributeTarget) else of_tags:
                yield from rule.topics
