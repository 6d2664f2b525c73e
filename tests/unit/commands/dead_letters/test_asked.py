"""A letter on its way: what is written of it, and what overrules it."""

from typing import Final

import pytest

from audience_sync.commands.dead_letters.asked import (
    Asked,
    ended,
    newer_known,
    overruled,
    replay_of,
    tells_of,
)
from audience_sync.commands.dead_letters.asked import End as Ends
from audience_sync.core.changes import AddTag, Change, RemoveAllTags, SetAttribute, UserId
from audience_sync.core.folding import folded
from audience_sync.core.ledger import Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.dead_letters import DeadLetter, told_changes
from audience_sync.events.replay_evidence import Candidate, Look
from audience_sync.events.replays import LookedBelow

EVENTS: Final = PartitionKey("events", 3)
SILVER, GOLD = (SetAttribute("tier", value) for value in ("silver", "gold"))
CITY: Final = SetAttribute("city", "Shenzhen")


def asked(*said: Change, newer: tuple[Change, ...] = ()) -> Asked:
    """A letter of alice of which all went out, and what was found since."""
    letter = DeadLetter(
        id="a",
        cause="refused_user",
        info="",
        code=70107,
        user="alice",
        changes=told_changes(said),
        origins=[Origin("events", 3, 7, 1.0)],
        given_up_at=2.0,
    )
    look = Look(EVENTS, 7, folded(newer))
    return Asked(Candidate(letter, 2.0, UserId("alice"), folded(said), [look]), folded(said), number=3)


def test_what_is_left_of_a_letter_travels_with_how_far_was_looked() -> None:
    """So the service can tell whether somebody may have been settled meanwhile whom nobody has looked at."""
    replay = replay_of(asked(SILVER, CITY), {EVENTS: 12, PartitionKey("others", 3): 4})

    assert (replay.id, replay.user, replay.changes) == ("a", "alice", told_changes([SILVER, CITY]))
    assert replay.looked_below == [LookedBelow("events", 3, 12)]
    assert replay_of(asked(SILVER), {}).looked_below == [], "nobody has looked"


@pytest.mark.parametrize(
    ("said", "newer", "again"),
    [
        ((SILVER, CITY), (), None),
        ((SILVER, CITY), (SILVER,), None),
        ((SILVER, CITY), (GOLD,), (GOLD,)),
        ((AddTag("a"),), (RemoveAllTags(), AddTag("b")), "removed"),
        ((RemoveAllTags(),), (AddTag("b"),), (AddTag("b"),)),
    ],
    ids=["nothing newer", "its own event", "another value", "all tags removed", "a tag that it has removed"],
)
def test_what_newer_events_say_of_it_is_said_again(
    said: tuple[Change, ...], newer: tuple[Change, ...], again: tuple[Change, ...] | str | None
) -> None:
    """They may have been settled before the replay was read; then it has overruled them."""
    since = overruled(asked(*said, newer=newer))

    if again is None:
        assert since is None
        return
    assert since is not None
    found = tuple(since.words.changes())
    assert found == again or (
        again == "removed" and [type(change).__name__ for change in found] == ["RemoveTag"]
    )
    assert replay_of(since, {EVENTS: 20}).changes == told_changes(found)
    assert overruled(Asked(since.candidate, since.words, 3)) is None, "once is enough"


def test_a_letter_that_is_given_up_together_with_others_is_recognised() -> None:
    """By a place in the log that both are about."""
    letter = asked(SILVER).candidate.letter
    with_others = DeadLetter(
        id="another",
        cause="refused_user",
        info="",
        origins=[Origin("tags", 3, 1, 1.0), *letter.origins],
        given_up_at=9.0,
    )

    assert tells_of(with_others, letter)
    assert not tells_of(DeadLetter(id="b", cause="", info="", origins=[], given_up_at=9.0), letter)


def test_what_became_of_it_is_told() -> None:
    told = ended(asked(SILVER), Ends.GIVEN_UP_AGAIN, "refused_user 70107: unknown")

    assert (told.id, told.user, told.changes) == ("a", "alice", told_changes([SILVER]))
    assert newer_known(asked(SILVER).candidate).end is Ends.NEWER_KNOWN
