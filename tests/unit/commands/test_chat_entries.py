"""What lines say of users, and what is wrong with them: each mistake names its line and the way out."""

import io
from typing import Any, Final

import pytest

from audience_sync.commands.chat.entries import Entry, Mistake, entries_of
from audience_sync.commands.chat.kind import NOTHING_MORE, Kind, Users
from audience_sync.commands.chat.kinds import (
    APPEARANCES,
    ATTRIBUTES,
    REMOVALS,
    REPLACEMENTS,
    TAGS,
    Appearance,
)
from audience_sync.commands.chat.source import LONGEST_LINE_BYTES, Format, Source

ELEVEN: Final = "{" + ",".join(f'"{number}":"x"' for number in range(11)) + "}"
GIVEN_BY_OPTION: Final = Users(["vip"], of=TAGS)


def read(text: str | bytes, kind: Kind[Any], line_format: Format) -> list[Any]:
    """What the lines come to: (user, value), or the line and words of a mistake."""
    raw = text if isinstance(text, bytes) else text.encode()
    found: list[Any] = []
    for each in entries_of(Source("users", line_format, io.BytesIO(raw)), kind):
        match each:
            case Entry(_, user, value):
                found.append((user, value))
            case Mistake(line, words):
                found.append(f"{line}: {words}")
    return found


@pytest.mark.parametrize(
    ("kind", "text", "entries"),
    [
        (TAGS, '{"user": "alice", "tags": ["a", "b"]}', [("alice", ["a", "b"])]),
        (TAGS, '{"user": "alice", "tags": []}', [("alice", None)]),
        (TAGS, '\n  {"user":"alice","tags":["股票"]}  \r\n\n', [("alice", ["股票"])]),
        (ATTRIBUTES, '{"user": "alice", "attributes": {"city": "x"}}', [("alice", {"city": "x"})]),
        (ATTRIBUTES, '{"user": "alice", "attributes": {}}', [("alice", None)]),
        (REMOVALS, '{"user": "alice", "attributes": ["city"]}', [("alice", ["city"])]),
        (APPEARANCES, '{"user": "alice", "nick": "A"}', [("alice", Appearance("A"))]),
        (APPEARANCES, "alice\nbob", [("alice", Appearance()), ("bob", Appearance())]),
        (
            NOTHING_MORE,
            '\ufeffalice\n"bob"\n{"user": "carol", "tags": ["a"]}',
            [("alice", ()), ("bob", ()), ("carol", ())],
        ),
        (NOTHING_MORE, "12345\nnull", [("12345", ()), ("null", ())]),
        (GIVEN_BY_OPTION, 'alice\n{"user": "bob"}', [("alice", ["vip"]), ("bob", ["vip"])]),
        (TAGS, "", []),
    ],
)
def test_lines_of_json_say_what_they_say(kind: Kind[Any], text: str, entries: list[Any]) -> None:
    """An object a line; a bare user where that is enough. What reading prints can be written again."""
    assert read(text, kind, Format.NDJSON) == entries


@pytest.mark.parametrize(
    ("kind", "text", "entries"),
    [
        (TAGS, "user,tag\nalice,a\nalice,b\n", [("alice", ["a"]), ("alice", ["b"])]),
        (TAGS, "\ufefftag,user\r\n\r\na,alice\r\n", [("alice", ["a"])]),
        (TAGS, 'user,tag\nalice,"a, ""b"""\n', [("alice", ['a, "b"'])]),
        (TAGS, "user,tag\nalice,\n", [("alice", None)]),
        (
            ATTRIBUTES,
            "user,city,level\nalice,Shenzhen,\nbob,,\ncarol,,gold\n",
            [("alice", {"city": "Shenzhen"}), ("bob", None), ("carol", {"level": "gold"})],
        ),
        (REMOVALS, "user,attribute\nalice,city\n", [("alice", ["city"])]),
        (
            APPEARANCES,
            "user,face_url\nalice,http://x\nbob,\n",
            [("alice", Appearance("", "http://x")), ("bob", Appearance())],
        ),
        (NOTHING_MORE, "user,city\nalice,Shenzhen\n", [("alice", ())]),
        (GIVEN_BY_OPTION, "user\nalice\n", [("alice", ["vip"])]),
        (TAGS, "user,tag\n", []),
    ],
)
def test_rows_of_a_table_say_what_they_say(kind: Kind[Any], text: str, entries: list[Any]) -> None:
    """A row a tag; a column an attribute; an empty cell says nothing."""
    assert read(text, kind, Format.CSV) == entries


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (TAGS, "alice", 'a user alone; write {"user": "alice", "tags": ["a", "b"]}'),
        (ATTRIBUTES, '"alice"', "a user alone"),
        (TAGS, '{"user": "alice"}', "'tags' is missing"),
        (TAGS, '{"user": "alice", "tag": ["a"]}', "there is no field 'tag'; write"),
        (TAGS, '{"user": "alice", "tags": "a"}', "'tags' is \"a\"; it should be an array"),
        (TAGS, '{"user": 7, "tags": ["a"]}', "'user' is 7; write it as text, in quotes"),
        (TAGS, '{"tags": ["a"]}', "no 'user' in it"),
        (TAGS, '["alice"]', "no 'user' in it"),
        (TAGS, '{"user": "alice", ', "this is no JSON"),
        (TAGS, '{"user": "\\ud800", "tags": ["a"]}', "this is no JSON"),
        (TAGS, b'{"user": "\xff"}', "not written in UTF-8"),
        (TAGS, "[" * 60_000, "this is no JSON"),
        (REPLACEMENTS, '{"user": "alice", "tags": []}', "no tag; remove-all-tags"),
        (ATTRIBUTES, '{"user": "alice", "attributes": ["city"]}', "it should be an object"),
        (REMOVALS, '{"user": "alice", "attributes": {"city": "x"}}', "it should be an array"),
        (ATTRIBUTES, f'{{"user":"a","attributes":{ELEVEN}}}', "11 attributes; an app has at most 10"),
        (APPEARANCES, '{"user": "alice", "nick": 7}', "should be texts"),
        (APPEARANCES, '{"user": "alice", "face": "x"}', "there is no field 'face'"),
        (NOTHING_MORE, "alice,vip", "say --format csv if this is a table"),
        (NOTHING_MORE, "alice bob", "no bare user"),
        (GIVEN_BY_OPTION, '{"user": "alice", "tags": ["a"]}', "'tags' beside 'user', and options say the same"),
        (TAGS, b"x" * (LONGEST_LINE_BYTES + 1), "longer than 65536 bytes"),
    ],
)  # fmt: skip
def test_a_wrong_line_of_json_says_what_and_the_way_out(
    kind: Kind[Any], text: str | bytes, words: str
) -> None:
    """In words for a person, not for a programmer."""
    [mistake] = read(text, kind, Format.NDJSON)
    assert mistake.startswith("1: ")
    assert words in mistake


@pytest.mark.parametrize(
    ("kind", "text", "line", "words"),
    [
        (TAGS, "", 1, "nothing in it; the first line names the columns: user,tag"),
        (TAGS, "alice,vip\n", 1, "the first line names the columns, such as user,tag; it is 'alice,vip'"),
        (TAGS, "user;tag\nalice;vip\n", 1, "the first line names the columns"),
        (TAGS, "user,tag,city\n", 1, "the columns are user,tag,city; they should be user,tag"),
        (TAGS, "user\n", 1, "they should be user,tag"),
        (TAGS, "user,tag,tag\n", 1, "the column 'tag' stands twice"),
        (ATTRIBUTES, "user\nalice\n", 1, "one for each attribute belongs there"),
        (ATTRIBUTES, "user," + ",".join(f"a{n}" for n in range(11)), 1, "11 attributes"),
        (ATTRIBUTES, f"user,{'x' * 51}\n", 1, "has 51 bytes of UTF-8"),
        (APPEARANCES, "user,picture\n", 1, "there is no column 'picture'"),
        (GIVEN_BY_OPTION, "user,tag\n", 1, "'tag' beside 'user', and options say the same"),
        (TAGS, "user,tag\nalice\n", 2, "1 cell under 2 columns: user,tag"),
        (TAGS, "user,tag\nalice,a,b\n", 2, "3 cells under 2 columns"),
        (TAGS, "user,tag\n\nalice, a\n", 3, "' a' begins or ends with a space"),
        (TAGS, 'user,tag\nalice,"a\n', 2, "this is no row of a table"),
        (TAGS, 'user,tag\nalice,"a"b\n', 2, "this is no row of a table"),
        (TAGS, b"user,tag\nalice,\xb9\xc9\n", 2, "not written in UTF-8"),
        (TAGS, "user,tag\nalice," + "x" * LONGEST_LINE_BYTES, 2, "longer than 65536 bytes"),
    ],
)  # fmt: skip
def test_a_wrong_row_says_what_and_the_way_out(
    kind: Kind[Any], text: str | bytes, line: int, words: str
) -> None:
    """Its line is the one that an editor shows."""
    [mistake] = read(text, kind, Format.CSV)
    assert mistake.startswith(f"{line}: ")
    assert words in mistake


def test_reading_goes_on_behind_a_mistake() -> None:
    """So that all of them are told at once; a row that runs over several lines counts them."""
    text = b'user,tag\nalice,"a\nb"\nalice,\xff\nbob\ncarol,c\n"dave"x,y\nerin,e\n'

    found = read(text, TAGS, Format.CSV)

    mistakes = [each for each in found if isinstance(each, str)]
    assert [each for each in found if each not in mistakes] == [
        ("alice", ["a\nb"]),
        ("carol", ["c"]),
        ("erin", ["e"]),
    ]
    assert [mistake.partition(":")[0] for mistake in mistakes] == ["4", "5", "7"]
