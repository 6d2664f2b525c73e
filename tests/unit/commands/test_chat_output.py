"""What is printed: for eyes on a terminal, for other programs elsewhere, and nothing that moves a cursor."""

import io
import json
from typing import Final

import pytest

from audience_sync.chat_api import Refusal
from audience_sync.commands.chat.progress import Bar
from audience_sync.commands.chat.refused import REFUSED_USERS, RefusedUser
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.confirmation import confirm
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import counted, printable

VIEW: Final[View[tuple[str, list[str]]]] = View(
    columns=("user", "tag"),
    rows=lambda one: [(one[0], tag) for tag in one[1]],
    fields=lambda one: {"user": one[0], "tags": one[1]},
)
THINGS: Final = [("alice", ["a", "[b]"]), ("bob\t\x1b[2J", ["股票"])]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a person looked on."""
    for name, value in {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "80", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)


def test_without_a_terminal_rows_have_tabs_between_cells(capsys: pytest.CaptureFixture[str]) -> None:
    """No head, so that nothing needs to be cut off; a tab inside a text is no tab."""
    output(as_json=False).show(VIEW, THINGS)
    assert capsys.readouterr().out == "alice\ta\nalice\t[b]\nbob\\t\\x1b[2J\t股票\n"


@pytest.mark.usefixtures("terminal")
def test_a_terminal_shows_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """With a head; texts are shown as they are, also those that look like markup."""
    output(as_json=False).show(VIEW, THINGS)

    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if "user" in line] != []
    assert "[b]" in shown
    assert "bob\\t\\x1b[2J" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.usefixtures("terminal")
def test_an_empty_table_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody refused is nothing to see."""
    output(as_json=False).show(REFUSED_USERS, [])
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("terminal")
def test_json_is_an_object_a_line_wherever_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    """Exact, and the same on a terminal."""
    output(as_json=True).show(VIEW, THINGS)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"user": user, "tags": tags} for user, tags in THINGS]


@pytest.mark.parametrize(
    ("said", "row", "fields"),
    [
        (Refusal(70107, "", again=False), "ann\t70107\tthe account does not exist\n", {"code": 70107}),
        (Refusal(99999, "odd", again=False), "ann\t99999\todd\n", {"code": 99999, "meaning": "odd"}),
        (
            Refusal(99999, "", again=False),
            "ann\t99999\tthe table of codes does not have it\n",
            {"code": 99999},
        ),
        (Refusal(0, "left out", again=False), "ann\t-\tleft out\n", {"code": None, "info": "left out"}),
    ],
)
def test_a_refused_user_is_shown_with_code_and_meaning(
    capsys: pytest.CaptureFixture[str], said: Refusal, row: str, fields: dict[str, object]
) -> None:
    """A number alone tells a person nothing."""
    output(as_json=False).show(REFUSED_USERS, [RefusedUser("ann", said)])
    assert capsys.readouterr().out == row

    output(as_json=True).show(REFUSED_USERS, [RefusedUser("ann", said)])
    assert fields.items() <= json.loads(capsys.readouterr().out).items()


def test_what_is_beside_the_results_goes_beside_them(capsys: pytest.CaptureFixture[str]) -> None:
    """So that results can go into another program; JSON says which is which."""
    refused = [RefusedUser("ann", Refusal(70107, "", again=False))]
    output(as_json=False).show_aside(REFUSED_USERS, refused)
    plain = capsys.readouterr()
    output(as_json=True).show_aside(REFUSED_USERS, refused)
    as_json = capsys.readouterr()

    assert (plain.out, plain.err) == ("", "ann\t70107\tthe account does not exist\n")
    assert (json.loads(as_json.out)["user"], as_json.err) == ("ann", "")


def test_words_are_counted_and_printable() -> None:
    """One user is no users."""
    assert [counted(number, "user") for number in (0, 1, 2000)] == ["0 users", "1 user", "2,000 users"]
    assert printable("a\nb\x07") == "a\\nb\\x07"
    assert printable("a\nb\x07", but="\n") == "a\nb\\x07"


class Person(io.StringIO):
    """Somebody at a terminal, and what he types."""

    def isatty(self) -> bool:
        """He is there."""
        return True


@pytest.mark.parametrize(("typed", "goes_on"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_person_is_asked_before_what_cannot_be_taken_back(
    monkeypatch: pytest.MonkeyPatch, typed: str, goes_on: bool
) -> None:
    """No is what nothing means."""
    shown = Person()
    monkeypatch.setattr("sys.stdin", Person(typed))
    monkeypatch.setattr("sys.stderr", shown)

    if goes_on:
        confirm("All will be gone.", yes=False)
    else:
        with pytest.raises(Stop) as caught:
            confirm("All will be gone.", yes=False)
        assert (caught.value.code, caught.value.message) == (ExitCode.INTERRUPTED, "Nothing was sent.")
    assert shown.getvalue().startswith("All will be gone.\nGo on? [y/N]")


def test_where_nobody_can_be_asked_it_must_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script says --yes on purpose."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    confirm("All will be gone.", yes=True)
    with pytest.raises(Stop, match=r"All will be gone\.\nIf that is wanted, say --yes"):
        confirm("All will be gone.", yes=False)


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file gets nothing of it."""
    with Bar(lines=10_000) as bar:
        bar.tell("waiting")
        bar.advance(5000)
        with bar.hidden():
            print("a row")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("a row\n", "")


@pytest.mark.usefixtures("terminal")
def test_a_terminal_has_a_bar_for_long_work_and_for_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error; what one request takes is done before it could be read."""
    monkeypatch.setenv("TERM", "xterm")
    with Bar(lines=10_000) as bar:
        bar.advance(4_000)
    long = capsys.readouterr()
    with Bar(lines=3) as bar:
        bar.advance(3)
    short = capsys.readouterr()
    with Bar(lines=3) as bar:
        bar.tell("add_tag answered [60007]; again in 2.0 s")
    waiting = capsys.readouterr()

    assert "4000/10000" in long.err
    assert (long.out, short.out, short.err) == ("", "", "")
    assert "add_tag answered [60007]; again in 2.0 s" in waiting.err
