"""All is checked before anything is sent, and then handed out in pieces of bounded size."""

import io
import itertools
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from audience_sync.commands.chat.entries import Entry, Mistake, entries_of
from audience_sync.commands.chat.given import pairs_of, same_for_all, work_of
from audience_sync.commands.chat.kind import NOTHING_MORE, Kind
from audience_sync.commands.chat.kinds import APPEARANCES, ATTRIBUTES, REMOVALS, REPLACEMENTS, TAGS
from audience_sync.commands.chat.reading import PIECE_LINES, Work
from audience_sync.commands.chat.source import Format, Source, opened
from audience_sync.commands.stop import ExitCode, Stop


def work(text: str, kind: Kind[Any] = TAGS, line_format: Format = Format.CSV) -> Work[Any]:
    """What a file asks for."""
    source = Source("users.csv", line_format, io.BytesIO(text.encode()))
    return Work(source.name, kind, lambda: entries_of(source, kind))


def stopped(work: Work[Any]) -> list[str]:
    """The lines that a check ends with."""
    with pytest.raises(Stop) as caught:
        work.check()
    assert caught.value.code is ExitCode.BAD_INPUT
    return caught.value.message.splitlines()


def rows(*each: str) -> str:
    """A table of tags."""
    return "\n".join(["user,tag", *each, ""])


def test_all_mistakes_are_told_at_once_with_file_and_line() -> None:
    """One run of the command for one look at the file."""
    text = rows("alice,ok", "bob", f"{'u' * 33},a", f"carol,{'股' * 17}")

    assert stopped(work(text)) == [
        "users.csv, line 3: 1 cell under 2 columns: user,tag",
        f"users.csv, line 4: the user '{'u' * 33}' has 33 bytes of UTF-8; the Chat API takes 1 to 32",
        f"users.csv, line 5: the tag '{'股' * 17}' has 51 bytes of UTF-8; the Chat API takes 1 to 50",
        "Nothing was sent.",
    ]


def test_after_twenty_mistakes_reading_ends() -> None:
    """Who makes more makes one of them often."""
    told = stopped(work(rows(*itertools.repeat("bob", 1000))))
    assert len(told) == 22
    assert told[20:] == ["and maybe more: reading ended here", "Nothing was sent."]


@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        (TAGS, '{"user": "", "tags": ["a"]}', "the user '' has 0 bytes"),
        (TAGS, '{"user": "alice", "tags": [""]}', "the tag '' has 0 bytes"),
        (TAGS, '{"user": "alice", "tags": [7]}', "the tag 7 is no text but int"),
        (ATTRIBUTES, '{"user": "a", "attributes": {"level": 7}}', "the value of attribute 'level' 7 is no text"),
        (ATTRIBUTES, '{"user": "a", "attributes": {"level": null}}', "the value of attribute 'level' None"),
        (ATTRIBUTES, '{"user": "a", "attributes": {"": "x"}}', "the attribute name '' has 0 bytes"),
        (REMOVALS, '{"user": "a", "attributes": [null]}', "the attribute name None is no text"),
        (APPEARANCES, f'{{"user": "a", "nick": "{"x" * 501}"}}', "the nick 'xxx"),
    ],
)  # fmt: skip
def test_a_value_that_the_api_refuses_is_found_before(kind: Kind[Any], line: str, words: str) -> None:
    """By the client's own limits."""
    told = stopped(work(line, kind, Format.NDJSON))
    assert told[0].startswith(f"users.csv, line 1: {words}")


def test_lines_about_one_user_are_merged_within_a_piece() -> None:
    """A user stands once in a request. Of two values the later one counts."""
    tags = work(rows("alice,a", "bob,b", "alice,c", "alice,a"))
    attributes = work("user,city,level\na,x,gold\na,y,\n", ATTRIBUTES)
    looks = work("user,nick,face_url\na,A,\na,,http://x\n", APPEARANCES)

    assert [piece.users for piece in tags.pieces()] == [{"alice": ["a", "c"], "bob": ["b"]}]
    assert [piece.users for piece in attributes.pieces()] == [{"a": {"city": "y", "level": "gold"}}]
    [piece] = looks.pieces()
    assert (piece.users["a"].nick, piece.users["a"].face_url) == ("A", "http://x")


def test_a_large_file_is_handed_out_in_pieces() -> None:
    """However large it is, so many lines are in memory."""
    text = rows(*(f"user-{number},a" for number in range(2 * PIECE_LINES + 1)))
    asked = work(text)

    asked.check()
    pieces = list(asked.pieces())

    assert asked.lines == 2 * PIECE_LINES + 1
    assert [piece.lines for piece in pieces] == [PIECE_LINES, PIECE_LINES, 1]
    assert [piece.last_line for piece in pieces] == [
        PIECE_LINES + 1,
        2 * PIECE_LINES + 1,
        2 * PIECE_LINES + 2,
    ]
    assert sum(len(piece.users) for piece in pieces) == 2 * PIECE_LINES + 1


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """It is read twice, and never held."""
    file = tmp_path / "users.csv"
    peaks = []
    for lines in (2 * PIECE_LINES, 6 * PIECE_LINES):
        file.write_text(rows(*(f"user-{number},tag-{number % 7}" for number in range(lines))))
        tracemalloc.start()
        with work_of([], file, None, TAGS) as asked:
            assert sum(piece.lines for piece in asked.pieces()) == lines
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_what_replaces_leaves_in_one_piece() -> None:
    """Cut in two, the second half would replace the first."""
    before = [f"user-{number},a" for number in range(PIECE_LINES - 1)]
    asked = work(rows(*before, "alice,a", "alice,b", "bob,c"), REPLACEMENTS)

    asked.check()

    assert [piece.users.get("alice") for piece in asked.pieces()] == [["a", "b"], None]


def test_what_replaces_must_stand_together_and_fit() -> None:
    """Else a later line would undo an earlier one; and a user carries 100 tags."""
    apart = stopped(work(rows("alice,a", "bob,b", "alice,c"), REPLACEMENTS))
    many = stopped(work(rows(*(f"alice,{number}" for number in range(120))), REPLACEMENTS))

    assert (
        apart[0]
        == "users.csv, line 4: 'alice' again; what replaces must stand on lines that follow each other"
    )
    assert many[0] == "users.csv, line 102: 101 tags of one user; the Chat API takes 100"
    assert len(many) == 2


def test_adding_may_say_more_of_a_user_than_fits_one_request() -> None:
    """It leaves in several."""
    work(rows(*(f"alice,{number}" for number in range(120)))).check()


def test_attributes_that_the_app_lacks_are_named_where_they_stand() -> None:
    """Before anything is sent: the API would refuse whole requests."""
    asked = work("user,sex,ctiy\na,f,\nb,,x\n", ATTRIBUTES)
    asked.check()
    asked.check_attributes(["sex", "ctiy"])

    with pytest.raises(Stop) as caught:
        asked.check_attributes(["sex", "city"])

    assert caught.value.message.splitlines()[0] == (
        "users.csv, line 3: the app has no attribute 'ctiy'; it has city, sex"
    )


def test_a_file_that_changes_after_its_check_ends_the_command() -> None:
    """What was not checked is not sent."""
    said: list[Entry[Any] | Mistake] = [Entry(1, "alice", ["a"])]
    asked = Work("users.csv", TAGS, lambda: said)
    asked.check()
    said[:] = [Mistake(1, "this is no JSON")]

    with pytest.raises(Stop, match="The file was changed"):
        list(asked.pieces())


def test_values_of_options_are_for_all_users() -> None:
    """And checked once."""
    kind = same_for_all(TAGS, ["vip"], option="--tag")
    with work_of(["alice", "bob", "alice"], None, None, kind) as asked:
        assert [piece.users for piece in asked.pieces()] == [{"alice": ["vip"], "bob": ["vip"]}]

    with pytest.raises(Stop, match="--tag: the tag '' has 0 bytes"):
        same_for_all(TAGS, [""], option="--tag")


@pytest.mark.parametrize(
    ("users", "file", "words"),
    [
        ([], None, "Which users?"),
        (["alice"], Path("users.csv"), "one of these"),
        (["alice", "-"], None, "stands alone"),
        (["alice", "bob"], None, "what of 'alice'? Say it with --tag, or in a file"),
        ([], Path("no-such.csv"), "no-such.csv can't be read: No such file"),
        ([], Path("/"), "--format csv or --format ndjson"),
        ([], Path("users.xlsx"), "users.xlsx: say how its lines are written"),
    ],
)
def test_it_must_be_clear_who_is_meant(users: list[str], file: Path | None, words: str) -> None:
    """Nobody is not everybody, and two ways are not one."""
    with pytest.raises(Stop) as caught, work_of(users, file, None, TAGS):
        pass
    assert caught.value.code is ExitCode.BAD_INPUT
    assert words in caught.value.message


def test_pairs_are_divided_at_the_first_equals_sign() -> None:
    """All that are none are told at once."""
    assert pairs_of(["a=b=c", "d="], example="x=y") == {"a": "b=c", "d": ""}
    with pytest.raises(Stop) as caught:
        pairs_of(["a", "b=1", "b=2"], example="city=Shenzhen")
    assert caught.value.message.splitlines() == [
        "'a' has no \"=\"; write city=Shenzhen",
        "'b' is given twice, as '1' and as '2'; leave one out",
    ]


@pytest.mark.parametrize(
    ("name", "line_format"),
    [
        ("u.csv", Format.CSV),
        ("u.CSV", Format.CSV),
        ("u.ndjson", Format.NDJSON),
        ("u.jsonl", Format.NDJSON),
        ("u.txt", Format.NDJSON),
    ],
)
def test_the_ending_tells_the_format(tmp_path: Path, name: str, line_format: Format) -> None:
    """Unless somebody says another."""
    (tmp_path / name).write_bytes(b"user\nalice\n")
    with opened(tmp_path / name, None) as source:
        assert source.format is line_format
    with opened(tmp_path / name, Format.CSV) as source:
        assert source.format is Format.CSV


def test_a_pipe_is_read_twice_all_the_same(tmp_path: Path) -> None:
    """Checking reads to the end; a shell's <(...) gives its bytes once."""
    pipe = tmp_path / "users"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("alice\n",))
    writer.start()

    with work_of([], pipe, Format.NDJSON, NOTHING_MORE) as asked:
        writer.join()
        assert [list(piece.users) for piece in asked.pieces()] == [["alice"]]
        assert [list(piece.users) for piece in asked.pieces()] == [["alice"]]
