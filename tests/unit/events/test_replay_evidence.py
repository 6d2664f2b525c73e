"""What the log and other letters say that is newer than a letter."""

from base64 import b64encode
from typing import Any, Final

import msgspec
import pytest

from audience_sync.core.changes import AddTag, Change, RemoveAllTags, SetAttribute, UserId
from audience_sync.core.event import Cause, Ignored, Translated, TranslatedMany, Unusable
from audience_sync.core.folding import Folded, folded
from audience_sync.core.ledger import Origin
from audience_sync.core.ownership import PartitionKey
from audience_sync.events.dead_letters import DeadLetter, changes_told, told_changes
from audience_sync.events.replay_evidence import (
    Candidate,
    Evidence,
    Look,
    candidates_of,
    hear_later_letters,
    topics_of,
)
from audience_sync.formats import Record as RecordBytes
from audience_sync.rules.file import load_rules
from tests.support.kafka_client import Record

EVENTS: Final = PartitionKey("events", 0)
SILVER, GOLD = (SetAttribute("tier", value) for value in ("silver", "gold"))
CITY: Final = SetAttribute("city", "Shenzhen")


def translate(topic: str, record: RecordBytes) -> Translated | Ignored | Unusable:
    """The value is a list: the user, then changes as letters tell them."""
    assert topic == "events"
    value = record.value
    if value is None:
        return Unusable(Cause.UNREADABLE, "null")
    if value == b"ignored":
        return Ignored("no rule")
    user, *changes = msgspec.json.decode(value)
    return Translated(UserId(user), tuple(changes_told(changes)), urgent=False, event_seconds=None)


def event(user: str, *changes: Change) -> bytes:
    """What `translate` reads."""
    return msgspec.json.encode([user, *told_changes(changes)])


def a_letter(letter_id: str, *changes: Change, position: int = 7, **other: Any) -> DeadLetter:
    """A letter of alice."""
    given: dict[str, Any] = {
        "id": letter_id,
        "cause": "refused_user",
        "info": "",
        "user": "alice",
        "changes": told_changes(changes),
        "origins": [Origin("events", 0, position, 1.0)],
        "given_up_at": 2.0,
    }
    return DeadLetter(**given | other)


def the_candidate(letter: DeadLetter, first: float) -> Candidate:
    """The one of a letter that concerns one user."""
    found = candidates_of(letter, first, translate)
    assert not isinstance(found, str)
    [candidate] = found
    return candidate


def a_candidate(
    letter_id: str, *changes: Change, position: int = 7, first: float = 2.0, user: str = "alice"
) -> Candidate:
    """A letter that can be replayed, and looks for what is newer from its origin on."""
    letter = a_letter(letter_id, *changes, position=position, user=user)
    candidate = the_candidate(letter, first)
    candidate.looks.append(Look(EVENTS, position))
    return candidate


def see(candidate: Candidate, *records: tuple[int, bytes | None, bytes | None]) -> None:
    """Look through the log: position, key and value."""
    evidence = Evidence([candidate], translate)
    for position, key, value in records:
        evidence.see(EVENTS, Record("events", 0, position, value, key))


def test_a_letter_says_its_changes_or_what_its_bytes_mean_today() -> None:
    of_bytes = a_letter("a", user=None, value=b64encode(event("bob", GOLD)).decode())

    candidate = the_candidate(of_bytes, 2.0)

    assert (candidate.user, list(candidate.said.changes())) == ("bob", [GOLD])
    assert list(a_candidate("b", GOLD, CITY).said.changes()) == [GOLD, CITY]


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        (a_letter("a", user=None), "unreadable: null"),
        (a_letter("a", user=None, value=b64encode(b"ignored").decode()), "no rule"),
        (a_letter("a", user=None, value="no base64"), "letter itself can't be read"),
        (a_letter("a", changes=[["Rename", "a", "b"]]), "letter itself can't be read"),
    ],
)
def test_what_can_not_be_replayed_says_why(letter: DeadLetter, why: str) -> None:
    found = candidates_of(letter, 2.0, translate)

    assert isinstance(found, str)
    assert why in found


def test_a_letter_that_concerns_several_users_is_replayed_for_each() -> None:
    """And an event that concerns several is newer for each of them, whoever its key is."""
    both = TranslatedMany(
        (
            Translated(UserId("alice"), (SILVER,), urgent=False, event_seconds=None),
            Translated(UserId("bob"), (GOLD,), urgent=False, event_seconds=None),
        )
    )
    found = candidates_of(a_letter("a", user=None), 2.0, lambda _, __: both)
    candidates = [each for each in found if isinstance(each, Candidate)]
    assert [(each.user, list(each.said.changes())) for each in candidates] == [
        ("alice", [SILVER]),
        ("bob", [GOLD]),
    ]

    bob = a_candidate("b", SILVER, user="bob")
    Evidence([bob], lambda _, __: both).see(EVENTS, Record("events", 0, 9, b"", b"alice"))
    assert list(bob.newer.changes()) == [GOLD]


def test_what_the_log_says_since_is_newer() -> None:
    """Word by word; what agrees may be the letter's own event, and is left to be replayed."""
    candidate = a_candidate("a", SILVER, CITY)
    see(
        candidate,
        (6, b"alice", event("alice", SetAttribute("city", "older"))),
        (7, b"alice", event("alice", SILVER, CITY)),
        (8, b"bob", event("bob", SetAttribute("city", "another user"))),
        (9, b"alice", None),
        (10, None, event("alice", GOLD)),
    )

    assert list(candidate.left.changes()) == [CITY]
    assert list(candidate.newer.changes()) == [GOLD, CITY]


def test_partitions_come_in_the_order_of_the_looks() -> None:
    """A user whose topic has grown has older events in one partition and newer ones in another."""
    candidate = a_candidate("a", SILVER)
    grown = PartitionKey("events", 5)
    candidate.looks.append(Look(grown, 0))
    evidence = Evidence([candidate], translate)
    evidence.see(grown, Record("events", 5, 0, event("alice", SILVER), b"alice"))
    evidence.see(EVENTS, Record("events", 0, 9, event("alice", GOLD), b"alice"))

    assert evidence.starts == {EVENTS: 7, grown: 0}
    assert list(candidate.newer.changes()) == [SILVER]


@pytest.mark.parametrize(
    ("position", "first", "later"),
    [(8, 1.0, True), (7, 3.0, True), (7, 2.0, False), (6, 9.0, False)],
    ids=["later in the log", "of the same place, given up later", "itself", "earlier in the log"],
)
def test_a_later_letter_of_the_same_user_is_newer(position: int, first: float, later: bool) -> None:
    """Its own events may be gone from the log; the letter is not."""
    candidate, other = a_candidate("a", SILVER), a_candidate("b", GOLD, position=position, first=first)

    hear_later_letters([candidate], [candidate, other])

    assert list(candidate.left.changes()) == ([] if later else [SILVER])


def test_the_log_has_the_last_word_over_letters() -> None:
    """Whatever came after a letter's events stands there, too."""
    candidate, other = a_candidate("a", SILVER), a_candidate("b", GOLD, position=8)
    hear_later_letters([candidate], [candidate, other])
    see(candidate, (9, b"alice", event("alice", SILVER)))

    assert list(candidate.left.changes()) == [SILVER]


def test_later_letters_are_heard_in_order() -> None:
    candidate = a_candidate("a", RemoveAllTags())
    others = [
        a_candidate("c", RemoveAllTags(), position=9),
        a_candidate("b", AddTag("a"), position=8),
        a_candidate("d", AddTag("d"), position=10),
    ]

    hear_later_letters([candidate], [candidate, *others])

    assert list(candidate.later_letters.changes()) == [RemoveAllTags(), AddTag("d")]


def test_letters_without_a_common_partition_are_of_different_names() -> None:
    """A name is written from one topic only."""
    candidate, other = a_candidate("a", SILVER), a_candidate("b", GOLD, position=8)
    elsewhere = msgspec.structs.replace(other.letter, origins=[Origin("others", 0, 8, 1.0)])
    hear_later_letters([candidate], [candidate, Candidate(elsewhere, 2.0, UserId("alice"), other.said)])

    assert list(candidate.left.changes()) == [SILVER]


@pytest.mark.parametrize(
    ("words", "topics"),
    [
        (folded([SetAttribute("city", "x")]), {"city-changed"}),
        (folded([AddTag("stock:1")]), {"stock-follows"}),
        (folded([RemoveAllTags()]), {"stock-follows"}),
        (folded([SetAttribute("unheard", "of")]), set()),
        (Folded(), set()),
    ],
)
def test_the_topics_are_known_that_speak_of_the_same_names(words: Folded, topics: set[str]) -> None:
    """Also where the rules have moved a name to another topic since."""
    assert set(topics_of(words, load_rules().rules)) == topics
