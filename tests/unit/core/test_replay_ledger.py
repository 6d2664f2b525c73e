"""What a replay holds back: its own position, and what is known of the sources."""

from audience_sync.core.changes import AddTag, SetAttribute
from audience_sync.core.folding import folded
from audience_sync.core.ledger import Ledger, Origin, earliest
from audience_sync.core.replay_ledger import ReplayLedger

ONE, OTHER = Origin("events", 0, 7, 1.0), Origin("tags", 0, 9, 2.0)


def test_a_replay_holds_what_was_unsettled_in_the_sources_when_it_was_read() -> None:
    """What was settled before may be committed; what came later waits for the replay."""
    source = Ledger("events", 0, 0)
    replays = ReplayLedger("replays", 0, 0, sources=[source])
    waits = source.mark(3, 1.0)
    source.read_up_to(8)
    first = replays.mark(0, 1.0)
    waits.settle()
    assert (source.settled_position, source.forgotten_below) == (3, 8)

    second = replays.mark(1, 1.0)
    source.read_up_to(12)
    first.settle()
    assert source.settled_position == 8, "the second replay was decided on with less to be known"
    second.settle()
    assert source.settled_position == 12
    assert source.oldest_at is None


def test_a_mark_that_covers_another_speaks_for_its_letters() -> None:
    """A letter that is given up again names all that it came from, and the other's anchors are gone."""
    source = Ledger("events", 0, 0)
    replays = ReplayLedger("replays", 0, 0, sources=[source])
    early, late = replays.mark(0, 1.0), replays.mark(1, 1.0)
    early.stand_for([ONE], folded([AddTag("a")]))
    late.stand_for([ONE, OTHER], folded([SetAttribute("tier", "gold")]))

    [kept] = earliest([late], [early])

    assert kept is early
    assert list(early.origins) == [ONE, OTHER]
    assert list(early.words.changes()) == [AddTag("a"), SetAttribute("tier", "gold")]
    assert not late.is_open
