"""The letters of a topic, each once, on disk."""

import sqlite3
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from audience_sync.commands.dead_letters.index import Index, NoRoomError
from audience_sync.core.ledger import Origin
from audience_sync.events.dead_letters import DeadLetter


@pytest.fixture
def index() -> Iterator[Index]:
    """An empty one."""
    with Index() as index:
        yield index


def a_letter(
    letter_id: str,
    *,
    at: float = 1.0,
    user: str | None = "alice",
    cause: str = "refused_user",
    value: bytes | None = None,
) -> DeadLetter:
    """A letter, given up at that moment."""
    return DeadLetter(
        id=letter_id,
        cause=cause,
        info=f"at {at:g}",
        code=None if user is None else 70107,
        user=user,
        changes=[] if user is None else [["AddTag", "a"]],
        origins=[Origin("events", 0, 7, 0.5)],
        value=None if value is None else b64encode(value).decode(),
        given_up_at=at,
    )


def ids(index: Index) -> list[str]:
    """Of all letters, as they are listed."""
    return [letter.id for letter in index.summaries(lambda _: True)]


def test_repeats_of_one_letter_are_one_and_the_last_counts(index: Index) -> None:
    """After a crash a letter may be written twice, and after a replay it may be given up again."""
    index.add(0, 5, b"alice", a_letter("a", at=1.0))
    index.add(0, 6, b"alice", a_letter("b", at=2.0))
    index.add(0, 7, b"alice", a_letter("a", at=3.0, cause="unknown_account"))

    assert ids(index) == ["a", "b"], "the last given up first"
    [letter] = index.summaries(lambda each: each.id == "a")
    assert (letter.times, letter.first_given_up_at, letter.given_up_at) == (2, 1.0, 3.0)
    assert (letter.cause, letter.info, letter.user) == ("unknown_account", "at 3", "alice")
    assert (letter.changes, letter.origins) == ([["AddTag", "a"]], [Origin("events", 0, 7, 0.5)])


def test_a_record_that_could_not_be_used_is_its_keys(index: Index) -> None:
    """Topics are keyed by the user, so it can be found by him; a key that is no text names nobody."""
    for number, key in enumerate([b"bob", b"\xff", None]):
        index.add(0, number, key, a_letter(f"{number}", at=-number, user=None))

    assert [letter.user for letter in index.summaries(lambda _: True)] == ["bob", None, None]


def test_a_replay_counts_until_the_letter_is_given_up_again(index: Index) -> None:
    index.add(0, 0, b"alice", a_letter("a", at=10.0))
    index.replayed("a", 9.0)
    index.replayed("unheard of", 11.0)
    assert [letter.replayed_at for letter in index.summaries(lambda _: True)] == [None]

    index.replayed("a", 11.0)
    index.replayed("a", 12.0)
    assert [letter.replayed_at for letter in index.summaries(lambda _: True)] == [12.0]


def test_selected_letters_are_kept_whole_with_the_others_of_their_users(index: Index) -> None:
    """What they say may be newer than what was selected; only the last record of each is wanted."""
    letters = {
        0: (b"alice", a_letter("a", at=1.0)),
        1: (b"bob", a_letter("b", at=2.0, user="bob")),
        2: (b"alice", a_letter("c", at=3.0, user=None, value=b"bytes")),
        3: (b"alice", a_letter("a", at=4.0)),
        4: (None, a_letter("d", at=5.0, user=None)),
    }
    for position, (key, letter) in letters.items():
        index.add(0, position, key, letter)

    assert index.select(lambda letter: letter.id == "a") == 1
    assert index.selected_ids() == {"a"}
    wanted = [position for position in letters if index.wants(0, position)]
    assert wanted == [2, 3]
    for position in wanted:
        index.keep_whole(letters[position][1])

    assert list(index.selected()) == [(letters[3][1], 1.0)]
    assert sorted((letter.id, at) for letter, at in index.letters_of("alice")) == [("a", 1.0), ("c", 3.0)]
    assert list(index.letters_of("bob")) == []


def test_selected_letters_of_a_user_stand_together_in_the_order_of_their_ends(index: Index) -> None:
    """So that what is newer among them is known when the older ones are looked at."""
    for position, (user, at) in enumerate([("bob", 1.0), ("alice", 3.0), ("bob", 0.5), ("alice", 2.0)]):
        letter = a_letter(f"{position}", at=at, user=user)
        index.add(0, position, user.encode(), letter)
    index.select(lambda _: True)
    for position, (user, at) in enumerate([("bob", 1.0), ("alice", 3.0), ("bob", 0.5), ("alice", 2.0)]):
        assert index.wants(0, position)
        index.keep_whole(a_letter(f"{position}", at=at, user=user))

    assert [letter.id for letter, _ in index.selected()] == ["3", "1", "2", "0"]


def test_where_there_is_no_room_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pod's folder for temporary files is small."""
    with Index() as index:
        index._file.execute("PRAGMA max_page_count = 20")
        with pytest.raises(NoRoomError, match=r"TMPDIR"):
            _fill(index)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(NoRoomError, match=r"no folder for temporary files.*TMPDIR"):
        Index()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Index() as index:
        index.add(0, 0, None, a_letter("a"))
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(sqlite3.ProgrammingError):
        index.add(0, 0, None, a_letter("a"))


def _fill(index: Index) -> None:
    for number in range(10_000):
        index.add(0, number, b"alice", a_letter(f"letter-{number}"))
