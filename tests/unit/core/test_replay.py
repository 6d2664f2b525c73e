"""What is still to be said of older changes; `tests/properties/test_replays.py` has whole histories."""

from typing import Final

import pytest

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.debouncer import Debouncer
from audience_sync.core.folding import folded
from audience_sync.core.ledger import Ledger, Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.replay import FRESH_SECONDS, is_outrun, known_of, left_of, replays_of, said_since
from audience_sync.core.replay_ledger import ReplayLedger
from tests.support.tenures import TIMES

ALICE: Final = UserId("alice")
SILVER, GOLD = (SetAttribute("tier", value) for value in ("silver", "gold"))
CITY: Final = SetAttribute("city", "Shenzhen")

ROWS: Final[list[tuple[list[Change], list[Change], list[Change], str]]] = [
    ([GOLD], [], [GOLD], "nothing newer is known"),
    ([SILVER], [GOLD], [], "a newer value"),
    ([GOLD], [GOLD], [GOLD], "the same value: maybe the same event, met again"),
    ([GOLD, CITY], [RemoveAttribute("tier")], [CITY], "each attribute for itself"),
    ([AddTag("a"), AddTag("b")], [RemoveTag("a")], [AddTag("b")], "each tag for itself"),
    ([AddTag("a")], [RemoveAllTags()], [], "a newer removal of all tags"),
    ([AddTag("a")], [RemoveAllTags(), AddTag("a")], [AddTag("a")], "it came back after that"),
    ([RemoveTag("a")], [RemoveAllTags()], [RemoveTag("a")], "both say that the tag is gone"),
    (
        [RemoveAllTags()],
        [AddTag("a"), RemoveTag("b")],
        [RemoveAllTags(), AddTag("a")],
        "a removal of all tags would take newer ones with it",
    ),
    (
        [RemoveAllTags(), AddTag("a")],
        [AddTag("b"), RemoveTag("a")],
        [RemoveAllTags(), AddTag("b")],
        "and what it brought itself was taken away",
    ),
]


@pytest.mark.parametrize(("older", "newer", "left", "_why"), ROWS, ids=[row[3] for row in ROWS])
def test_an_older_change_loses_against_what_is_known(
    older: list[Change], newer: list[Change], left: list[Change], _why: str
) -> None:
    """Word by word: the last one in the log wins, whenever it is met."""
    assert list(left_of(folded(older), folded(newer)).changes()) == left


SINCE: Final[list[tuple[list[Change], list[Change], list[Change], str]]] = [
    ([SILVER], [GOLD, CITY], [GOLD], "what speaks of other names was not touched"),
    ([AddTag("a")], [RemoveAllTags(), AddTag("b")], [RemoveTag("a")], "the tag came after it was taken away"),
    ([RemoveAllTags()], [AddTag("b")], [AddTag("b")], "all tags were taken away, newer ones too"),
]


@pytest.mark.parametrize(("words", "newer", "since", "_why"), SINCE, ids=[row[3] for row in SINCE])
def test_what_went_out_too_late_is_set_right(
    words: list[Change], newer: list[Change], since: list[Change], _why: str
) -> None:
    """By saying again what is newer, of the same names and no others."""
    assert list(said_since(folded(words), folded(newer)).changes()) == since


class Known:
    """A debouncer with events of alice and letters that are replayed."""

    def __init__(self) -> None:
        self.events = Ledger("events", 0, 0)
        self.replays = ReplayLedger("replays", 0, 0, sources=[self.events])
        self.debouncer = Debouncer(TIMES, may_send=lambda _: True)
        self.now = 1000.0

    def add(self, ledger: Ledger, *changes: Change) -> None:
        """The next record of the ledger says this."""
        position = ledger.read_position
        self.debouncer.add(ALICE, changes, ledger=ledger, position=position, at=self.now, now=self.now)
        ledger.read_up_to(position + 1)

    def replay(self, *changes: Change) -> None:
        """A letter is replayed."""
        self.add(self.replays, *changes)
        replays_of(self.debouncer.user(ALICE))[-1].stand_for([Origin("events", 0, 7, 1.0)], folded(changes))

    def cut(self, endpoint: Endpoint) -> None:
        """A request leaves."""
        self.now += TIMES.longest_wait_seconds
        self.debouncer.advance(self.now)
        assert ALICE in self.debouncer.cut(endpoint).parts

    @property
    def known(self) -> list[Change]:
        """What is known to be newer than a letter."""
        return sorted(known_of(self.debouncer.user(ALICE)).changes(), key=str)


def test_what_waits_and_what_is_under_way_is_known() -> None:
    """Also the parts of a round that were confirmed while the rest of it was not, and what waits behind it."""
    known = Known()
    assert known.known == []
    known.add(known.events, AddTag("a"), CITY)
    assert known.known == [AddTag("a"), CITY]

    known.cut(Endpoint.ADD_TAGS)
    assert known.known == [AddTag("a"), CITY]
    known.debouncer.settle(ALICE, known.now)
    known.cut(Endpoint.SET_ATTRIBUTES)
    known.add(known.events, GOLD)
    assert known.known == [AddTag("a"), CITY, GOLD]

    known.debouncer.settle(ALICE, known.now)
    assert known.known == [GOLD]
    known.cut(Endpoint.SET_ATTRIBUTES)
    known.debouncer.settle(ALICE, known.now)
    assert known.known == []


def test_what_another_replay_says_is_no_newer_for_being_read_before() -> None:
    """Of two replays the one that was written later was written with more known."""
    known = Known()
    known.replay(RemoveAllTags(), AddTag("a"), SILVER)
    assert known.known == []

    known.add(known.events, CITY)
    known.cut(Endpoint.REMOVE_ALL_TAGS)
    known.add(known.events, GOLD)

    assert known.known == [CITY, GOLD]


LOOKED: Final = {PartitionKey("events", 0): 10}


@pytest.mark.parametrize(
    ("forgotten_below", "age_seconds", "outrun"),
    [
        ({PartitionKey("events", 0): 10}, 1e6, False),
        ({PartitionKey("events", 0): 11}, 1e6, True),
        ({PartitionKey("events", 0): 11}, FRESH_SECONDS - 1, False),
        ({PartitionKey("others", 0): 11}, 1e6, False),
    ],
    ids=["all is known", "something is forgotten", "it is fresh", "nobody looked there"],
)
def test_a_replay_is_outrun_where_something_newer_may_be_forgotten(
    forgotten_below: dict[PartitionKey, int], age_seconds: float, outrun: bool
) -> None:
    """It could overrule what nobody remembers."""
    assert is_outrun(LOOKED, forgotten_below, age_seconds=age_seconds) is outrun
