"""The ledger of letters that are replayed: it also holds what was known when it was decided on them."""

from collections.abc import Iterable, Sequence

import msgspec

from audience_sync.core.folding import Folded
from audience_sync.core.ledger import Ledger, Mark, Origin


class ReplayMark(Mark, kw_only=True):
    """A mark for letters that are replayed, and anchors on all that is known of the users of their number.

    told: where the events of those letters stood once.
    words: what was taken in of them.
    """

    anchors: Sequence[Mark]
    told: tuple[Origin, ...] = ()
    words: Folded = msgspec.field(default_factory=Folded)

    @property
    def origins(self) -> Sequence[Origin]:
        """Where the events stood once that the letters tell of."""
        return self.told

    def stand_for(self, origins: Iterable[Origin], words: Folded) -> None:
        """One more letter waits, whose events stood there and said this."""
        self.told = tuple(dict.fromkeys((*self.told, *origins)))
        for change in words.changes():
            self.words.fold(change)

    def settle(self) -> None:
        """What the letters say is settled, so nobody has to decide on them again."""
        super().settle()
        for anchor in self.anchors:
            anchor.settle()

    def cover(self, later: Mark) -> None:
        """From now on this mark is also for the letters of a *later* one."""
        super().cover(later)
        if isinstance(later, ReplayMark):
            self.stand_for(later.origins, later.words)


class ReplayLedger(Ledger):
    """The ledger of a partition of replays. Each of its marks anchors the *sources* of the same number.

    A replay may lose against what waits in the sources. Were that settled and committed while the replay is
    not, it would be read again after a crash by somebody who knows of nothing newer, and win. So while a
    replay is unsettled, the sources commit nothing that it was decided upon.
    """

    __slots__ = ("sources",)

    def __init__(self, topic: str, number: int, start: int, *, sources: Sequence[Ledger]) -> None:
        super().__init__(topic, number, start)
        self.sources = sources

    def mark(self, position: int, at: float) -> ReplayMark:
        """Hold *position*, and what is known of the sources."""
        mark = ReplayMark(self, position, at, anchors=[source.anchor(at) for source in self.sources])
        self._marks.append(mark)
        return mark
