"""What is seen of the demo, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from audience_sync.commands.demonstration.reading import Counts, Reading
from audience_sync.commands.demonstration.summary import Section
from audience_sync.commands.demonstration.view import Moment, view_on


def moment(seconds: float) -> Moment:
    """Something to show."""
    reading = Reading(
        events=4200, changes=4199, waiting_users=321, counts=Counts(calls={"a": 20}, user_parts={"a": 1500})
    )
    return Moment(
        seconds=seconds,
        of_seconds=20.0,
        sent=4300,
        events_per_second=1234.5,
        users=999,
        users_in_step=888,
        reading=reading,
    )


SECTIONS = [Section("What must hold", [("users in step", "ok: 5 of 5"), ("overlaps", "WRONG: 1")])]


def test_without_a_terminal_there_is_a_plain_line_every_two_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A log file is read line by line."""
    with view_on(Console(file=io.StringIO(), force_terminal=False)) as view:
        view.say("here we go")
        for quarter in range(21):
            view.show(moment(quarter / 4))
        view.conclude(SECTIONS)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "here we go"
    assert [line.split(" s:")[0].strip() for line in lines[1:4]] == ["0.0", "2.0", "4.0"]
    assert lines[1].endswith(
        "events/s 1,234, changes 4,199, requests 20, users a request 75.0, "
        "saved calls 4,179, waiting users 321, users in step 888 of 999"
    )
    assert lines[4:] == ["", "What must hold", "  users in step  ok: 5 of 5", "  overlaps       WRONG: 1"]
    assert not any("\x1b" in line for line in lines)


def test_a_terminal_shows_all_of_it_live_and_the_page_at_the_end() -> None:
    """The same figures, in place."""
    seen = io.StringIO()
    console = Console(
        file=seen, force_terminal=True, width=120, color_system=None, _environ={"TERM": "xterm-256color"}
    )
    with view_on(console) as view:
        view.say("here we go")
        view.show(moment(7.0))
        view.show(moment(21.0))
        live = seen.getvalue()
        view.conclude(SECTIONS)

    for part in ("here we go", "1,234", "4,199", "4,179", "888 of 999", "7 s: events", "no more events"):
        assert part in live
    assert "ok: 5 of 5" in seen.getvalue()


def test_a_terminal_that_can_only_print_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """TERM=dumb, as in an editor's shell."""
    with view_on(Console(force_terminal=True, _environ={"TERM": "dumb"})) as view:
        view.show(moment(0.0))
    assert capsys.readouterr().out.startswith("  0.0 s: ")
