"""Which positions are settled, and which one may be committed."""

from collections import deque
from collections.abc import Sequence

import msgspec


class Origin(msgspec.Struct, frozen=True):
    """Where a record stood. With its user and what it changes, that makes a repeat recognisable."""

    topic: str
    partition: int
    position: int
    """The record's own offset."""
    timestamp: float
    """Epoch seconds, from the record."""


class Mark(msgspec.Struct, eq=False):
    """The first position of a partition that something unsettled waits for. Settling it twice is harmless."""

    ledger: "Ledger"
    position: int
    at: float
    is_open: bool = True

    @property
    def origins(self) -> Sequence[Origin]:
        """Where the events stood that this mark is for, or the first of them."""
        return (Origin(self.ledger.topic, self.ledger.number, self.position, self.at),)

    def settle(self) -> None:
        """What waited is confirmed, or stands in the dead letters; or an earlier mark covers it."""
        self.is_open = False

    def cover(self, later: "Mark") -> None:
        """From now on this mark is also for what a *later* one of the same partition was for."""
        later.settle()


class Ledger:
    """What was read of one partition, and what of it is unsettled. Each record costs O(1), amortised.

    A position is what is read next, as Kafka commits it: the record at position 7 is settled when 8 may be
    committed. Positions may have gaps (compaction, transaction markers).
    """

    __slots__ = ("_anchors", "_marks", "number", "read_position", "topic")

    def __init__(self, topic: str, number: int, start: int) -> None:
        self.topic = topic
        self.number = number
        self.read_position = start
        self._marks: deque[Mark] = deque()
        self._anchors: deque[Mark] = deque()

    def mark(self, position: int, at: float) -> Mark:
        """Hold *position*, of an event of the moment *at* (epoch seconds), until its mark is settled.

        Marks are made in the order of reading: never below an earlier one.
        """
        mark = Mark(self, position, at)
        self._marks.append(mark)
        return mark

    def anchor(self, at: float) -> Mark:
        """Hold what is unsettled now until the mark is settled, so that after a crash all of it is read again.

        For a decision that rests on what is known of this partition, and may have to be made again.
        """
        anchor = Mark(self, self.forgotten_below, at)
        self._anchors.append(anchor)
        return anchor

    def read_up_to(self, position: int) -> None:
        """All below *position* was read, or holds no record. Never goes back."""
        self.read_position = max(self.read_position, position)

    @property
    def settled_position(self) -> int:
        """The lowest unsettled position, or the one to read next: what may be committed."""
        below = self.forgotten_below
        anchors = self._anchors
        while anchors and not anchors[0].is_open:
            anchors.popleft()
        return min(below, anchors[0].position) if anchors else below

    @property
    def forgotten_below(self) -> int:
        """Nothing below it waits for anything. Above it, everything is known that still does."""
        oldest = self._oldest()
        return self.read_position if oldest is None else oldest.position

    @property
    def oldest_at(self) -> float | None:
        """The moment of the oldest unsettled event in epoch seconds, or None."""
        oldest = self._oldest()
        return None if oldest is None else oldest.at

    def _oldest(self) -> Mark | None:
        marks = self._marks
        while marks and not marks[0].is_open:
            marks.popleft()
        return marks[0] if marks else None


def earliest(marks: Sequence[Mark], others: Sequence[Mark]) -> tuple[Mark, ...]:
    """Of two users' marks one with the earlier of each partition; the later ones are settled."""
    kept = list(marks)
    for other in others:
        for index, mark in enumerate(kept):
            if mark.ledger is other.ledger:
                kept[index], late = (mark, other) if mark.position <= other.position else (other, mark)
                kept[index].cover(late)
                break
        else:
            kept.append(other)
    return tuple(kept)
